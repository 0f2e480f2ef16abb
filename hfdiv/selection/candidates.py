"""What every way of selecting starts from: similarities and qualities, checked, and texts that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TOLERANCE = 1e-6  # how far a similarity may lie outside [0, 1] by rounding; one in float32 does


@dataclass(frozen=True)
class Candidates:
    """Texts to choose from: those that can be compared, and after them the others.

    A text whose similarity to itself is NaN is undefined, such as one too short for an n-gram. It is chosen only when
    nothing else is left, by quality.

    Attributes:
        similarity (`(m, m)`): Of the defined texts.
        quality (`(m,)`): Theirs.
        n_choices (`int`): How many of the defined texts to choose.
    """

    similarity: Floats
    quality: Floats
    n_choices: int
    _places: Ints
    _undefined: Ints

    def in_order(self, chosen: Sequence[int]) -> list[int]:
        """Return the choice among the defined texts as places among all, filled up with the best undefined ones."""
        return [int(place) for place in (*self._places[list(chosen)], *self._undefined)]


def candidates(similarity: ArrayLike, quality: ArrayLike | None, k: int) -> Candidates:
    """Check what was given, and set undefined texts aside.

    Args:
        similarity: `(n, n)`, in [0, 1], row = candidate, column = what it is compared with.
        quality: `(n,)`, finite numbers; None for none, which is the same for all.
        k: How many to choose, from 1 to n.

    Raises:
        TypeError: If `k` is not an integer.
        ValueError: If a shape does not fit, a similarity of defined texts is outside [0, 1] or undefined, a quality
            is not finite, or `k` is out of its range.
    """
    similarity = np.asarray(similarity, dtype=np.float64)
    if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1]:
        raise ValueError(f"`similarity` must be (n, n), got {similarity.shape}.")
    n = len(similarity)
    check_k(k, n)
    quality = check_quality(np.zeros(n) if quality is None else quality, n)
    defined = ~np.isnan(np.diag(similarity))
    places = np.flatnonzero(defined)
    similarity = similarity[np.ix_(places, places)]
    outside = ~((similarity >= -TOLERANCE) & (similarity <= 1.0 + TOLERANCE))  # so that NaN is outside
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ValueError(
            f"`similarity` must be in [0, 1], got {similarity[row, column]:g} for texts {places[row]} and "
            f"{places[column]}. Clip negative cosines to 0; a text that cannot be compared has NaN as its similarity "
            "to itself."
        )
    rest = by_quality(quality, np.flatnonzero(~defined))
    n_choices = min(k, len(places))
    return Candidates(similarity, quality[places], n_choices, places, rest[: k - n_choices])


def check_k(k: int, n: int) -> None:
    """Refuse a number of texts to choose that is not from 1 to `n`."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise TypeError(f"`k` must be an integer, got {type(k).__name__}.")
    if not 1 <= k <= n:
        raise ValueError(f"`k` must be from 1 to the number of texts, {n}, got {k}.")


def check_quality(quality: ArrayLike, n: int) -> Floats:
    """Return one finite quality a text, or raise ValueError."""
    values = np.asarray(quality, dtype=np.float64)
    if values.shape != (n,):
        raise ValueError(f"`quality` must hold one number a text, ({n},), got {values.shape}.")
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(
            f"`quality` must be finite, got {values[place]} for text {place}. Leave such a text out, or give it the "
            "lowest quality of all."
        )
    return values


def by_quality(quality: Floats, places: Ints) -> Ints:
    """Return `places`, the best quality first, equals in the order given."""
    ordered: Ints = places[np.argsort(-quality[places], kind="stable")]
    return ordered
