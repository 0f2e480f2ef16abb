"""Tokens that end or fill up a reply, and those that stand for no text."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def special_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return the ids of all special tokens: also those without a role of their own, such as a second end of turn."""
    added = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(added | set(tokenizer.all_special_ids))


def end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return the tokens that end a reply: the model's generation config's, and the tokenizer's."""
    declared = model.generation_config.eos_token_id
    ids = declared if isinstance(declared, list) else [declared]
    return frozenset(i for i in (*ids, tokenizer.eos_token_id) if i is not None)


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return what batches are padded with: the tokenizer's padding, or else its end of text.

    Raises:
        ValueError: If it has neither.
    """
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    if pad is None:
        raise ValueError("The tokenizer has neither a `pad_token` nor an `eos_token`: set `tokenizer.pad_token`.")
    return int(pad)
