"""One number a prompt: what a row averages, and what its interval resamples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hfdiv.data import Records
from hfdiv.diversity import Score
from hfdiv.diversity.score import group_means
from hfdiv.ngrams import Corpus
from hfdiv.text import TokenizerLike


Floats = NDArray[np.float64]


def score_values(score: Score, corpus: Corpus) -> Floats:
    """Return the values of a score, `(n_prompts,)`: those of single replies are averaged within their prompt.

    Example:
        >>> from hfdiv.diversity import seq_rep_n
        >>> corpus = Corpus([["a a a", "a b"], ["a"]])
        >>> score_values(seq_rep_n(corpus, 2), corpus)
        array([0.25,  nan])
    """
    return group_means(score.values, corpus.group_sizes) if score.level == "response" else score.values


def length_values(records: Records, tokenizer: TokenizerLike) -> Floats:
    """Return the mean length of the replies to each prompt in tokens, `(n_prompts,)`.

    Example:
        >>> length_values(Records(["p"], [["a b", "c"]]), "mixed")
        array([1.5])
    """
    corpus = Corpus(records.groups, tokenizer)
    return group_means(corpus.lengths.astype(np.float64), corpus.group_sizes)


def column_values(records: Records, column: str) -> Floats:
    """Return the mean of a column over the replies to each prompt, `(n_prompts,)`.

    Values that are missing or infinite are left out; NaN where none is left.

    Example:
        >>> records = Records(["p", "q"], [["a", "b"], ["c"]], {"reward": [[1.0, float("nan")], [float("inf")]]})
        >>> column_values(records, "reward")
        array([ 1., nan])
    """
    groups = records.columns[column]
    values = np.array([value for group in groups for value in group], dtype=np.float64)
    return group_means(values, np.array([len(group) for group in groups], dtype=np.int64))
