"""Preference pairs that teach variety, from replies and what is known of their quality.

| method | preferred | rejected |
|---|---|---|
| [`DivPO`] | the most diverse of the good replies | the least diverse of the bad ones |
| [`Fresh`] | a reply that repeats nothing of the conversation | one that does, and is not better |
| [`Rated`] | a reply rated higher | one rated lower |
| [`Votes`] | what annotators chose | the other |
"""

from hfdiv.data.pairs.build import Pairs, build_pairs
from hfdiv.data.pairs.candidates import Candidate, ClassifierScore, Judge, Score
from hfdiv.data.pairs.fresh import Fresh
from hfdiv.data.pairs.pair import Dropped, Pair, PairMethod
from hfdiv.data.pairs.spread import DivPO, Rated
from hfdiv.data.pairs.votes import Votes


__all__ = [
    "Candidate",
    "ClassifierScore",
    "DivPO",
    "Dropped",
    "Fresh",
    "Judge",
    "Pair",
    "PairMethod",
    "Pairs",
    "Rated",
    "Score",
    "Votes",
    "build_pairs",
]
