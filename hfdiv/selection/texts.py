"""Selection from texts: similarity and quality are brought to what each method takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from hfdiv.selection.candidates import Floats, candidates, check_k, check_quality
from hfdiv.selection.dpp import by_volume
from hfdiv.selection.greedy import max_min, mmr
from hfdiv.similarity import NgramSimilarity, Similarity


Method: TypeAlias = Literal["mmr", "max_min", "dpp"]


def select(
    texts: Sequence[str],
    k: int,
    method: Method = "mmr",
    similarity: Similarity | None = None,
    quality: ArrayLike | None = None,
    trade_off: float | None = None,
) -> list[int]:
    """Choose k varied texts of n, such as the replies to one prompt. Deterministic; equals go by the lowest index.

    Args:
        texts: What to choose from.
        k: How many to choose, from 1 to n.
        method: `"mmr"`, `"max_min"` or `"dpp"`: see [`~hfdiv.selection`].
        similarity: How alike two texts are. Defaults to [`~hfdiv.similarity.NgramSimilarity`], shared bigrams. A text
            that it leaves undefined is chosen only when nothing else is left.
        quality: `(n,)`, finite numbers on any scale, higher = better: rewards or log-probabilities. For `"mmr"` and
            `"dpp"` they are scaled so that the worst text has 0 and the best 1. Defaults to none: then only variety
            counts, and `"mmr"` and `"dpp"` begin with the first text.
        trade_off: From 0 (variety alone) to 1 (quality alone), 0.5 by default. For `"mmr"` it is λ. For `"dpp"` the
            best set has the largest θ·Σ r_i + (1 − θ)·log det(S), as in Chen et al. (2018): θ must be below 1.
            `"max_min"` has none.

    Returns:
        k places, in the order of choice.

    Raises:
        TypeError: If `texts` is one string, or `k` is not an integer.
        ValueError: If an argument is not as above.

    Example:
        >>> texts = ["I am so sorry about that.", "I am so sorry about this.", "Which size did you order?"]
        >>> select(texts, k=2), select(texts, k=2, quality=[-0.5, -0.4, -0.9], trade_off=0.9)
        ([0, 2], [1, 0])
    """
    if isinstance(texts, str):
        raise TypeError("`texts` must be a list of texts, got str.")
    if method not in get_args(Method):
        raise ValueError(f"`method` must be one of {list(get_args(Method))}, got {method!r}.")
    if method == "max_min" and trade_off is not None:
        raise ValueError(
            f"`max_min` has no trade-off, got trade_off={trade_off!r}: quality chooses only its first text. "
            'Use method="mmr" or "dpp".'
        )
    check_k(k, len(texts))  # before texts are compared, which may cost more
    quality = None if quality is None else check_quality(quality, len(texts))
    kernel = (NgramSimilarity() if similarity is None else similarity)(texts)
    if method == "max_min":
        return max_min(kernel, k, quality)
    trade_off = 0.5 if trade_off is None else trade_off
    scaled = None if quality is None else _from_0_to_1(quality)
    if method == "mmr":
        return mmr(kernel, scaled, k, trade_off)
    if not 0.0 <= trade_off < 1.0:
        raise ValueError(f'`trade_off` must be at least 0 and below 1 for method="dpp", got {trade_off!r}.')
    # log det(diag(q)·S·diag(q)) = Σ 2·log q_i + log det(S), so that this is the sum over 1 − θ
    given = candidates(kernel, scaled, k)
    return by_volume(given, 0.5 * trade_off / (1.0 - trade_off) * given.quality)


def _from_0_to_1(quality: Floats) -> Floats:
    least, span = quality.min(), quality.max() - quality.min()
    return (quality - least) / span if span > 0 else np.zeros_like(quality)
