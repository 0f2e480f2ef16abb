"""Is a difference real? Means over prompts, before and after, with intervals from a paired bootstrap."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hfdiv._extras import require


Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Share of intervals that should hold the true value."""

N_RESAMPLES = 2000
"""Draws of the bootstrap: enough that the ends of an interval move by a few percent of its width with the seed."""

_ROUNDING = 1e-12  # differences below this share of the values are what summation leaves behind, not a change
_CELLS = 4_000_000  # resampled values held at once


@dataclass(frozen=True)
class Estimate:
    """A value and its interval.

    Attributes:
        value (`float`): The observed value; NaN where undefined.
        low (`float`): Lower end of the interval; NaN where there is none.
        high (`float`): Upper end.

    Example:
        >>> Estimate(0.4, 0.1, 0.7).excludes_zero, Estimate(0.4).excludes_zero
        (True, False)
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval and 0 lies outside it."""
        return math.isfinite(self.low) and math.isfinite(self.high) and (self.low > 0 or self.high < 0)

    def to_dict(self) -> dict[str, float | None]:
        """Return value, low and high, with `None` for what is undefined, ready for JSON.

        Example:
            >>> Estimate(0.5).to_dict()
            {'value': 0.5, 'low': None, 'high': None}
        """
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


@dataclass(frozen=True)
class PairedEstimate:
    """Before, after and their difference, over the same prompts.

    Attributes:
        before (`Estimate`): Mean before.
        after (`Estimate`): Mean after.
        difference (`Estimate`): After − before.
        n_counted (`int`): Prompts defined on both sides: what the means are over.
    """

    before: Estimate
    after: Estimate
    difference: Estimate
    n_counted: int


def paired_bootstrap(
    before: ArrayLike,
    after: ArrayLike,
    *,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> PairedEstimate:
    """Estimate the mean over prompts before, after, and of the difference, with percentile bootstrap intervals.

    Each resample draws prompts with replacement and takes both values of every prompt drawn, so what makes a prompt
    easy or hard cancels in the difference. The percentiles are those of the expanded percentile interval
    (*What Teachers Should Know About the Bootstrap*, Hesterberg, 2015, https://huggingface.co/papers/1411.5279),
    since plain ones are too narrow for few prompts: over 16 prompts and at a nominal 95%, plain ones held the truth in
    90 to 92% of simulated comparisons, these in 91 to 96%.

    Args:
        before: `(n_prompts,)`, NaN where undefined.
        after: `(n_prompts,)`, the same prompts in the same order.
        n_resamples: Draws, at least 1.
        confidence: Share of intervals that should hold the true value, in (0, 1).
        seed: Seed of the draws.

    Returns:
        Estimates over the prompts that are defined on both sides. With fewer than two, there is no interval.

    Raises:
        ValueError: If the two do not fit together, or an argument is out of its range.
        ImportError: If scipy is not installed.

    Example:
        >>> estimate = paired_bootstrap([0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.5, np.nan])
        >>> round(estimate.before.value, 3), round(estimate.difference.value, 3), estimate.n_counted
        (0.2, 0.2, 3)
    """
    check_bootstrap(n_resamples, confidence)
    # Columns near the largest number overflow; what cannot be computed comes out as no interval.
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = _paired(before, after)
        n = samples.shape[1]
        means = samples.mean(axis=-1) if n else np.full(3, math.nan)
        low, high = np.full((2, 3), math.nan)
        if n >= 2:
            low, high = _intervals(samples, n_resamples, confidence, seed)
    left, right, difference = (Estimate(*map(float, numbers)) for numbers in zip(means, low, high, strict=True))
    return PairedEstimate(left, right, difference, n_counted=n)


def check_bootstrap(n_resamples: int, confidence: float = CONFIDENCE) -> None:
    """Refuse settings that no bootstrap can work with.

    Raises:
        ValueError: If `n_resamples` is not a positive integer or `confidence` is not between 0 and 1.
    """
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, (int, np.integer)) or n_resamples < 1:
        raise ValueError(f"`n_resamples` must be an integer of at least 1 (2000 is usual), got {n_resamples!r}.")
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence` must be between 0 and 1, as in 0.95, got {confidence!r}.")


def _paired(before: ArrayLike, after: ArrayLike) -> Floats:
    """Before, after and difference of the prompts that both sides define, `(3, n)`."""
    left, right = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if left.ndim != 1 or left.shape != right.shape:
        raise ValueError(
            f"`before` and `after` must hold one number for each of the same prompts, got shapes {left.shape} and "
            f"{right.shape}."
        )
    defined = np.isfinite(left) & np.isfinite(right)
    left, right = left[defined], right[defined]
    difference = right - left
    difference[np.abs(difference) <= _ROUNDING * np.maximum(np.abs(left), np.abs(right))] = 0.0
    return np.stack([left, right, difference])


def _intervals(samples: Floats, n_resamples: int, confidence: float, seed: int) -> tuple[Floats, Floats]:
    stats = require("scipy.stats", "report")

    def means(*rows: Floats, axis: int) -> Floats:
        return np.stack([row.mean(axis=axis) for row in rows])

    result = stats.bootstrap(
        tuple(samples),
        means,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=n_resamples,
        confidence_level=_expanded(confidence, samples.shape[1], stats),
        batch=max(1, _CELLS // samples.shape[1]),
        rng=np.random.default_rng(seed),
    )
    return result.confidence_interval.low, result.confidence_interval.high


def _expanded(confidence: float, n: int, stats: Any) -> float:  # noqa: ANN401 - a module loaded on use
    """The confidence at which percentiles over `n` prompts are as wide as a t interval."""
    t = stats.t.ppf((1 + confidence) / 2, n - 1)
    return 1 - 2 * float(stats.norm.cdf(-math.sqrt(n / (n - 1)) * t))
