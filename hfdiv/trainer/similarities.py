"""The similarity that a config names, and the similarities of a generation's groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from accelerate import PartialState
from accelerate.utils import gather_object
from numpy.typing import NDArray

from hfdiv.similarity import (
    BleuSimilarity,
    EmbeddingSimilarity,
    NgramSimilarity,
    PartitionSimilarity,
    Similarity,
    ThresholdPartition,
    load_encoder,
)


if TYPE_CHECKING:
    from hfdiv.trainer.arguments import DiversityArguments


def similarity_of(config: DiversityArguments) -> Similarity | None:
    """Return the similarity that a config names; None for the policy's own, which is no function of texts.

    Raises:
        ImportError: If it needs an encoder and `sentence-transformers` is not installed.
        ValueError: If it needs an encoder and the config names none.
    """
    name = config.diversity_similarity
    if name == "policy":
        return None
    if name == "ngram":
        return NgramSimilarity(config.diversity_ngram_size, config.diversity_tokenizer)
    if name == "bleu":
        return BleuSimilarity(config.diversity_ngram_size, config.diversity_tokenizer)
    encoder = config.diversity_encoder
    if name == "embedding":
        if encoder is None:
            raise ValueError(
                "`diversity_similarity='embedding'` needs `diversity_encoder`, the name or folder of a "
                "sentence-transformers model, got None. Or use 'policy', which needs no second model."
            )
        return EmbeddingSimilarity(load_encoder(encoder, _device(config)), encoder)
    alike: Similarity = NgramSimilarity(config.diversity_ngram_size, config.diversity_tokenizer)
    if encoder is not None:
        alike = EmbeddingSimilarity(load_encoder(encoder, _device(config)), encoder)
    return PartitionSimilarity(ThresholdPartition(alike, config.diversity_threshold))


def _device(config: DiversityArguments) -> str:
    """The device of this process: left to itself, every process would put its encoder on the first GPU."""
    return str(config.device)  # type: ignore[attr-defined]  # of transformers' TrainingArguments


def group_similarities(groups: Sequence[Sequence[str]], similarity: Similarity) -> list[NDArray[np.float64]]:
    """Return the similarities within each group, `(G, G)` each, the same on all processes.

    Each process measures a part of the groups, once, and all get all. Must be called on every process with the same
    groups.

    Raises:
        ValueError: If the similarity returns something else than `(G, G)`.
    """
    state = PartialState()
    own = range(state.process_index, len(groups), state.num_processes)
    measured = _measured([groups[index] for index in own], similarity)
    found = dict(gather_object(list(zip(own, measured, strict=True))))
    return [found[index] for index in range(len(groups))]


def cosine_kernels(groups: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the cosines within each group of unit vectors, `(G, d)`; negative ones count as 0, NaN stays NaN."""
    return [np.clip(vectors @ vectors.T, 0.0, 1.0) for vectors in groups]


def _measured(groups: Sequence[Sequence[str]], similarity: Similarity) -> list[NDArray[np.float64]]:
    if not isinstance(similarity, EmbeddingSimilarity):
        return [_checked(similarity(group), group) for group in groups]
    place = {text: row for row, text in enumerate(dict.fromkeys(text for group in groups for text in group))}
    if not place:
        return []
    vectors = similarity.vectors(list(place))  # each different text once: a monotone model says the same thing often
    return [similarity.kernel(vectors[[place[text] for text in group]]) for group in groups]


def _checked(matrix: NDArray[np.float64], group: Sequence[str]) -> NDArray[np.float64]:
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape != (len(group), len(group)):
        raise ValueError(
            f"The similarity must return ({len(group)}, {len(group)}) for {len(group)} texts, got {matrix.shape}."
        )
    return matrix
