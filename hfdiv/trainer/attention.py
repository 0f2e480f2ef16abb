"""Which attention and which layer kernels this machine can run."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from hfdiv._extras import require


logger = logging.getLogger(__name__)


def resolve_attention(choice: str | None, model: str, half_precision: bool, use_cpu: bool = False) -> str | None:
    """Return the attention implementation to load `model` with.

    `"auto"` is FlashAttention 2 where it can run: on CUDA, in half precision, with the package `flash-attn` or
    `kernels` there, and a model that loads with it. If the last fails, it is PyTorch's own (`"sdpa"`) and a warning
    says why. Any other choice is returned as it is, so that one that cannot be had fails where the model is loaded.

    Args:
        choice: `"auto"`, or a name as transformers takes it, or `None` for its default.
        model: Name or folder of a causal language model.
        half_precision: Whether it computes in fp16 or bf16.
        use_cpu: Whether it runs on the CPU although there may be a GPU.

    Example:
        >>> resolve_attention("eager", "a-model", half_precision=True)
        'eager'
        >>> resolve_attention("auto", "a-model", half_precision=False)
        'sdpa'
    """
    if choice != "auto":
        return choice
    present = any(importlib.util.find_spec(package) is not None for package in ("flash_attn", "kernels"))
    if use_cpu or not torch.cuda.is_available() or not half_precision or not present:
        return "sdpa"
    try:
        _load_empty(model, "flash_attention_2")
    except (ImportError, ValueError, RuntimeError, OSError) as error:
        logger.warning("FlashAttention 2 cannot be used with %s, so attention is PyTorch's own: %s", model, error)
        return "sdpa"
    return "flash_attention_2"


def check_liger(use_liger_kernel: bool, use_cpu: bool = False) -> None:
    """Refuse Liger's layer kernels where they cannot run: they are written in Triton, which needs a GPU.

    Raises:
        ValueError: If they are asked for and there is no GPU to run them on.
        ImportError: If the package is not installed.
    """
    if not use_liger_kernel:
        return
    if use_cpu or not torch.cuda.is_available():
        raise ValueError(
            "`use_liger_kernel` needs a CUDA device, because Liger's kernels are written in Triton, and this run is "
            "on the CPU. Leave it out."
        )
    require("liger_kernel", "liger")


def _load_empty(model: str, attention: str) -> Any:  # noqa: ANN401 - a model
    """Build the model without its weights: enough for transformers to check the attention, in no time or memory."""
    config = AutoConfig.from_pretrained(model)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.bfloat16)
