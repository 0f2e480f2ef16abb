"""The standard set of measures, from one tokenisation."""

from __future__ import annotations

from hfdiv.diversity.ngram import distinct_n, ngram_entropy, seq_rep_n
from hfdiv.diversity.score import Level, Score
from hfdiv.diversity.self_bleu import self_bleu
from hfdiv.ngrams import Corpus, Texts, as_corpus
from hfdiv.text import Tokenizer


HIGHER_IS_LESS_VARIED = ("self_bleu", "seq_rep")
"""Measures of the suite that fall as a set becomes more varied."""


def measure(
    texts: Texts | Corpus, tokenizer: str | Tokenizer | None = None, level: Level | None = None
) -> dict[str, Score]:
    """Measure `texts` by the standard set: distinct-1 to 4, n-gram entropy 1 to 4, self-BLEU 2 to 5, seq-rep 2 to 4.

    Args:
        texts: Flat list (one corpus), nested list (groups) or a [`~hfdiv.ngrams.Corpus`].
        tokenizer: `"mixed"` (default), `"whitespace"` or a [`~hfdiv.text.Tokenizer`].
        level: `"corpus"` or `"group"`, where the shape of `texts` should not decide. Seq-rep is always measured in
            each response.

    Returns:
        Scores by name (`distinct_1`, ..., `seq_rep_4`).

    Raises:
        TypeError: If a text is not text.
        ValueError: If there is no text, or an argument is out of its range.

    Example:
        >>> scores = measure([["Hello!", "Good day!"], ["Yes.", "Yes."]])
        >>> round(scores["distinct_1"].value, 3), scores["self_bleu_2"].n_counted
        (0.65, 2)
    """
    corpus = as_corpus(texts, tokenizer)
    scores = [
        *(distinct_n(corpus, n, level=level) for n in (1, 2, 3, 4)),
        *(ngram_entropy(corpus, n, level=level) for n in (1, 2, 3, 4)),
        *self_bleu(corpus, (2, 3, 4, 5), level=level),
        *(seq_rep_n(corpus, n) for n in (2, 3, 4)),
    ]
    return {score.name: score for score in scores}
