"""Selection by a determinantal point process: the set whose texts span the largest volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hfdiv.selection.candidates import TOLERANCE, Candidates, Floats, by_quality, candidates


_SPENT = 1e-10  # a text of which a smaller share is new lies in the span of the chosen ones, but for rounding
_NEGATIVE = 1e-5  # a new share this far below 0 is not rounding, even of a kernel in float32


def greedy_dpp(similarity: ArrayLike, quality: ArrayLike | None, k: int) -> list[int]:
    """Greedy MAP of a DPP: each text is the one that enlarges det(L) of the chosen most, L = diag(q)·S·diag(q).

    An incremental Cholesky factor gives every candidate's gain, so that k choices cost O(n·k²) (*Fast Greedy MAP
    Inference for Determinantal Point Process*, Chen et al., 2018, https://huggingface.co/papers/1709.05135). Once
    nothing adds volume, because all that is left repeats the chosen texts or has quality 0, the rest follows by
    quality. Equals go by the lowest index.

    Args:
        similarity: `(n, n)`, in [0, 1], symmetric, positive semi-definite, 1 on the diagonal. A text whose similarity
            to itself is NaN comes last.
        quality: `(n,)`, at least 0; only ratios count, and they count squared. None if all are equally good.
        k: How many to choose, from 1 to n.

    Returns:
        k places, in the order of choice.

    Raises:
        TypeError: If `k` is not an integer.
        ValueError: If an argument is not as above.

    Example:
        >>> similarity = [[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]]
        >>> greedy_dpp(similarity, [0.9, 0.8, 0.5], k=2), greedy_dpp(similarity, [0.9, 0.8, 0.3], k=2)
        ([0, 2], [0, 1])
    """
    given = candidates(similarity, np.ones(len(np.asarray(similarity))) if quality is None else quality, k)
    if (given.quality < 0.0).any():
        raise ValueError(
            f"`quality` must be at least 0, got {given.quality.min():g}. Give exp(quality) where it is a "
            "log-probability, or call `select`, which takes any scale."
        )
    with np.errstate(divide="ignore"):
        return by_volume(given, np.log(given.quality))


def by_volume(given: Candidates, log_quality: Floats) -> list[int]:
    """[`greedy_dpp`] with the logarithm of quality, which may be minus infinity, for each defined text."""
    _check_kernel(given.similarity)
    # The factor of S, not of L: a text of little quality must not look like one that adds nothing.
    factor = np.zeros((given.n_choices, len(log_quality)))
    new = np.ones(len(log_quality))
    chosen: list[int] = []
    for step in range(given.n_choices):
        gain = 2.0 * log_quality + np.log(new, out=np.full_like(new, -np.inf), where=new > _SPENT)
        best = int(np.argmax(gain))
        if gain[best] == -np.inf:
            break
        chosen.append(best)
        covered = factor[:step].T @ factor[:step, best]
        factor[step] = (given.similarity[best] - covered) / np.sqrt(new[best])
        new = new - factor[step] ** 2
        if new.min() < -_NEGATIVE:
            raise ValueError(
                "The similarity is not positive semi-definite. Use one that is, such as the cosine of embeddings or "
                "the Jaccard similarity of n-grams, or `mmr` or `max_min`, which need no such thing."
            )
        new[chosen] = 0.0
    left = np.setdiff1d(np.arange(len(log_quality)), chosen)
    chosen += [int(place) for place in by_quality(log_quality, left)[: given.n_choices - len(chosen)]]
    return given.in_order(chosen)


def _check_kernel(similarity: Floats) -> None:
    """Refuse similarities that cannot be a kernel."""
    gap = float(np.abs(similarity - similarity.T).max(initial=0.0))
    if gap > TOLERANCE:
        raise ValueError(f"`similarity` must be symmetric for a DPP, but two directions differ by {gap:.3g}.")
    own = np.diag(similarity)
    if (np.abs(own - 1.0) > TOLERANCE).any():
        raise ValueError(f"The similarity of a text to itself must be 1 for a DPP, got {own.min():g}.")
