"""The held-out prompts that a recipe has watched."""

from __future__ import annotations

from typing import Any

from hfdiv.trainer.scripts.arguments import RunArguments
from hfdiv.trainer.scripts.data import load, split_of, with_prompts
from hfdiv.trainer.watch import DiversityCallback


def watch(trainer: Any, script: RunArguments, seed: int) -> None:  # noqa: ANN401 - any trainer
    """Have the trainer sample and measure replies to the held-out prompts, if there are any.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there are no prompts in it, or an argument is out of its range.
    """
    if not script.watch_dataset:
        return
    held_out = load(script.watch_dataset, script, "watch_dataset")
    split = script.dataset_test_split if script.dataset_test_split in held_out else script.dataset_train_split
    trainer.add_callback(
        DiversityCallback(
            trainer,
            with_prompts(split_of(held_out, split), script.prompt_column),
            script.watch_steps,
            num_return_sequences=script.watch_num_return_sequences,
            max_new_tokens=script.watch_max_new_tokens,
            finished_only=script.watch_finished_only,
            stop_on_collapse=script.watch_stop_on_collapse,
            seed=seed,
        )
    )
