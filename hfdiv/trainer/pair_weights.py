"""Weights of preference pairs, as arithmetic: from how far a reply deviates, and from how much it repeats."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


TIE = 1e-6
"""Deviations in [0, 1] that differ by less are the same: an encoder's rounding must not become a weight."""


def check_pair_weights(weights: ArrayLike, source: str) -> NDArray[np.float64]:
    """Return the weights as an array, `(n,)`, or say which is no weight.

    Args:
        weights: One a pair.
        source: Where they come from, for the message.

    Raises:
        TypeError: If they are no numbers.
        ValueError: If one is negative, NaN or infinite.

    Example:
        >>> check_pair_weights([1, 0.5], "`weight`")
        array([1. , 0.5])
    """
    try:
        values = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"The pair weights of {source} must be numbers, got {weights!r:.80}.") from None
    if values.ndim != 1:
        raise TypeError(f"{source} must have one pair weight a row, got values of shape {values.shape[1:]}.")
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        raise ValueError(
            f"A pair weight must be a finite number of at least 0, got {values[wrong[0]]} in row {wrong[0]} of "
            f"{source}."
        )
    return values


def deviation_weights(deviations: ArrayLike, prompts: Sequence[Hashable]) -> NDArray[np.float64]:
    """Weight of each reply by how far it deviates from the others to its prompt, in [0, n]. Higher = deviates more.

    Within each prompt, and for each encoder, the deviations are spread over [−1, 1] by minimum and maximum (0 where
    all are the same). Over encoders the geometric mean is taken in [0, 1] and put back on [−1, 1]; of these s_i the
    weight is (1 + s_i) / mean(1 + s), so that the mean over a prompt's replies is 1 (DDPO and DORPO: *Modifying Large
    Language Model Post-Training for Diverse Creative Writing*, Chung et al., 2025,
    https://huggingface.co/papers/2503.17126).

    The weight is 1 for the only reply to a prompt, where all of a prompt's s_i are the same, and for a reply whose
    deviation is NaN, which does not enter its prompt's mean.

    Args:
        deviations: `(n,)`, or `(encoders, n)`; mean distance of a reply to the others to its prompt.
        prompts: `(n,)`, what the replies answer.

    Returns:
        `(n,)`.

    Raises:
        ValueError: If the shapes do not fit, or a deviation is infinite or no number.

    Example:
        >>> deviation_weights([0.2, 0.4, 0.6, 0.3], ["a", "a", "a", "b"])
        array([0., 1., 2., 1.])
    """
    values = np.atleast_2d(np.asarray(deviations, dtype=np.float64))
    if values.ndim != 2 or values.shape[1] != len(prompts) or not len(values):
        raise ValueError(
            f"`deviations` must be (n,) or (encoders, n) for n = {len(prompts)} prompts, got {np.shape(deviations)}."
        )
    if np.isinf(values).any():
        raise ValueError("`deviations` must not be infinite. Use NaN for one that is undefined.")
    rows_of: dict[Hashable, list[int]] = {}
    for row, prompt in enumerate(prompts):
        rows_of.setdefault(prompt, []).append(row)
    weights = np.ones(len(prompts))
    for rows in rows_of.values():
        weights[rows] = _of_one_prompt(values[:, rows])
    return weights


def _of_one_prompt(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.ones(deviations.shape[1])
    defined = ~np.isnan(deviations).any(axis=0)
    if not defined.any():
        return weights
    low = deviations[:, defined].min(axis=1, keepdims=True)
    span = deviations[:, defined].max(axis=1, keepdims=True) - low
    tied = span < TIE
    halves = np.where(tied, 0.5, (deviations[:, defined] - low) / np.where(tied, 1.0, span))  # (1 + s) / 2 of each
    half = np.prod(halves, axis=0) ** (1 / len(halves))
    if np.ptp(half) > TIE:
        weights[defined] = half / half.mean()
    return weights


def history_weights(similarity: ArrayLike, threshold: float = 0.8) -> NDArray[np.float64]:
    """Weight of each pair by how much its chosen reply repeats the conversation, in [0, 1]. Higher = repeats less.

    1 up to the threshold t, then falling evenly to 0 for a reply that was given before: 1 − max(0, s − t) / (1 − t).
    1 for a pair without history.

    Args:
        similarity: `(n,)`, of the chosen reply to the nearest earlier one, in [0, 1]; NaN without history.
        threshold: t, in [0, 1).

    Returns:
        `(n,)`.

    Raises:
        ValueError: If the threshold is out of its range.

    Example:
        >>> history_weights([0.3, 0.8, 0.9, 1.0, np.nan])
        array([1. , 1. , 0.5, 0. , 1. ])
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"`threshold` must be at least 0 and below 1, got {threshold!r}.")
    above = np.maximum(np.asarray(similarity, dtype=np.float64) - threshold, 0.0)
    weights: NDArray[np.float64] = np.clip(1.0 - np.nan_to_num(above) / (1.0 - threshold), 0.0, 1.0)
    return weights
