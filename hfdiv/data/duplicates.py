"""Near-duplicates in a stream of texts, by MinHash."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hfdiv._extras import require
from hfdiv.text import get_tokenizer


_PERMUTATIONS = 128
_SHINGLE = 3  # tokens
_MISSED = 0.01  # of the texts at the threshold, at most


class Duplicates:
    """Tells of each text whether one seen before is nearly the same. Deterministic.

    Nearly the same are texts whose sets of three tokens in a row have an estimated Jaccard similarity of at least the
    threshold. Candidates come from the locality-sensitive hashing of `datasketch`, whose bands are set so that it
    misses at most 1% of the texts at the threshold, and fewer of those that are more alike. They are compared by
    their 128 hashes, whose estimate has a standard error of at most 0.045. Memory grows with the texts kept.

    Args:
        threshold: Similarity from which on a text is a duplicate, from 0.1 to 1.
        tokenizer: How texts are split, as [`~hfdiv.text.get_tokenizer`] takes it.

    Raises:
        ImportError: If `datasketch` is not installed.
        ValueError: If `threshold` is out of its range.

    Example:
        >>> duplicates = Duplicates(0.8)  # doctest: +SKIP
        >>> [duplicates.seen(text) for text in ("Where is my order?", "No.", "Where is my order?")]  # doctest: +SKIP
        [False, False, True]
    """

    def __init__(self, threshold: float, tokenizer: str = "mixed") -> None:
        if not 0.1 <= threshold <= 1:
            raise ValueError(f"`threshold` must be from 0.1 to 1, got {threshold!r}.")
        datasketch = require("datasketch", "data")
        self.threshold = threshold
        self._tokenizer = get_tokenizer(tokenizer)
        self._empty: Any = datasketch.MinHash(_PERMUTATIONS)
        self._index: Any = datasketch.MinHashLSH(num_perm=_PERMUTATIONS, params=_bands(threshold))
        self._hashes: list[NDArray[np.uint32]] = []
        self._same: set[bytes] = set()

    @property
    def signature(self) -> str:
        """Threshold, shingles and tokenizer."""
        return f"minhash.{_PERMUTATIONS},j>={self.threshold},n.{_SHINGLE},tok={self._tokenizer.signature}"

    def seen(self, text: str) -> bool:
        """Tell whether a text is a duplicate, and remember it if not."""
        digest = blake2b(text.encode("utf-8"), digest_size=16).digest()
        if digest in self._same:
            return True
        sketch = self._empty.copy()
        sketch.update_batch(self._shingles(text))
        hashes = sketch.hashvalues
        for place in self._index.query(sketch):
            if np.count_nonzero(self._hashes[place] == hashes) >= self.threshold * _PERMUTATIONS:
                return True
        self._same.add(digest)
        self._index.insert(len(self._hashes), sketch, check_duplication=False)
        self._hashes.append(hashes)
        return False

    def _shingles(self, text: str) -> list[bytes]:
        tokens = self._tokenizer.split(text)
        spans = range(max(len(tokens) - _SHINGLE + 1, 1))
        return list({"\0".join(tokens[start : start + _SHINGLE]).encode("utf-8") for start in spans})


def _bands(threshold: float) -> tuple[int, int]:
    """Return how many bands of how many hashes find a text at the threshold with a probability of at least 0.99."""
    rows = [n for n in range(1, _PERMUTATIONS // 2 + 1) if (1 - threshold**n) ** (_PERMUTATIONS // n) <= _MISSED]
    return _PERMUTATIONS // rows[-1], rows[-1]
