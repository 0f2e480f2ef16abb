"""Replies written under a decoding configuration, with their log-probability under the plain model, for benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, LogitsProcessor, LogitsProcessorList, PreTrainedModel, PreTrainedTokenizerBase

from hfdiv.generation import DecodingConfig


@dataclass(frozen=True)
class Written:
    """One reply.

    Attributes:
        text (`str`): Without special tokens.
        ids (`list[int]`): Its tokens; the end of the reply is one of them.
        logprob (`float`): Mean log-probability of a token in nats under the plain model: temperature 1, no processors.
        finished (`bool`): Whether it ended by itself.
    """

    text: str
    ids: list[int]
    logprob: float
    finished: bool


class PlainLogProbability(LogitsProcessor):
    """Stands first and notes what the plain model thinks of each token: it sees the logits before anything else does.

    That is what a forward pass over the finished text would give, at no cost of its own.
    """

    def __init__(self) -> None:
        self._last: Tensor | None = None
        self.columns: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Note the token that was chosen last, and return the scores as they are."""
        self.note(input_ids[:, -1])
        self._last = scores.float().log_softmax(dim=-1)
        return scores

    def note(self, tokens: Tensor) -> None:
        """Note the log-probability of the tokens that were chosen from the last scores."""
        if self._last is not None:
            self.columns.append(self._last.gather(1, tokens[:, None])[:, 0])


@torch.inference_mode()
def write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    config: DecodingConfig,
    processors: Sequence[LogitsProcessor] = (),
    seed: int | None = None,
) -> list[list[Written]]:
    """Return `config.num_return_sequences` replies to each prompt, all written in one batch.

    Prompts hold their special tokens. They are read once, and not once for each of their replies. `processors` run
    before those of the configuration.
    """
    n = config.num_return_sequences
    inputs = tokenizer(list(prompts), return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False)
    inputs = inputs.to(model.device)
    kwargs: dict[str, Any] = config.generate_kwargs(model, tokenizer)
    notes = PlainLogProbability()
    kwargs["logits_processor"] = LogitsProcessorList([notes, *processors, *kwargs.get("logits_processor", [])])
    if not config.contrastive_search:
        kwargs["past_key_values"] = _read(model, inputs, n)
    torch.manual_seed(config.seed if seed is None else seed)
    output = model.generate(**inputs, **kwargs)
    notes.note(output[:, -1])
    width = inputs["input_ids"].shape[1]
    logprobs = torch.stack(notes.columns, dim=1)
    ends = torch.tensor([tokenizer.eos_token_id])
    output, logprobs = output.cpu(), logprobs.cpu()
    rows = [_written(tokenizer, *row, ends) for row in zip(output[:, width:], logprobs, strict=True)]
    return [rows[first : first + n] for first in range(0, len(rows), n)]


def _read(model: PreTrainedModel, inputs: Any, n: int) -> DynamicCache:  # noqa: ANN401 - a BatchEncoding
    """Return the cache of all prompts but their last token, n times each."""
    cache = DynamicCache()
    mask = inputs["attention_mask"]
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
    model(
        input_ids=inputs["input_ids"][:, :-1],
        attention_mask=mask[:, :-1],
        position_ids=positions[:, :-1],
        past_key_values=cache,
        logits_to_keep=1,
    )
    cache.batch_repeat_interleave(n)
    return cache


def _written(tokenizer: PreTrainedTokenizerBase, ids: Tensor, logprobs: Tensor, ends: Tensor) -> Written:
    end = torch.isin(ids, ends).nonzero()
    length = int(end[0]) + 1 if len(end) else len(ids)
    text = tokenizer.decode(ids[:length], skip_special_tokens=True).strip()
    return Written(text, ids[:length].tolist(), float(logprobs[:length].mean()), bool(len(end)))
