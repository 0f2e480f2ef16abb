"""Processors that penalize what continues a repeat within the text: DRY and the LZ penalty."""

from __future__ import annotations

from collections.abc import Collection

from hfdiv.generation.penalties import DryPenalty, LzPenalty, MatchPenalty
from hfdiv.generation.penalties.lz import check_lz
from hfdiv.generation.processors.rows import RowPenaltyProcessor


class DRYLogitsProcessor(RowPenaltyProcessor):
    """DRY: a token that would continue a repeat of the end of the text costs the more the longer the repeat is.

    The price of extending a repeat of L >= `allowed_length` tokens is `multiplier * base ** (L - allowed_length)`. The
    prompt is part of the text (p-e-w, 2024, https://github.com/oobabooga/text-generation-webui/pull/5677).

    Args:
        multiplier: At least 0; 0 is neutral.
        base: At least 1.
        allowed_length: Repeats shorter than this are free, at least 1.
        breakers: Tokens that no repeat contains, and that are never penalized: see
            [`~hfdiv.generation.processors.breaker_ids`].
        max_length: Longer repeats count as this long, so that the price stays a number.
        pad_token_id: What the batch is padded with on the left; `None` if it is not.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> import torch
        >>> processor = DRYLogitsProcessor(multiplier=0.5)
        >>> processor(torch.tensor([[1, 2, 3, 1, 2]]), torch.zeros(1, 5))
        tensor([[ 0.0000,  0.0000,  0.0000, -0.5000,  0.0000]])
    """

    def __init__(
        self,
        multiplier: float = 0.8,
        base: float = 1.75,
        allowed_length: int = 2,
        breakers: Collection[int] = (),
        max_length: int = 50,
        pad_token_id: int | None = None,
    ) -> None:
        super().__init__(pad_token_id)
        self.price = MatchPenalty(multiplier, base, allowed_length, max_length)
        self.breakers = frozenset(breakers)

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.price.multiplier == 0

    def new_row(self, prompt: list[int], row: int, n_rows: int, vocabulary_size: int) -> DryPenalty:
        """Return the state of a row of which nothing but the prompt is written."""
        return DryPenalty(prompt, self.price, self.breakers)


class LZPenaltyLogitsProcessor(RowPenaltyProcessor):
    """LZ penalty: a token costs what LZ77 would save on it (Ginart et al., 2025).

    The reading of the paper (https://huggingface.co/papers/2504.20131) that is built stands at
    [`~hfdiv.generation.penalties.LzPenalty`]. The prompt is part of the window.

    Args:
        strength: At least 0; 0 is neutral. The authors use 0.15 to 0.2.
        window: Tokens looked back upon, at least 1.
        buffer: Longest match, at least 1.
        pad_token_id: What the batch is padded with on the left; `None` if it is not.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> import torch
        >>> processor = LZPenaltyLogitsProcessor(strength=1.0)
        >>> processor(torch.tensor([[1, 2, 1]]), torch.zeros(1, 4))
        tensor([[ 0., -2., -1.,  0.]])
    """

    def __init__(
        self, strength: float = 0.2, window: int = 512, buffer: int = 32, pad_token_id: int | None = None
    ) -> None:
        super().__init__(pad_token_id)
        check_lz(strength, window, buffer)
        self.strength = strength
        self.window = window
        self.buffer = buffer

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.strength == 0

    def new_row(self, prompt: list[int], row: int, n_rows: int, vocabulary_size: int) -> LzPenalty:
        """Return the state of a row of which nothing but the prompt is written."""
        return LzPenalty(prompt, vocabulary_size, self.strength, self.window, self.buffer)
