"""Pair weights in words, for the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hfdiv.similarity import NgramSimilarity, Similarity, similarity_signature


if TYPE_CHECKING:
    from hfdiv.trainer.preference import PairWeightArguments


def weighting_in_words(
    config: PairWeightArguments, similarity: Similarity | None = None, weights: ArrayLike | None = None
) -> str:
    """Return where the weights of pairs come from, and how they are spread, in words.

    Args:
        config: The trainer's arguments.
        similarity: How alike two replies are, in place of what the config names.
        weights: The weights, `(n,)`. `None` where there are none: all are 1, or they come with a stream.
    """
    if config.pair_weighting == "none":
        return "without weights of pairs."
    sentences = [f"with a weight for each preference pair, {_source(config)}."]
    if config.pair_weighting != "column" and not (config.pair_weighting == "deviation" and config.deviation_columns):
        sentences.append(f"Similarity of replies: {_similarity(config, similarity)}.")
    if weights is not None:
        values = np.asarray(weights, dtype=np.float64)
        sentences.append(
            f"The {len(values)} weights have a mean of {values.mean():.3f} and lie between {values.min():.3f} and "
            f"{values.max():.3f}; {np.count_nonzero(values == 0)} are 0."
        )
    return " ".join(sentences)


def _source(config: PairWeightArguments) -> str:
    if config.pair_weighting == "column":
        return f"from the column `{config.pair_weight_column}`"
    if config.pair_weighting == "history":
        compared = config.history_scope.replace("_", " ")
        return (
            f"falling from 1 to 0 as the {compared} of the chosen reply comes to be more than "
            f"{config.history_threshold:g} alike to an earlier reply's"
        )
    deviation = "by how far the chosen reply deviates from the others to its prompt (DDPO)"
    if config.deviation_columns:
        return f"{deviation}, as the columns {', '.join(f'`{name}`' for name in config.deviation_columns)} say"
    return deviation


def _similarity(config: PairWeightArguments, similarity: Similarity | None) -> str:
    if similarity is not None:
        return f"`{similarity_signature(similarity)}`"
    if config.pair_encoders:
        return f"cosine by {', '.join(f'`{name}`' for name in config.pair_encoders)}"
    return f"`{NgramSimilarity(config.pair_ngram_size, config.pair_tokenizer).signature}`"
