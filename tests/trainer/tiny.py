"""A tiny Llama with a word tokenizer, built from nothing: trainers run on it in seconds."""

import functools
import tempfile

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from hfdiv import DiverseGRPOConfig


WORDS = (
    "<pad> <eos> <unk> red green blue one two three four yes no please thanks order late refund now soon we".split()
)


def tiny_tokenizer():
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", padding_side="left"
    )


@functools.cache
def tiny_model_folder():
    """The tiny model saved: TRL loads the reference model (beta > 0) from the folder that the policy came from."""
    folder = tempfile.mkdtemp(prefix="tiny-llama-")
    _new_model().save_pretrained(folder)
    return folder


def tiny_model():
    return LlamaForCausalLM.from_pretrained(tiny_model_folder())


def _new_model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def prompts(n=8):
    return Dataset.from_dict({"prompt": [f"order {color} late" for color in ("red", "green", "blue", "one") * n][:n]})


def wants_thanks(completions, **_):
    """A quality reward that differs from completion to completion."""
    return [completion.count("thanks") - 0.1 * len(completion.split()) for completion in completions]


def settings(config_class=DiverseGRPOConfig, output_dir=None, **overrides):
    values = {
        "output_dir": output_dir or tempfile.mkdtemp(),
        "per_device_train_batch_size": 8,
        "num_generations": 4,
        "max_completion_length": 6,
        "max_steps": 3,
        "learning_rate": 1e-2,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "disable_tqdm": True,
        "seed": 7,
    }
    return config_class(**{**values, **overrides})
