"""Distinct-n, n-gram entropy and seq-rep-n: how varied the n-grams of a set are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hfdiv.diversity.score import Level, Score, make_score, resolve_level, units
from hfdiv.ngrams import Column, Corpus, Ints, Texts, as_corpus, pack
from hfdiv.text import Tokenizer


def distinct_n(
    texts: Texts | Corpus, n: int = 2, tokenizer: str | Tokenizer | None = None, level: Level | None = None
) -> Score:
    """Distinct-n: unique n-grams / all n-grams, in (0, 1]. Higher = more varied.

    From *A Diversity-Promoting Objective Function for Neural Conversation Models* (Li et al., 2016,
    https://huggingface.co/papers/1510.03055), whose text divides by tokens; like most code since, this divides by
    n-grams. N-grams never cross texts. A unit without an n-gram is undefined: left out and not counted. The
    value falls as the unit grows, so the signature carries its size.

    Args:
        texts: Flat list (one corpus), nested list (mean over groups) or a [`~hfdiv.ngrams.Corpus`].
        n: N-gram order, at least 1.
        tokenizer: `"mixed"` (default), `"whitespace"` or a [`~hfdiv.text.Tokenizer`].
        level: `"corpus"`, `"group"` or `"response"`, where the shape of `texts` should not decide.

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> distinct_n(["the cat sat", "the cat ran"], n=2).value
        0.75
    """
    corpus = as_corpus(texts, tokenizer)
    level = resolve_level(level, corpus)
    unique, total, n_defined = _unique_and_total(corpus, n, level)
    return make_score("distinct", n, corpus, level, _ratio(unique, total), n_defined)


def seq_rep_n(texts: Texts | Corpus, n: int = 4, tokenizer: str | Tokenizer | None = None) -> Score:
    """Seq-rep-n: 1 − unique/total n-grams inside one response, mean over responses, in [0, 1). Higher = *less* varied.

    From *Neural Text Generation With Unlikelihood Training* (Welleck et al., 2020,
    https://huggingface.co/papers/1908.04319). A response shorter than n tokens is undefined and not counted.

    Args:
        texts: Flat or nested list, or a [`~hfdiv.ngrams.Corpus`]; groups do not matter here.
        n: N-gram order, at least 1.
        tokenizer: As in [`distinct_n`].

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> seq_rep_n(["no no no no no"], n=4).value
        0.5
    """
    corpus = as_corpus(texts, tokenizer)
    unique, total, _ = _unique_and_total(corpus, n, "response")
    return make_score("seq_rep", n, corpus, "response", 1.0 - _ratio(unique, total))


def ngram_entropy(
    texts: Texts | Corpus, n: int = 2, tokenizer: str | Tokenizer | None = None, level: Level | None = None
) -> Score:
    """Shannon entropy of the n-gram distribution, −Σ p ln p, in nats, ≥ 0. Higher = more varied.

    Known as Ent-n since *Generating Informative and Diverse Conversational Responses via Adversarial Information
    Maximization* (Zhang et al., 2018, https://huggingface.co/papers/1809.05972).

    Args:
        texts: As in [`distinct_n`].
        n: N-gram order, at least 1.
        tokenizer: As in [`distinct_n`].
        level: As in [`distinct_n`].

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> round(ngram_entropy(["a b"], n=1).value, 4)
        0.6931
    """
    corpus = as_corpus(texts, tokenizer)
    level = resolve_level(level, corpus)
    keys, n_grams, total, n_defined = _unit_ngrams(corpus, n, level)
    unique, counts = np.unique(keys, return_counts=True)
    owner = unique // n_grams
    p = counts / total[owner]
    entropy = np.bincount(owner, weights=-p * np.log(p), minlength=len(total))
    return make_score("ngram_entropy", n, corpus, level, np.where(total > 0, entropy, np.nan), n_defined, log="e")


def _unique_and_total(corpus: Corpus, n: int, level: Level) -> tuple[Ints, Ints, int | None]:
    keys, n_grams, total, n_defined = _unit_ngrams(corpus, n, level)
    unique = np.bincount(np.unique(keys) // n_grams, minlength=len(total))
    return unique, total, n_defined


def _unit_ngrams(corpus: Corpus, n: int, level: Level) -> tuple[Ints, int, Ints, int | None]:
    """Keys unit · n_grams + n-gram, n_grams, each unit's total, and the responses counted."""
    grams, text = corpus.ngrams(n)
    unit_of_text, n_units = units(corpus, level)
    unit = unit_of_text[text]
    total = np.bincount(unit, minlength=n_units)
    n_defined = int(np.count_nonzero(corpus.lengths >= n)) if level == "corpus" else None
    n_units = max(n_units, 1)  # no responses: no keys either
    keys = pack(Column(unit, n_units), grams)
    return keys.values, keys.bound // n_units, total, n_defined


def _ratio(numerator: Ints, denominator: Ints) -> NDArray[np.float64]:
    ratio = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
