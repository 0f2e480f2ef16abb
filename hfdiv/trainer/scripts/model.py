"""The model that a recipe starts from."""

from __future__ import annotations

from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from trl import ModelConfig, get_quantization_config

from hfdiv.trainer.attention import resolve_attention


def model_settings(model: ModelConfig, training: Any) -> dict[str, Any]:  # noqa: ANN401 - a training config
    """Return with which keyword arguments transformers loads the model, the user's own too, but for quantization."""
    half = model.dtype in ("bfloat16", "float16") or training.bf16 or training.fp16
    attention = resolve_attention(model.attn_implementation, model.model_name_or_path, half, training.use_cpu)
    settings = {"revision": model.model_revision, "attn_implementation": attention, "dtype": model.dtype}
    return settings | (training.model_init_kwargs or {})


def load_model_and_tokenizer(model: ModelConfig, training: Any) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:  # noqa: ANN401
    """Load the model, and its tokenizer with a padding token, for a trainer that does not do so itself."""
    settings = model_settings(model, training)
    quantization = get_quantization_config(model)
    if quantization is not None:
        settings["quantization_config"] = quantization
    loaded = AutoModelForCausalLM.from_pretrained(model.model_name_or_path, **settings)
    tokenizer = AutoTokenizer.from_pretrained(model.model_name_or_path, revision=model.model_revision)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return loaded, tokenizer
