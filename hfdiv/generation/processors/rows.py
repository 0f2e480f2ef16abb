"""Processors whose penalties are each row's own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from torch import Tensor
from transformers import LogitsProcessor

from hfdiv.generation.penalties import Penalties, subtract
from hfdiv.generation.processors.progress import Progress, Step


class RowPenalty(Protocol):
    """One row's state: generated tokens go in, penalties for the next one come out."""

    def append(self, token: int) -> None:
        """Add a token."""
        ...

    def penalties(self) -> Penalties:
        """Return the penalties for the next token."""
        ...


class RowPenaltyProcessor(LogitsProcessor):
    """Keeps one [`RowPenalty`] a row in step with the token ids, and takes their penalties off the scores.

    Works with beam search and assisted decoding: rows that were moved or cut are built again.

    Args:
        pad_token_id: What the batch is padded with on the left; `None` if it is not.
    """

    supports_continuous_batching = False

    def __init__(self, pad_token_id: int | None = None) -> None:
        self._progress = Progress(pad_token_id)
        self._rows: list[RowPenalty] = []

    @property
    @abstractmethod
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""

    @abstractmethod
    def new_row(self, prompt: list[int], row: int, n_rows: int, vocabulary_size: int) -> RowPenalty:
        """Return the state of a row of which nothing but the prompt is written."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores less the penalties: the same tensor where nothing is charged, else a new one."""
        if self.is_neutral:
            return scores
        if self._progress.observe(input_ids) is Step.GROW:
            for state, token in zip(self._rows, input_ids[:, -1].tolist(), strict=True):
                state.append(token)
        else:
            self._rows = self._build(input_ids, scores.shape[-1])
        return subtract(scores, [row.penalties() for row in self._rows])

    def _build(self, input_ids: Tensor, vocabulary_size: int) -> list[RowPenalty]:
        width = self._progress.prompt_width
        rows = []
        replies = input_ids[:, width:].tolist()
        for row, prompt in enumerate(self._progress.text(input_ids[:, :width])):
            state = self.new_row(prompt, row, len(input_ids), vocabulary_size)
            for token in replies[row]:
                state.append(token)
            rows.append(state)
        return rows
