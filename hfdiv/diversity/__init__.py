"""How varied is a set of texts? Pure functions from texts to a [`Score`]."""

from hfdiv.diversity.contribution import novelty
from hfdiv.diversity.ngram import distinct_n, ngram_entropy, seq_rep_n
from hfdiv.diversity.score import Level, Score
from hfdiv.diversity.self_bleu import self_bleu
from hfdiv.diversity.suite import measure


__all__ = ["Level", "Score", "distinct_n", "measure", "ngram_entropy", "novelty", "self_bleu", "seq_rep_n"]
