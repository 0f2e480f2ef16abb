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
        counted: `(G,)`, who takes part in diversity: finished, scored and good enough.
        finished: `(G,)`, who ended by themselves, or all where unfinished ones count as well.
        similarity: `(G, G)`, NaN where undefined.
    """

    texts: Sequence[str]
    quality: NDArray[np.float64]
    counted: NDArray[np.bool_]
    finished: NDArray[np.bool_]
    similarity: NDArray[np.float64]

    @property
    def novelty(self) -> NDArray[np.float64]:
        """Novelty of each completion, `(G,)`: see [`~hfdiv.diversity.novelty`]. Higher = more varied."""
        return novelty(self.similarity, self.counted)


def level_of_groups(groups: Sequence[Group], measure: str, tokenizer: str) -> NDArray[np.float64]:
    """Diversity of each group over its finished completions. Higher = more varied.

    Not over those that count alone: a quality gate would leave fewer, and fewer texts look more varied.

    Args:
        groups: The groups.
        measure: `"novelty"`, its mean over the group, or `"distinct_1"` to `"distinct_4"`.
        tokenizer: Tokenizer of the n-grams.

    Returns:
        `(n_groups,)`, in [0, 1]; NaN for a group of which fewer than two completions finished.
    """
    if measure == "novelty":
        return np.array([_mean(novelty(group.similarity, group.finished)) for group in groups])
    n = int(measure.removeprefix("distinct_"))
    finished = [[text for text, ended in zip(group.texts, group.finished, strict=True) if ended] for group in groups]
    values = distinct_n(finished, n=n, tokenizer=tokenizer).values
    return np.where([len(texts) > 1 for texts in finished], values, np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan
