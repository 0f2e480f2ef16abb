"""Similarity by shared n-grams. Higher = more alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hfdiv.ngrams import Corpus
from hfdiv.text import Tokenizer


@dataclass(frozen=True)
class NgramSimilarity:
    """Jaccard similarity of two texts' sets of n-grams: shared / all, in [0, 1]. Higher = more alike, symmetric.

    Args:
        n: N-gram order, at least 1. A text shorter than that is undefined.
        tokenizer: Name of a tokenizer or a [`~hfdiv.text.Tokenizer`].

    Example:
        >>> NgramSimilarity(n=1)(["red apple", "red pear", ""]).round(2)
        array([[1.  , 0.33,  nan],
               [0.33, 1.  ,  nan],
               [ nan,  nan,  nan]])
    """

    n: int = 2
    tokenizer: str | Tokenizer = "mixed"

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the `(N, N)` similarities of `texts`; rows and columns of texts shorter than `n` are NaN."""
        corpus = Corpus(texts, self.tokenizer)
        grams, text = corpus.ngrams(self.n)
        _, gram = np.unique(grams.values, return_inverse=True)
        present = np.zeros((corpus.n_texts, int(gram.max(initial=-1)) + 1))
        present[text, gram] = 1.0
        shared = present @ present.T
        size = np.diag(shared)
        union = size[:, None] + size[None, :] - shared
        defined = (size[:, None] > 0) & (size[None, :] > 0)
        np.divide(shared, union, out=shared, where=defined)
        return np.where(defined, shared, np.nan)
