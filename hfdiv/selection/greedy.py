"""Greedy selection by the nearest chosen text: MMR and max-min."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hfdiv.selection.candidates import Floats, candidates


def mmr(similarity: ArrayLike, quality: ArrayLike | None, k: int, trade_off: float = 0.5) -> list[int]:
    """Maximal marginal relevance: good texts that are unlike those already chosen.

    Takes argmax_i λ·q_i − (1 − λ)·max_{j chosen} sim(i, j), one after another; nothing is subtracted for the first
    (Carbonell and Goldstein, 1998, *The Use of MMR, Diversity-Based Reranking*). Equals go by the lowest index.

    Args:
        similarity: `(n, n)`, in [0, 1]. Where it is not symmetric, the row is the candidate. A text whose similarity
            to itself is NaN comes last.
        quality: `(n,)`, in [0, 1], so that it weighs against similarity; [`~hfdiv.selection.select`] scales it. None
            if all are equally good.
        k: How many to choose, from 1 to n.
        trade_off: λ in [0, 1]: 1 is quality alone, 0 is variety alone.

    Returns:
        k places, in the order of choice.

    Raises:
        TypeError: If `k` is not an integer.
        ValueError: If an argument is not as above.

    Example:
        >>> similarity = [[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]]
        >>> mmr(similarity, [0.9, 0.8, 0.5], k=2), mmr(similarity, [0.9, 0.8, 0.5], k=2, trade_off=1.0)
        ([0, 2], [0, 1])
    """
    if not 0.0 <= trade_off <= 1.0:
        raise ValueError(f"`trade_off` must be from 0 (variety alone) to 1 (quality alone), got {trade_off!r}.")
    given = candidates(similarity, quality, k)
    if not ((given.quality >= 0.0) & (given.quality <= 1.0)).all():
        raise ValueError(
            f"`quality` must be in [0, 1] to weigh against similarity, got values from {given.quality.min():g} to "
            f"{given.quality.max():g}. Scale it, or call `select`, which does."
        )
    nearest = np.zeros(len(given.quality))
    free = trade_off * given.quality  # minus infinity once taken
    chosen: list[int] = []
    for _ in range(given.n_choices):
        best = int(np.argmax(free - (1.0 - trade_off) * nearest))
        chosen.append(best)
        free[best] = -np.inf
        nearest = np.maximum(nearest, given.similarity[:, best])
    return given.in_order(chosen)


def max_min(similarity: ArrayLike, k: int, quality: ArrayLike | None = None) -> list[int]:
    """Farthest-point selection: each text is the one whose nearest chosen text is farthest away.

    Distance is 1 − similarity. The smallest distance among the chosen is at least half of what any k texts can have
    where distance is a metric, such as Jaccard distance of n-grams (Gonzalez, 1985, *Clustering to Minimize the
    Maximum Intercluster Distance*). The first text is the best, or without a quality the medoid: the one that all
    are most alike to. Equals go by the lowest index.

    Args:
        similarity: As in [`mmr`].
        k: How many to choose, from 1 to n.
        quality: `(n,)`, on any scale, for the first choice alone.

    Returns:
        k places, in the order of choice.

    Raises:
        TypeError: If `k` is not an integer.
        ValueError: If an argument is not as above.

    Example:
        >>> similarity = [[1.0, 0.9, 0.2], [0.9, 1.0, 0.0], [0.2, 0.0, 1.0]]
        >>> max_min(similarity, k=2), max_min(similarity, k=2, quality=[0.1, 0.2, 0.9])
        ([0, 2], [2, 1])
    """
    given = candidates(similarity, quality, k)
    first = given.similarity.sum(axis=0) if quality is None else given.quality
    score: Floats = first
    nearest = np.zeros(len(first))
    chosen: list[int] = []
    for _ in range(given.n_choices):
        best = int(np.argmax(score))
        chosen.append(best)
        nearest = np.maximum(nearest, given.similarity[:, best])
        score = 1.0 - nearest
        score[chosen] = -np.inf
    return given.in_order(chosen)
