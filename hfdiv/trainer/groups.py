"""One prompt's completions, with what an objective needs to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hfdiv.diversity import distinct_n, novelty


@dataclass(frozen=True, eq=False)
class Group:
    """A group of G completions.

    Attributes:
        texts: `(G,)`.
        quality: `(G,)`, weighted sum of the user's rewards, NaN for a completion without any.
        counted: `(G,)`, who takes part in diversity.
        similarity: `(G, G)`, NaN where undefined.
    """

    texts: Sequence[str]
    quality: NDArray[np.float64]
    counted: NDArray[np.bool_]
    similarity: NDArray[np.float64]

    @property
    def novelty(self) -> NDArray[np.float64]:
        """Novelty of each completion, `(G,)`: see [`~hfdiv.diversity.novelty`]. Higher = more varied."""
        return novelty(self.similarity, self.counted)

    @property
    def counted_texts(self) -> list[str]:
        """The texts that take part."""
        return [text for text, counts in zip(self.texts, self.counted, strict=True) if counts]


def level_of_groups(groups: Sequence[Group], measure: str, tokenizer: str) -> NDArray[np.float64]:
    """Diversity of each group over the completions that count. Higher = more varied.

    Args:
        groups: The groups.
        measure: `"novelty"`, its mean over the group, or `"distinct_1"` to `"distinct_4"`.
        tokenizer: Tokenizer of the n-grams.

    Returns:
        `(n_groups,)`, in [0, 1]; NaN for a group of which fewer than two completions count.
    """
    if measure == "novelty":
        return np.array([_mean(group.novelty) for group in groups])
    n = int(measure.removeprefix("distinct_"))
    values = distinct_n([group.counted_texts for group in groups], n=n, tokenizer=tokenizer).values
    several = np.array([group.counted.sum() > 1 for group in groups])
    return np.where(several, values, np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan
