"""What the training scripts have in common: from arguments to a trained model."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from accelerate import PartialState
from datasets import Dataset, DatasetDict, IterableDatasetDict, load_dataset
from transformers.trainer_utils import get_last_checkpoint
from trl import ModelConfig, get_peft_config, get_quantization_config

from hfdiv.rewards import load_rewards
from hfdiv.trainer.attention import check_liger, resolve_attention
from hfdiv.trainer.launch import EXIT_CODE_FILE, NUM_PROCESSES
from hfdiv.trainer.scripts.arguments import DiverseScriptArguments, parse
from hfdiv.trainer.watch import DiversityCallback


logger = logging.getLogger(__name__)

BUILDERS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
"""Local files of prompts, by the `datasets` builder that reads them."""


def main(config_class: type[Any], trainer_class: type[Any], arguments: Sequence[str] | None = None) -> None:
    """Train as the arguments say (default: those of the command line). Exits with 2 on bad input, 1 on failure."""
    try:
        script, training, model = parse(config_class, sys.argv[1:] if arguments is None else arguments)
        _check_processes()
        checkpoint = _checkpoint(training)
        trainer = build(trainer_class, script, training, model)
    except (ValueError, TypeError, FileNotFoundError) as error:
        _fail(error, 2)
    except (ImportError, OSError) as error:
        _fail(error, 1)
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.save_model(training.output_dir)
    trainer.create_model_card(model_name=Path(training.output_dir).name, dataset_name=_hub_name(script))
    trainer.accelerator.print(f"Model saved to {training.output_dir}.")
    if training.push_to_hub:
        trainer.push_to_hub(dataset_name=_hub_name(script))
    if hasattr(trainer, "end"):  # from transformers 5.18 on
        trainer.end()


def build(trainer_class: type[Any], script: DiverseScriptArguments, training: Any, model: ModelConfig) -> Any:  # noqa: ANN401
    """Return the trainer that the arguments describe.

    Raises:
        FileNotFoundError: If a file is not there.
        ImportError: If a package that is asked for is not installed.
        ValueError: If an argument is missing or out of its range.
    """
    if not model.model_name_or_path:
        raise ValueError("There is no model to train: give `model_name_or_path`.")
    if not script.reward_functions:
        raise ValueError("There is no reward: give `reward_functions`. Diversity without quality ends in gibberish.")
    check_liger(training.use_liger_kernel, training.use_cpu)
    functions, training.reward_weights = _rewards(script, training)
    training.model_init_kwargs = _model_settings(model, training) | (training.model_init_kwargs or {})
    data = _load(script.dataset_name, script, "dataset_name")
    trainer = trainer_class(
        model=model.model_name_or_path,
        reward_funcs=functions,
        args=training,
        train_dataset=_split(data, script.dataset_train_split, script),
        eval_dataset=_split(data, script.dataset_test_split, script) if training.eval_strategy != "no" else None,
        quantization_config=get_quantization_config(model),
        peft_config=get_peft_config(model),
    )
    if script.watch_dataset:
        held_out = _load(script.watch_dataset, script, "watch_dataset")
        split = script.dataset_test_split if script.dataset_test_split in held_out else script.dataset_train_split
        trainer.add_callback(
            DiversityCallback(
                trainer,
                _split(held_out, split, script),
                script.watch_steps,
                num_return_sequences=script.watch_num_return_sequences,
                max_new_tokens=script.watch_max_new_tokens,
                finished_only=script.watch_finished_only,
                stop_on_collapse=script.watch_stop_on_collapse,
                seed=training.seed,
            )
        )
    return trainer


def _rewards(script: DiverseScriptArguments, training: Any) -> tuple[list[Any], list[float]]:  # noqa: ANN401
    if training.reward_weights is not None:
        raise ValueError("Give the weights of rewards in `reward_functions`, not in `reward_weights`.")
    try:
        return load_rewards(script.reward_functions or [])
    except ImportError as error:  # a name that leads nowhere, or to what is not installed
        raise ValueError(str(error)) from error


def _model_settings(model: ModelConfig, training: Any) -> dict[str, Any]:  # noqa: ANN401
    half = model.dtype in ("bfloat16", "float16") or training.bf16 or training.fp16
    attention = resolve_attention(model.attn_implementation, model.model_name_or_path, half, training.use_cpu)
    return {"revision": model.model_revision, "attn_implementation": attention, "dtype": model.dtype}


def _load(name: str | None, script: DiverseScriptArguments, argument: str) -> DatasetDict | IterableDatasetDict:
    """Load a file of prompts or a dataset, by its path or its name on the Hub."""
    if name is None:
        raise ValueError(f"There are no prompts: give `{argument}`, a file or the name of a dataset on the Hub.")
    path = Path(name)
    if path.suffix in BUILDERS:
        if not path.is_file():
            raise FileNotFoundError(f"`{argument}`: there is no file {name}.")
        return load_dataset(BUILDERS[path.suffix], data_files=str(path), streaming=script.dataset_streaming)
    return load_dataset(name, name=script.dataset_config, streaming=script.dataset_streaming)


def _split(data: DatasetDict | IterableDatasetDict, split: str, script: DiverseScriptArguments) -> Dataset:
    """Return one split, with its prompts in the column `prompt`."""
    if split not in data:
        raise ValueError(f"The dataset has no split {split!r}; it has {sorted(data)}.")
    rows = data[split]
    columns = rows.column_names
    if script.prompt_column not in columns:
        raise ValueError(
            f"The dataset has no column {script.prompt_column!r} of prompts; its columns are {columns}. Name yours "
            "with `prompt_column`."
        )
    if script.prompt_column == "prompt":
        return rows
    if "prompt" in columns:
        rows = rows.remove_columns("prompt")
    return rows.rename_column(script.prompt_column, "prompt")


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


def _hub_name(script: DiverseScriptArguments) -> str | None:
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
