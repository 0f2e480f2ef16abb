"""Checkpoints from which TRL's trainers that sample groups go on exactly as if they had never stopped."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class ExactResumeCallback(TrainerCallback):
    """Makes a resumed run of GRPO or RLOO equal to an uninterrupted one.

    It mends two things that a checkpoint of TRL 1.16 does not hold:

    - *The completions in use.* Where one generation serves several optimizer steps (`num_iterations` or
      `steps_per_generation`), a checkpoint that is due in the middle of them is written after the last.
      `save_strategy="best"` chooses its own moment and is left alone.
    - *The order of the prompts.* It is drawn anew for each epoch; the draws of the epochs that are behind are made up
      for, unless `ignore_data_skip` is set.

    Example:
        >>> from transformers import TrainerControl, TrainerState
        >>> from trl import GRPOConfig
        >>> args = GRPOConfig(use_cpu=True, bf16=False, report_to="none", num_iterations=2)
        >>> callback = ExactResumeCallback()
        >>> asked = TrainerControl(should_save=True)  # a checkpoint is due after step 3: completions of 3 and 4
        >>> callback.on_step_end(args, TrainerState(global_step=3, max_steps=9), asked).should_save
        False
        >>> callback.on_step_end(args, TrainerState(global_step=4, max_steps=9), TrainerControl()).should_save
        True
    """

    def __init__(self) -> None:
        self._due = False

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        train_dataloader: Any = None,  # noqa: ANN401 - of torch, wrapped by accelerate or not
        **_: Any,  # noqa: ANN401 - what transformers passes
    ) -> None:
        """Draw the order of the prompts once for each epoch that is over."""
        batches = getattr(train_dataloader, "batch_sampler", None)
        batches = getattr(batches, "batch_sampler", batches)  # of all processes
        sampler = getattr(batches, "sampler", None)
        if sampler is None or args.ignore_data_skip:
            return
        for _epoch in range(int((state.epoch or 0.0) + 1e-6)):
            next(iter(sampler), None)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401 - what transformers passes
    ) -> TrainerControl:
        """Put a checkpoint off to the end of the generation. The last one is written where training ends."""
        if state.global_step >= state.max_steps:
            return control
        backward_passes = state.global_step * args.gradient_accumulation_steps
        whole = backward_passes % (args.steps_per_generation * args.num_iterations) == 0
        due = control.should_save or self._due
        control.should_save, self._due = due and whole, due and not whole
        return control
