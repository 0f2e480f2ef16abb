"""Arguments of the training scripts, from a YAML recipe and the command line."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from trl import ModelConfig, ScriptArguments, TrlParser


if TYPE_CHECKING:
    from hfdiv.trainer.scripts.run import Method


@dataclass
class RunArguments(ScriptArguments):
    """TRL's script arguments, the watching of a run, and what is saved at its end."""

    prompt_column: str = field(
        default="prompt", metadata={"help": "Column with the prompts, of `dataset_name` and `watch_dataset`."}
    )
    merge_adapter: bool = field(
        default=False,
        metadata={
            "help": "Whether to save the trained model with its LoRA adapter merged into the weights, too, in "
            "`OUTPUT_DIR/merged`: what another stage of training can start from."
        },
    )
    watch_dataset: str | None = field(
        default=None,
        metadata={
            "help": "Held-out prompts, a file or a dataset like `dataset_name` (of which the test split, if it has "
            "one): replies to them are sampled, measured and logged during training. Default: none."
        },
    )
    watch_steps: int | None = field(
        default=None,
        metadata={"help": "Optimizer steps between two such measurements. Default: at each evaluation and save."},
    )
    watch_num_return_sequences: int = field(default=8, metadata={"help": "Replies to each held-out prompt."})
    watch_max_new_tokens: int | None = field(
        default=None, metadata={"help": "Token limit of those replies. Default: `max_completion_length`."}
    )
    watch_finished_only: bool = field(
        default=True, metadata={"help": "Whether only those replies are measured that ended by themselves."}
    )
    watch_stop_on_collapse: bool = field(
        default=False, metadata={"help": "Whether to stop when their diversity has collapsed."}
    )


@dataclass
class RewardArguments(RunArguments):
    """Beside those, the rewards of quality."""

    reward_functions: list[str] | None = field(
        default=None,
        metadata={
            "help": "Reward functions of quality: names of hfdiv's rewards, `module.name`, or `file.py:name`; in a "
            "recipe also `{name: ..., weight: ..., and the reward's own arguments}`."
        },
    )


def make_parser(method: Method) -> TrlParser:
    """Return the parser of a script that trains by `method`.

    Where there is no accelerator the defaults are `use_cpu=True` and `bf16=False`, so that a recipe runs anywhere.
    """
    parser = TrlParser((method.arguments, method.config, ModelConfig), allow_abbrev=False)
    parser.set_defaults(**method.defaults)
    if not torch.accelerator.is_available():
        parser.set_defaults(use_cpu=True, bf16=False)
    return parser


def parse(method: Method, arguments: Sequence[str]) -> tuple[Any, Any, ModelConfig]:
    """Return script, training and model arguments. What the command line says wins over the recipe.

    Raises:
        FileNotFoundError: If there is no such recipe.
        ValueError: If the recipe is not YAML, or it or the command line holds what is no argument or out of its range.
        SystemExit: If a value on the command line cannot be read, or after `--help`.
    """
    parser = make_parser(method)
    arguments = [part for argument in arguments for part in _split_config(argument)]
    recipe = _recipe(arguments)
    *parsed, from_recipe, from_command_line = parser.parse_args_and_config(
        arguments, return_remaining_strings=True, separate_remaining_strings=True
    )
    unknown = [name for name in (*from_recipe[::2], *from_command_line) if name.startswith("--")]
    if unknown:
        raise ValueError(_unknown(unknown[0].removeprefix("--"), parser, recipe if from_recipe else None))
    if from_command_line:
        raise ValueError(f"The command line holds {from_command_line[0]!r}, which belongs to no argument.")
    script, training, model = parsed
    return script, training, model


def _split_config(argument: str) -> list[str]:
    """TRL's parser knows `--config X` but not `--config=X`, which it would pass over."""
    return argument.split("=", 1) if argument.startswith("--config=") else [argument]


def _recipe(arguments: Sequence[str]) -> str | None:
    """Return the path of the recipe among the arguments, if there is one, as soon as it can be read."""
    if "--config" not in arguments:
        return None
    place = list(arguments).index("--config") + 1
    if place == len(arguments):
        raise ValueError("`--config` needs the path of a recipe (YAML).")
    path = Path(arguments[place])
    if not path.is_file():
        raise FileNotFoundError(f"There is no recipe {path}.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"The recipe {path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"The recipe {path} must hold `argument: value` lines, got {type(content).__name__}.")
    return str(path)


def _unknown(name: str, parser: argparse.ArgumentParser, recipe: str | None) -> str:
    known = sorted({action.dest for action in parser._actions})  # argparse lists them nowhere else
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else "`--help` lists them all."
    return f"`{name}`{f' in {recipe}' if recipe else ''} is no argument of this script. {hint}"
