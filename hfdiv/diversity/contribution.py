"""What does one text add to its set? Higher = adds more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def novelty(similarity: NDArray[np.float64], counted: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Novelty of each text: its mean distance to the other counted texts of its set. Higher = more varied.

    Σ_{j ≠ i} (1 − sim(i, j)) / (N − 1), the group form of the pairwise distance bonus: in [0, 1] for a similarity
    in [0, 1]. Pairs whose similarity is undefined are left out.

    Args:
        similarity: `(n, n)`, similarity of every pair; the diagonal is not read.
        counted: `(n,)`, which texts take part. The others are compared with nobody. Defaults to all.

    Returns:
        `(n,)`, NaN for a text that does not take part or has nobody to be compared with.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> novelty(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
        array([0.5, 0.5, 1. ])
    """
    n = len(similarity)
    counted = np.ones(n, dtype=bool) if counted is None else np.asarray(counted, dtype=bool)
    if similarity.shape != (n, n) or counted.shape != (n,):
        raise ValueError(
            f"`similarity` must be (n, n) and `counted` (n,), got {similarity.shape} and {counted.shape}."
        )
    pairs = counted[:, None] & counted[None, :] & ~np.eye(n, dtype=bool) & ~np.isnan(similarity)
    count = pairs.sum(axis=1)
    total = np.where(pairs, 1.0 - similarity, 0.0).sum(axis=1)
    values: NDArray[np.float64] = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return values
