"""Similarity of meaning, by a sentence encoder. Higher = more alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hfdiv._deepspeed import whole_weights
from hfdiv._extras import require


Encoder: TypeAlias = Callable[[Sequence[str]], NDArray[np.float32]]
"""A function from N texts to `(N, d)` embeddings of length 1."""


def load_encoder(name_or_path: str | Path, device: str | None = None) -> Encoder:
    """Load a sentence-transformers model as an [`Encoder`].

    Args:
        name_or_path: Name on the Hub or folder on disk.
        device: `"cpu"`, `"cuda"`, ... Defaults to what sentence-transformers finds.

    Raises:
        ImportError: If `sentence-transformers` is not installed.
    """
    sentence_transformers = require("sentence_transformers", "similarity")
    with whole_weights():
        model = sentence_transformers.SentenceTransformer(str(name_or_path), device=device)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return vectors

    return encode


@dataclass(frozen=True)
class EmbeddingSimilarity:
    """Cosine similarity of two texts' embeddings, negative cosines counted as 0: in [0, 1]. Higher = more alike.

    Every text is defined, the empty one too: it is where the encoder puts it.

    Args:
        encoder: Any function from texts to vectors, such as [`load_encoder`] returns.
        name: Name of the encoder in signatures. Defaults to that of the function.

    Example:
        >>> vectors = {"yes": [1.0, 0.0], "yeah": [0.8, 0.6], "no": [-1.0, 0.0]}
        >>> similarity = EmbeddingSimilarity(lambda texts: np.array([vectors[text] for text in texts]))
        >>> similarity(["yes", "yeah", "no"])
        array([[1. , 0.8, 0. ],
               [0.8, 1. , 0. ],
               [0. , 0. , 1. ]])
    """

    encoder: Encoder
    name: str | None = None

    @property
    def signature(self) -> str:
        """`embedding.` and the encoder's name, as it stands in a score's signature."""
        name = self.name or getattr(self.encoder, "__qualname__", type(self.encoder).__qualname__)
        return f"embedding.{name}"

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the embeddings of `texts`, `(N, d)`, each of length 1.

        Raises:
            ValueError: If the encoder returns something else than one finite vector a text, or a vector of length 0.
        """
        vectors = np.asarray(self.encoder(texts), dtype=np.float64)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise ValueError(f"The encoder must return one vector a text, ({len(texts)}, d), got {vectors.shape}.")
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(length) & (length > 0)):
            row = int(np.flatnonzero(~(np.isfinite(length) & (length > 0)))[0])
            raise ValueError(f"The encoder returned a vector of length {length[row, 0]} for text {row}.")
        unit: NDArray[np.float64] = vectors / length
        return unit

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the `(N, N)` similarities of `texts`."""
        return self.kernel(self.vectors(texts))

    def kernel(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the `(N, N)` similarities of texts with these [`vectors`], `(N, d)`."""
        return np.clip(vectors @ vectors.T, 0.0, 1.0)
