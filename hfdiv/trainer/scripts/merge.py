"""A LoRA adapter merged into its model, so that the next stage of training can start from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers.utils import ADAPTER_CONFIG_NAME
from trl import ModelConfig


MERGED = "merged"
"""Folder in the output folder with the merged model."""


def check_mergeable(wanted: bool, model: ModelConfig) -> None:
    """Refuse an adapter as the model to start from, and merging where it cannot be done.

    Raises:
        ValueError: If so.
    """
    if Path(model.model_name_or_path or "", ADAPTER_CONFIG_NAME).is_file():
        raise ValueError(
            f"{model.model_name_or_path} is a LoRA adapter, and training starts from a whole model: train it with "
            f"`merge_adapter: true` and give {Path(model.model_name_or_path, MERGED)}."
        )
    if wanted and not model.use_peft:
        raise ValueError("`merge_adapter` needs `use_peft: true`: without an adapter the model is saved whole anyway.")
    if wanted and (model.load_in_4bit or model.load_in_8bit):
        raise ValueError(
            "`merge_adapter` is not for a quantized model, whose weights would be rounded to merge: load the model "
            "in 16 bits, put the adapter on it, and merge with `merge_and_unload`."
        )


def save_merged(trainer: Any) -> str:  # noqa: ANN401 - any trainer
    """Save the trainer's model with its adapter merged, and its tokenizer. Return the folder.

    Must be called last: the trainer's model is the merged one afterwards.

    Raises:
        NotImplementedError: If the model is sharded over processes.
    """
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        raise NotImplementedError(
            "`merge_adapter` does not merge a model that is sharded by FSDP or DeepSpeed. The adapter is saved: load "
            "it with peft's AutoPeftModelForCausalLM and merge it with `merge_and_unload`."
        )
    folder = Path(trainer.args.output_dir, MERGED)
    if trainer.is_world_process_zero():
        merged = trainer.accelerator.unwrap_model(trainer.model).merge_and_unload()
        merged.save_pretrained(folder)
        trainer.processing_class.save_pretrained(folder)
    trainer.accelerator.wait_for_everyone()
    return str(folder)
