"""The shape of every similarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Similarity(Protocol):
    """A function from N texts to their `(N, N)` similarities, in [0, 1], NaN where undefined."""

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the similarity of every pair of `texts`."""
        ...
