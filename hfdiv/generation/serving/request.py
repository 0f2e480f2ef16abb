"""One request of a server: its text so far, and the processors that it asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
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
    from transformers import LogitsProcessor, PreTrainedTokenizerBase

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

    What XTC draws at a token depends on the seed and on the token's place alone, not on how the server came there: it
    may go over a prompt in parts, take a request up again, or do the same on several devices.

    Args:
        wish: What it asked for.
        tokenizer: The model's, of transformers.
        prompt: Token ids of the prompt.
        end_ids: Tokens that end a reply; none of them is ever penalized.
        vocabulary_size: Width of the logits.
        seed: Seed of what XTC draws.

    Attributes:
        stages: By class, the processors that it asked for, or their state.

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
        histories = [wish.history] if wish.config.history_multiplier else None
        chain = wish.config.processors(tokenizer, histories, end_ids=end_ids)
        self._processors = [processor for processor in chain if not processor.is_neutral]
        self._prompt = list(prompt)
        self._vocabulary_size = vocabulary_size
        self._seed = seed
        self._begin()

    @property
    def n_tokens(self) -> int:
        """Tokens of the text so far, prompt included."""
        return len(self._text)

    def advance(self, output: Sequence[int]) -> None:
        """Take in what has been written of the reply: all tokens, of which those that are known are passed over."""
        known = self.n_tokens - len(self._prompt)
        if len(output) < known:  # the server took tokens back
            self._begin()
            known = 0
        self.append(output[known:])

    def append(self, tokens: Sequence[int]) -> None:
        """Take in the next tokens of the reply."""
        self._text += tokens
        for state in self._rows:
            for token in tokens:
                state.append(token)

    def last(self, n: int) -> Tensor:
        """Return the last tokens, prompt included, `(1, n)` or fewer."""
        return torch.tensor([self._text[max(self.n_tokens - n, 0) :]], dtype=torch.long)

    def draws(self, probability: float) -> bool:
        """Return whether what comes with this probability comes at the next token."""
        place = self.n_tokens - len(self._prompt)
        return bool(np.random.default_rng([abs(self._seed), place]).random() < probability)

    def _begin(self) -> None:
        """Make the states of a request of which nothing but the prompt is there."""
        self._text = list(self._prompt)
        self.stages: dict[type, Any] = {}
        for processor in self._processors:
            is_row = isinstance(processor, RowPenaltyProcessor)
            state = processor.new_row(self._prompt, 0, 1, self._vocabulary_size) if is_row else processor
            self.stages[type(processor)] = state
        self._rows = [state for stage, state in self.stages.items() if issubclass(stage, RowPenaltyProcessor)]


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
            logits[row : row + 1] = _applied(processor, requests[row], logits[row : row + 1])
    return logits


def _applied(processor: LogitsProcessor, request: Request, scores: Tensor) -> Tensor:
    if isinstance(processor, XTCLogitsProcessor):
        return processor.exclude(scores, torch.tensor([request.draws(processor.probability)]))
    window = getattr(processor, "window", 0)  # top-nσ looks at no text
    result: Tensor = processor(request.last(window).to(scores.device), scores)
    return result
