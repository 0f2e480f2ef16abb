"""One request of a server: its text so far, and the processors that it asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hfdiv.generation.penalties import subtract_
from hfdiv.generation.processors import (
    DRYLogitsProcessor,
    HistoryPenaltyLogitsProcessor,
    LZPenaltyLogitsProcessor,
    TopNSigmaLogitsProcessor,
    WindowedRepetitionPenaltyLogitsProcessor,
    XTCLogitsProcessor,
)
from hfdiv.generation.processors.rows import RowPenaltyProcessor
from hfdiv.generation.serving.parameters import Wish


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

STAGES: tuple[Any, ...] = (
    WindowedRepetitionPenaltyLogitsProcessor,
    DRYLogitsProcessor,
    LZPenaltyLogitsProcessor,
    HistoryPenaltyLogitsProcessor,
    TopNSigmaLogitsProcessor,
    XTCLogitsProcessor,
)
"""The processors of a request, in the order of [`~hfdiv.generation.DecodingConfig.processors`]."""


class Request:
    """A request's text, and a state for each processor that it asked for: the same as in `model.generate`.

    Args:
        wish: What it asked for.
        tokenizer: The model's, of transformers.
        prompt: Token ids of the prompt.
        end_ids: Tokens that end a reply; none of them is ever penalized.
        vocabulary_size: Width of the logits.
        seed: Seed of what XTC draws.

    Raises:
        ValueError: If the tokenizer has neither a padding nor an end token.
    """

    def __init__(
        self,
        wish: Wish,
        tokenizer: PreTrainedTokenizerBase,
        prompt: Sequence[int],
        end_ids: Collection[int],
        vocabulary_size: int,
        seed: int,
    ) -> None:
        config = replace(wish.config, seed=seed)
        histories = [wish.history] if config.history_multiplier else None
        self.stages: dict[type, Any] = {}
        for processor in config.processors(tokenizer, histories, end_ids=end_ids):
            if not processor.is_neutral:
                is_row = isinstance(processor, RowPenaltyProcessor)
                state = processor.new_row(list(prompt), 0, 1, vocabulary_size) if is_row else processor
                self.stages[type(processor)] = state
        self._rows = [state for stage, state in self.stages.items() if issubclass(stage, RowPenaltyProcessor)]
        self._text = list(prompt)
        self._n_prompt = len(self._text)

    @property
    def n_tokens(self) -> int:
        """Tokens of the text so far, prompt included."""
        return len(self._text)

    def advance(self, output: Sequence[int]) -> None:
        """Take in what has been written of the reply: all tokens, of which those that are known are passed over."""
        self.append(output[self.n_tokens - self._n_prompt :])

    def append(self, tokens: Sequence[int]) -> None:
        """Take in the next tokens of the reply."""
        self._text += tokens
        for state in self._rows:
            for token in tokens:
                state.append(token)

    def last(self, n: int) -> Tensor:
        """Return the last tokens, prompt included, `(1, n)` or fewer."""
        return torch.tensor([self._text[max(self.n_tokens - n, 0) :]], dtype=torch.long)


def penalize(logits: Tensor, requests: Mapping[int, Request]) -> Tensor:
    """Apply the requests' processors to their rows of `logits`, in place, and return it.

    Args:
        logits: Float32, `(rows, vocabulary)`.
        requests: By row. Rows without one are left as they are.
    """
    for stage in STAGES:
        states = {row: request.stages[stage] for row, request in requests.items() if stage in request.stages}
        if not states:
            continue
        if issubclass(stage, RowPenaltyProcessor):
            subtract_(logits, {row: state.penalties() for row, state in states.items()})
            continue
        for row, processor in states.items():
            ids = requests[row].last(getattr(processor, "window", 0)).to(logits.device)
            logits[row : row + 1] = processor(ids, logits[row : row + 1])
    return logits
