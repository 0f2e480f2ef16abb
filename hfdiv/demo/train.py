"""The demo's training: fine-tune on given replies, then GRPO with or without a diversity term."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from hfdiv.demo.texts import Message
from hfdiv.trainer import DiverseGRPOConfig, DiverseGRPOTrainer


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerControl, TrainerState, TrainingArguments

OnStep = Callable[[int], None]


def finetune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[tuple[Message, str]],
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    on_step: OnStep,
    until: Callable[[], bool] | None = None,
) -> None:
    """Train all weights of `model`, in place, to give these replies to these messages.

    Stops after `steps`, or as soon as `until`, asked after each step, says so.
    """
    dataset = Dataset.from_dict(
        {
            "prompt": [message.prompt for message, _ in rows],
            "completion": [f" {reply}" for _, reply in rows],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            **_settings(folder, steps, seed),
            per_device_train_batch_size=batch_size,
            learning_rate=learning_rate,
            lr_scheduler_type="constant",
            max_length=None,
        )
        trainer = SFTTrainer(
            model,
            args=config,
            train_dataset=dataset,
            processing_class=tokenizer,
            callbacks=[_AfterStep(on_step, until)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def questions(messages: Sequence[Message]) -> Dataset:
    """Return customers' messages as prompts; `question` is their text without the prompt's frame."""
    return Dataset.from_dict(
        {"prompt": [message.prompt for message in messages], "question": [message.text for message in messages]}
    )


def diversify(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    rewards: Sequence[Callable[..., Any]],
    output_dir: Path,
    steps: int,
    seed: int,
    on_step: OnStep,
    **settings: Any,  # noqa: ANN401 - fields of DiverseGRPOConfig
) -> tuple[PeftModel, list[dict[str, float]]]:
    """Train a LoRA adapter by GRPO with a diversity term.

    Args:
        model: The policy to start from; it is wrapped, and its weights stay as they are.
        tokenizer: Its tokenizer.
        dataset: Prompts, with the columns that `rewards` need, such as those of [`questions`].
        rewards: Reward functions of quality.
        output_dir: Where the adapter is saved, also when training is interrupted.
        steps: Optimizer steps.
        seed: Seed of data order, adapter and sampling.
        on_step: Called after each step.
        settings: Further fields of [`~hfdiv.DiverseGRPOConfig`].

    Returns:
        The model with its adapter, and what was logged at each step.
    """
    config = DiverseGRPOConfig(**_settings(output_dir, steps, seed), **settings)
    trainer = DiverseGRPOTrainer(
        model,
        reward_funcs=list(rewards),
        args=config,
        train_dataset=dataset,
        processing_class=tokenizer,
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[_AfterStep(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    try:
        trainer.train()
    finally:
        trainer.model.save_pretrained(output_dir)  # and not save_model, which adds a pickle
    logged = [entry for entry in trainer.state.log_history if "reward" in entry]
    return trainer.model, logged


def _settings(output_dir: str | Path, steps: int, seed: int) -> dict[str, Any]:
    """What both trainers share: fp32 where there is no GPU, no checkpoints, nothing sent anywhere."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(output_dir),
        "max_steps": steps,
        "seed": seed,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


class _AfterStep(TrainerCallback):
    """Reports each optimizer step, and stops when there is reason to."""

    def __init__(self, on_step: OnStep, until: Callable[[], bool] | None = None) -> None:
        self.on_step = on_step
        self.until = until

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401 - what transformers passes
    ) -> None:
        self.on_step(state.global_step)
        if self.until is not None and self.until():
            control.should_training_stop = True
