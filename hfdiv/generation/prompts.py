"""Prompts, as strings or chat messages, as the token ids that a model is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfdiv._extras import require
from hfdiv.text import Response, is_chat, response_text


if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


def prompt_ids(prompt: Response, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the token ids of a prompt: of a string as it is, of chat messages by the tokenizer's chat template.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is empty, if its last message is the assistant's, or if the tokenizer has no chat template or
            one that does not take it.
    """
    if isinstance(prompt, str):
        ids: list[int] = tokenizer(prompt)["input_ids"]
    elif is_chat(prompt):
        if prompt[-1]["role"] == "assistant":
            raise ValueError("its last message is the assistant's, so that there is nothing to reply to.")
        if tokenizer.chat_template is None:
            raise ValueError("it is chat messages, and the model's tokenizer has no chat template: give a string.")
        try:
            text = tokenizer.apply_chat_template(list(prompt), add_generation_prompt=True, tokenize=False)
        except require("jinja2", "generation").TemplateError as error:
            raise ValueError(f"the model's chat template refuses it ({error}).") from error
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    else:
        raise TypeError(f"it must be a string or a list of chat messages, got {type(prompt).__name__} {prompt!r:.60}.")
    if not ids:
        raise ValueError("it is empty, and a model needs a token to go on from.")
    return ids


def earlier_replies(prompt: Response) -> list[str]:
    """Return what the assistant said in the messages of a prompt; a string holds none.

    Example:
        >>> earlier_replies([{"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Hi"}])
        ['Hello']
    """
    if isinstance(prompt, str):
        return []
    return [response_text([message]) for message in prompt if message["role"] == "assistant"]


def left_padded(rows: Sequence[Sequence[int]], pad: int) -> dict[str, Tensor]:
    """Return rows of ids as `input_ids` and `attention_mask`, each `(rows, longest)`."""
    torch = require("torch", "generation")
    width = max(map(len, rows))
    return {
        "input_ids": torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows]),
        "attention_mask": torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows]),
    }
