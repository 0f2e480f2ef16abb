"""Type-token ratio, MTLD and HD-D: how rich the vocabulary of a text is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hfdiv.diversity.counts import n_defined, ratio, spectrum, unit_counts
from hfdiv.diversity.score import Level, Score, make_score, resolve_level, units
from hfdiv.ngrams import Corpus, Ints, Texts, as_corpus
from hfdiv.text import TokenizerLike


def type_token_ratio(
    texts: Texts | Corpus, tokenizer: TokenizerLike | None = None, level: Level | None = None
) -> Score:
    """Type-token ratio: different tokens / all tokens, in (0, 1]. Higher = more varied.

    The same number as distinct-1. It falls as the unit grows: [`mtld`] and [`hdd`] are made to resist that.

    Args:
        texts: Flat list (one corpus), nested list (mean over groups) or a [`~hfdiv.ngrams.Corpus`].
        tokenizer: As [`~hfdiv.text.get_tokenizer`] takes it; `"mixed"` by default.
        level: `"corpus"`, `"group"` or `"response"`, where the shape of `texts` should not decide.

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> type_token_ratio(["the cat sees the dog"]).value
        0.8
    """
    corpus = as_corpus(texts, tokenizer)
    level = resolve_level(level, corpus)
    values = ratio(*unit_counts(corpus, 1, level))
    return make_score("type_token_ratio", corpus, level, values, n_counted=n_defined(corpus, 1, level))


def mtld(
    texts: Texts | Corpus,
    threshold: float = 0.72,
    tokenizer: TokenizerLike | None = None,
    level: Level | None = None,
) -> Score:
    """MTLD: the mean number of tokens it takes until the type-token ratio falls to `threshold`. Higher = more varied.

    From *MTLD, vocd-D, and HD-D* (McCarthy and Jarvis, 2010, https://doi.org/10.3758/BRM.42.2.381). Reading from the
    start, a factor ends with the token that brings the ratio to the threshold or below, and the next begins. What is
    left counts as (1 − its ratio) / (1 − threshold) of a factor. The value is tokens / factors, averaged over
    reading forward and backward. A text in which every token is unique has no factor and is undefined;
    LexicalRichness gives it its length. A text of fewer than about 100 tokens holds a factor or two at most: its
    value is coarse.

    Args:
        texts: Flat or nested list, or a [`~hfdiv.ngrams.Corpus`].
        threshold: Type-token ratio at which a factor ends, above 0 and below 1.
        tokenizer: As in [`type_token_ratio`].
        level: `"response"` (default), or `"group"` or `"corpus"` to read their texts one after another as one text;
            the order of the texts matters then.

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> mtld(["a b a b a b"]).value  # a factor ends at every third token
        3.0
    """
    if not 0 < threshold < 1:
        raise ValueError(f"`threshold` must be above 0 and below 1, got {threshold!r}.")
    corpus = as_corpus(texts, tokenizer)
    level = _text_level(level, corpus)
    unit, n_units = units(corpus, level)
    lengths = np.bincount(unit, weights=corpus.lengths, minlength=n_units).astype(np.int64)
    ids, end, found = corpus.ids, 0, []
    for length in lengths.tolist():
        start, end = end, end + length
        found.append(_mtld(ids[start:end].tolist(), threshold))
    values = np.array(found, dtype=np.float64)
    return make_score("mtld", corpus, level, values, n_counted=_n_counted(corpus, level, values), threshold=threshold)


def hdd(
    texts: Texts | Corpus,
    sample_size: int = 42,
    tokenizer: TokenizerLike | None = None,
    level: Level | None = None,
) -> Score:
    """HD-D: expected type-token ratio of a random sample of 42 tokens, in (0, 1]. Higher = more varied.

    Σ over types of the chance that the sample has the type / sample size, by the hypergeometric distribution: exact,
    and nothing is drawn. From *vocd: A theoretical and empirical evaluation* (McCarthy and Jarvis, 2007,
    https://doi.org/10.1177/0265532207080767). A sum of those chances, not divided, goes by the same name elsewhere.
    The order of tokens does not matter. A unit of fewer tokens than a sample is undefined.

    Args:
        texts: Flat or nested list, or a [`~hfdiv.ngrams.Corpus`].
        sample_size: Tokens in a sample, at least 1; the authors' 42.
        tokenizer: As in [`type_token_ratio`].
        level: `"response"` (default), or `"group"` or `"corpus"` to pool their tokens.

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> round(hdd(["a b a b"], sample_size=2).value, 4)  # 4 of the 6 pairs differ
        0.8333
    """
    if isinstance(sample_size, bool) or not isinstance(sample_size, (int, np.integer)) or sample_size < 1:
        raise ValueError(f"`sample_size` must be an integer of at least 1, got {sample_size!r}.")
    corpus = as_corpus(texts, tokenizer)
    level = _text_level(level, corpus)
    found = spectrum(corpus, 1, level)
    total = found.unit_counts(units(corpus, level)[1]).total
    present = _chance_in_sample(found.frequency, total[found.unit], sample_size)
    types = np.bincount(found.unit, weights=found.n_types * present, minlength=len(total))
    values = np.where(total >= sample_size, types / sample_size, np.nan)
    return make_score("hdd", corpus, level, values, n_counted=_n_counted(corpus, level, values), sample=sample_size)


def _mtld(tokens: list[int], threshold: float) -> float:
    forward, backward = _n_factors(tokens, threshold), _n_factors(tokens[::-1], threshold)
    if forward == 0:  # then all tokens are unique, and there is no factor backward either
        return np.nan
    return (len(tokens) / forward + len(tokens) / backward) / 2


def _n_factors(tokens: list[int], threshold: float) -> float:
    """Count the factors of a text, the last in part.

    Where a factor begins depends on where the last one ended, so this goes token by token.
    """
    seen: set[int] = set()
    complete = start = 0
    for end, token in enumerate(tokens, start=1):
        if token not in seen:  # the ratio rises or stays 1
            seen.add(token)
        elif len(seen) / (end - start) <= threshold:
            complete += 1
            start = end
            seen.clear()
    rest = len(tokens) - start
    return complete + (1 - len(seen) / rest) / (1 - threshold) if rest else complete


def _chance_in_sample(frequency: Ints, total: Ints, sample_size: int) -> NDArray[np.float64]:
    """Chance that a sample of a text has a type: 1 − Π over its tokens of the chance that it is another type."""
    log_absent = np.zeros(len(frequency))
    with np.errstate(divide="ignore"):  # so frequent that every sample has it: the logarithm is −∞
        for drawn in range(sample_size):
            log_absent += np.log1p(-np.minimum(frequency / np.maximum(total - drawn, 1), 1.0))
    return -np.expm1(log_absent)


def _text_level(level: Level | None, corpus: Corpus) -> Level:
    return resolve_level("response" if level is None else level, corpus)


def _n_counted(corpus: Corpus, level: Level, values: NDArray[np.float64]) -> int | None:
    """Responses with a token where they are pooled into one text, none if that is undefined."""
    return 0 if np.isnan(values).all() else n_defined(corpus, 1, level)
