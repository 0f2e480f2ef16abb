"""Watching a run: how varied are the replies to held-out prompts, and do they collapse?"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl import maybe_apply_chat_template
from trl.models import unwrap_model_for_generation

from hfdiv.data import Records, write_records
from hfdiv.diversity.suite import HIGHER_IS_LESS_VARIED, NOT_OF_VARIETY, STANDARD, check_names, measure
from hfdiv.generation.sampling import Sampled, sample
from hfdiv.text import Response, TokenizerLike, prompt_text


logger = logging.getLogger(__name__)

PREFIX = "diversity/held_out/"
"""What the names of logged measures begin with. The trainers log their own groups under `diversity/`."""


class DiversityCallback(TrainerCallback):
    """Samples replies to held-out prompts during training, and logs how varied they are.

    It measures before the first step, then every `every_steps` steps (or whenever the trainer evaluates or saves), and
    after the last step. Each time it

    - logs the measures as `diversity/held_out/NAME`, and the share of replies that ended by themselves as
      `diversity/held_out/finished`, to wherever the trainer reports;
    - writes the replies to `OUTPUT_DIR/held_out/step_NNNNNN.jsonl`, which `hfdiv eval` and `hfdiv compare` read;
    - warns when diversity has collapsed: when `collapse_measure` is below `collapse_ratio` times its first value in
      this run. A resumed run keeps the first value of the run that it resumes.

    Training is not disturbed: with and without the callback the weights are the same, bit for bit. In a distributed
    run all processes sample the same replies together, since a sharded model runs on all of them or on none, and the
    main process measures. FSDP version 1 is not supported.

    Args:
        trainer: The trainer to which the callback is added. Any trainer of a causal language model.
        prompts: Held-out prompts, as strings or chat messages, or a dataset with a column `prompt`.
        every_steps: Optimizer steps between two measurements. `None`: whenever the trainer evaluates or saves.
        num_return_sequences: Replies to each prompt, at least 2.
        max_new_tokens: Token limit of a reply. Defaults to the trainer's `max_completion_length`, else 256.
        temperature: Sampling temperature, > 0.
        batch_size: Replies sampled at once.
        seed: Seed of the sampling, the same each time.
        finished_only: Whether only replies that ended by themselves are measured: one cut off at the limit is long and
            looks varied.
        measures: Names of measures, as in [`~hfdiv.diversity.measure`].
        tokenizer: How texts are split for the measures.
        collapse_measure: The logged measure that is watched; one that is higher for a more varied set.
        collapse_ratio: Share of its first value below which it has collapsed, in (0, 1).
        stop_on_collapse: Whether to stop training then.

    Raises:
        TypeError: If `prompts` holds something else than prompts.
        ValueError: If there is no prompt, or another argument is out of its range.

    Example:
        trainer = DiverseGRPOTrainer(...)
        trainer.add_callback(DiversityCallback(trainer, held_out_prompts, every_steps=50))
        trainer.train()
    """

    def __init__(
        self,
        trainer: Trainer,
        prompts: Any,  # noqa: ANN401 - a sequence or a dataset
        every_steps: int | None = None,
        *,
        num_return_sequences: int = 8,
        max_new_tokens: int | None = None,
        temperature: float = 1.0,
        batch_size: int = 64,
        seed: int = 0,
        finished_only: bool = True,
        measures: Sequence[str] = STANDARD,
        tokenizer: TokenizerLike = "mixed",
        collapse_measure: str = "distinct_2",
        collapse_ratio: float = 0.5,
        stop_on_collapse: bool = False,
    ) -> None:
        self.trainer = trainer
        self.prompts = _prompts(prompts)
        _check(every_steps, num_return_sequences, max_new_tokens, temperature, collapse_ratio)
        self.every_steps = every_steps
        self.sampling: dict[str, Any] = {
            "num_return_sequences": num_return_sequences,
            "max_new_tokens": max_new_tokens or getattr(trainer.args, "max_completion_length", None) or 256,
            "temperature": temperature,
            "batch_size": batch_size,
            "seed": seed,
        }
        self.finished_only = finished_only
        self.measures = check_names(measures)
        self.tokenizer = tokenizer
        self.collapse_measure = _check_watched(collapse_measure, self.measures)
        self.collapse_ratio = collapse_ratio
        self.stop_on_collapse = stop_on_collapse

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401 - what the trainer passes to all callbacks
    ) -> None:
        """Measure what the run starts from, unless it resumes another that did."""
        if not any(_is_ours(entry) for entry in state.log_history):
            self._measure(args, state, control)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Measure when it is time, and after the last step."""
        due = self.every_steps is not None and state.global_step % self.every_steps == 0
        if due or control.should_training_stop:
            self._measure(args, state, control)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Measure, where no number of steps says when."""
        if self.every_steps is None:
            self._measure(args, state, control)

    on_save = on_evaluate

    def _measure(self, args: TrainingArguments, state: TrainerState, control: TrainerControl) -> None:
        """Sample, measure, write and log, once a step."""
        if any(_is_ours(entry) and entry["step"] == state.global_step for entry in state.log_history):
            return
        replies = self._sample(args)
        if self.trainer.accelerator.is_main_process:
            values = self._values(replies)
            self._write(replies, Path(args.output_dir), state.global_step)
        else:
            values = {}
        (values,) = broadcast_object_list([values])
        if self._has_collapsed(values, state):
            control.should_training_stop = control.should_training_stop or self.stop_on_collapse
        should_log = control.should_log
        # The base class's: TRL's trainers average, log and forget their own metrics whenever `log` is called.
        Trainer.log(self.trainer, {PREFIX + name: value for name, value in values.items()})
        control.should_log = should_log  # logging clears it, and the trainer has not logged this step yet

    def _sample(self, args: TrainingArguments) -> list[Sampled]:
        processing_class = self.trainer.processing_class
        tokenizer = getattr(processing_class, "tokenizer", processing_class)  # of a processor, its tokenizer
        prompts = [_as_text(prompt, tokenizer) for prompt in self.prompts]
        with unwrap_model_for_generation(
            self.trainer.model_wrapped,
            self.trainer.accelerator,
            gradient_checkpointing_kwargs=args.gradient_checkpointing_kwargs,
        ) as model:
            training = model.training
            model.eval()
            try:
                return sample(model, tokenizer, prompts, **self.sampling)
            finally:
                model.train(training)

    def _values(self, replies: Sequence[Sampled]) -> dict[str, float]:
        """Measures by name, without those that are undefined."""
        groups = [
            [text for text, finished in zip(group.responses, group.finished, strict=True) if finished]
            if self.finished_only
            else group.responses
            for group in replies
        ]
        groups = [group for group in groups if len(group) > 1]
        if not groups:
            logger.warning(
                "No prompt has two replies that ended within %d tokens: there is no diversity to measure. Raise "
                "`max_new_tokens`, or measure unfinished replies as well with `finished_only=False`.",
                self.sampling["max_new_tokens"],
            )
        finished = [flag for group in replies for flag in group.finished]
        values = {"finished": sum(finished) / len(finished)}
        if groups:
            scores = measure(groups, self.tokenizer, level="group", measures=self.measures)
            values |= {name: score.value for name, score in scores.items() if not math.isnan(score.value)}
        return values

    def _write(self, replies: Sequence[Sampled], output_dir: Path, step: int) -> None:
        folder = output_dir / "held_out"
        folder.mkdir(parents=True, exist_ok=True)
        records = Records(
            [prompt_text(prompt) for prompt in self.prompts],
            [group.responses for group in replies],
            {"finished": [[float(flag) for flag in group.finished] for group in replies]},
        )
        write_records(folder / f"step_{step:06d}.jsonl", records)

    def _has_collapsed(self, values: dict[str, float], state: TrainerState) -> bool:
        name = PREFIX + self.collapse_measure
        first = next((entry[name] for entry in state.log_history if name in entry), None)
        now = values.get(self.collapse_measure)
        if first is None or now is None or now >= self.collapse_ratio * first:
            return False
        if self.trainer.accelerator.is_main_process:
            logger.warning(
                "Diversity has collapsed: %s is %.3f at step %d, below %g times the %.3f that it was at first.%s",
                self.collapse_measure,
                now,
                state.global_step,
                self.collapse_ratio,
                first,
                " Training stops." if self.stop_on_collapse else "",
            )
        return True


def _is_ours(entry: dict[str, Any]) -> bool:
    return PREFIX + "finished" in entry


def _prompts(prompts: Any) -> list[Response]:  # noqa: ANN401 - a sequence or a dataset
    columns = getattr(prompts, "column_names", None)
    if columns is not None:
        if "prompt" not in columns:
            raise ValueError(f"The dataset of held-out prompts must have a column `prompt`, it has {columns}.")
        prompts = prompts["prompt"]
    if isinstance(prompts, str):
        raise TypeError("`prompts` must be a list of prompts, got a single string.")
    listed: list[Response] = list(prompts)
    if not listed:
        raise ValueError("`prompts` is empty: there is nothing to sample replies to.")
    for prompt in listed:
        prompt_text(prompt)
    return listed


def _check(
    every_steps: int | None, num_return_sequences: int, max_new_tokens: int | None, temperature: float, ratio: float
) -> None:
    for name, value in (("every_steps", every_steps), ("max_new_tokens", max_new_tokens)):
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1, or `None`, got {value}.")
    if num_return_sequences < 2:
        raise ValueError(
            f"`num_return_sequences` must be at least 2, got {num_return_sequences}: one reply has no diversity."
        )
    if temperature <= 0:
        raise ValueError(f"`temperature` must be > 0, got {temperature}.")
    if not 0 < ratio < 1:
        raise ValueError(f"`collapse_ratio` must lie between 0 and 1, got {ratio}.")


def _check_watched(name: str, measures: Sequence[str]) -> str:
    rising = [
        logged
        for logged in measure([["a", "b"]], measures=measures)
        if not logged.startswith((*HIGHER_IS_LESS_VARIED, *NOT_OF_VARIETY))
    ]
    if name not in rising:
        raise ValueError(
            f"`collapse_measure` must be one of the measures that are logged and higher for a more varied set, "
            f"{rising}, got {name!r}."
        )
    return name


def _as_text(prompt: Response, tokenizer: Any) -> str:  # noqa: ANN401 - a tokenizer
    """Return a prompt as the text whose tokens the model reads."""
    if isinstance(prompt, str):
        return prompt
    text: str = maybe_apply_chat_template({"prompt": prompt}, tokenizer)["prompt"]
    if tokenizer.bos_token and tokenizer("")["input_ids"][:1] == [tokenizer.bos_token_id]:
        return text.removeprefix(tokenizer.bos_token)  # the tokenizer adds its own
    return text
