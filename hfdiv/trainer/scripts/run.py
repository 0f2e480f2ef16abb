"""What the training scripts have in common: from arguments to a trained model."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from accelerate import PartialState
from transformers.trainer_utils import get_last_checkpoint
from trl import ModelConfig

from hfdiv.trainer.attention import check_liger
from hfdiv.trainer.launch import EXIT_CODE_FILE, NUM_PROCESSES
from hfdiv.trainer.scripts.arguments import RunArguments, parse
from hfdiv.trainer.scripts.merge import check_mergeable, save_merged
from hfdiv.trainer.scripts.watched import watch


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Method:
    """What a script trains by.

    Attributes:
        config: The trainer's class of arguments.
        trainer: The trainer's class.
        build: Makes the trainer of its class and of the script's, the training's and the model's arguments.
        arguments: The script's class of arguments.
        defaults: Defaults other than those of these classes.
    """

    config: type[Any]
    trainer: type[Any]
    build: Callable[[type[Any], Any, Any, ModelConfig], Any]
    arguments: type[RunArguments] = RunArguments
    defaults: Mapping[str, Any] = field(default_factory=dict)


def main(method: Method, arguments: Sequence[str] | None = None) -> None:
    """Train as the arguments say (default: those of the command line). Exits with 2 on bad input, 1 on failure."""
    try:
        script, training, model = parse(method, sys.argv[1:] if arguments is None else arguments)
        _check_processes()
        checkpoint = _checkpoint(training)
        trainer = make_trainer(method, script, training, model)
    except (ValueError, TypeError, FileNotFoundError) as error:
        _fail(error, 2)
    except (ImportError, OSError) as error:
        _fail(error, 1)
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.save_model(training.output_dir)
    trainer.create_model_card(model_name=Path(training.output_dir).name, dataset_name=_hub_name(script))
    trainer.accelerator.print(f"Model saved to {training.output_dir}.")
    if script.merge_adapter:
        trainer.accelerator.print(f"Merged model saved to {save_merged(trainer)}.")
    if training.push_to_hub:
        trainer.push_to_hub(dataset_name=_hub_name(script))
    if hasattr(trainer, "end"):  # from transformers 5.18 on
        trainer.end()


def make_trainer(method: Method, script: Any, training: Any, model: ModelConfig) -> Any:  # noqa: ANN401 - any trainer
    """Return the trainer that the arguments describe.

    Raises:
        FileNotFoundError: If a file is not there.
        ImportError: If a package that is asked for is not installed.
        ValueError: If an argument is missing or out of its range.
    """
    if not model.model_name_or_path:
        raise ValueError("There is no model to train: give `model_name_or_path`.")
    check_liger(training.use_liger_kernel, training.use_cpu)
    check_mergeable(script.merge_adapter, model)
    trainer = method.build(method.trainer, script, training, model)
    watch(trainer, script, training.seed)
    return trainer


def _checkpoint(training: Any) -> str | None:  # noqa: ANN401 - a training config
    """Return the checkpoint to resume from: a folder, or with `true` the last one in the output folder."""
    wanted = training.resume_from_checkpoint
    if wanted is None or str(wanted).lower() == "false":
        return None
    if str(wanted).lower() == "true":
        folder = Path(training.output_dir)
        last: str | None = get_last_checkpoint(folder) if folder.is_dir() else None
        if last is None:
            raise FileNotFoundError(f"There is no checkpoint in {training.output_dir} to resume from.")
        return last
    if not Path(wanted, "trainer_state.json").is_file():
        raise FileNotFoundError(f"{wanted} is no checkpoint to resume from: it holds no trainer_state.json.")
    return str(wanted)


def _check_processes() -> None:
    """Refuse to run in another number of processes than `hfdiv train` was told to start."""
    expected = os.environ.get(NUM_PROCESSES)
    running = PartialState().num_processes
    if expected is not None and int(expected) != running:
        raise ValueError(
            f"{expected} processes were asked for and {running} run. Without GPUs, accelerate starts several only "
            "with `distributed_type: MULTI_GPU`; see examples/accelerate_configs/cpu_two.yaml."
        )


def _hub_name(script: RunArguments) -> str | None:
    """Return the dataset's name on the Hub, for the model card; a local file has none."""
    name = script.dataset_name
    return None if name is None or Path(name).exists() else name


def _fail(error: Exception, code: int) -> NoReturn:
    """End with one line on stderr, and tell `hfdiv train` the exit code."""
    logger.debug("The run ends before it starts.", exc_info=error)
    rank = os.environ.get("RANK", "0")
    sys.stderr.write(f"{'' if rank == '0' else f'[rank {rank}] '}Error: {error}\n")
    if EXIT_CODE_FILE in os.environ:
        Path(os.environ[EXIT_CODE_FILE]).write_text(str(code))
    sys.exit(code)
