"""Processors that take tokens out of the draw: XTC and top-n-sigma."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor
from transformers import LogitsProcessor

from hfdiv.generation.penalties import exclude_top_choices, top_n_sigma


class XTCLogitsProcessor(LogitsProcessor):
    """XTC: now and then, remove all likely tokens but the least likely of them.

    At each step each row draws once: with `probability`, all tokens with probability >= `threshold` go except the
    least likely one. A row where a protected token would go keeps everything (p-e-w, 2024,
    https://github.com/oobabooga/text-generation-webui/pull/6335).

    transformers runs a user's processors before temperature, top-k and top-p, so the threshold is on the model's
    probabilities at temperature 1, after the penalties that stand before this one; llama.cpp's order is the same.

    Args:
        probability: In [0, 1]; 0 is neutral.
        threshold: In (0, 1]; above 0.5 nothing ever goes, since two tokens would have to reach it.
        protected: Tokens that must not go: a newline, and those that end a reply.
        seed: Seed of the draws, which go on from one `generate` to the next.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
        >>> XTCLogitsProcessor(probability=1.0)(torch.tensor([[0]]), scores).exp()
        tensor([[0.0000, 0.0000, 0.1500, 0.0500]])
    """

    supports_continuous_batching = False

    def __init__(
        self, probability: float = 0.5, threshold: float = 0.1, protected: Collection[int] = (), seed: int = 0
    ) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"`probability` must be from 0 to 1, got {probability}.")
        if not 0 < threshold <= 1:
            raise ValueError(f"`threshold` must be above 0 and at most 1, got {threshold}.")
        self.probability = probability
        self.threshold = threshold
        self.protected = sorted(set(protected))
        self._generator = torch.Generator().manual_seed(seed)

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.probability == 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores with the excluded tokens at minus infinity; the same tensor if no row's draw says so."""
        if self.is_neutral:
            return scores
        return self.exclude(scores, torch.rand(len(scores), generator=self._generator) < self.probability)

    def exclude(self, scores: Tensor, rows: Tensor) -> Tensor:
        """Return the scores with the excluded tokens of the given rows, `(rows,)`, at minus infinity."""
        if not rows.any():
            return scores
        return exclude_top_choices(scores, rows.to(scores.device), self.threshold, self.protected)


class TopNSigmaLogitsProcessor(LogitsProcessor):
    """Top-nσ: only tokens whose logit is within `n` standard deviations of the largest stay in the draw.

    The set does not depend on the temperature, so that it does not matter that transformers applies that later
    (*Top-nσ*, Tang et al., 2024, https://huggingface.co/papers/2411.07641).

    Args:
        n: > 0; 1 in the paper, infinity is neutral.

    Raises:
        ValueError: If `n` is out of its range.

    Example:
        >>> TopNSigmaLogitsProcessor(1.0)(torch.tensor([[0]]), torch.tensor([[4.0, 3.0, 0.0, 1.0]]))
        tensor([[4., 3., -inf, -inf]])
    """

    supports_continuous_batching = False

    def __init__(self, n: float = 1.0) -> None:
        if not n > 0:
            raise ValueError(f"`n` must be above 0, got {n}.")
        self.n = n

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.n == float("inf")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores with the unlikely tokens at minus infinity."""
        return scores if self.is_neutral else top_n_sigma(scores, self.n)
