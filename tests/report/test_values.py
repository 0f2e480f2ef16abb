"""Tests of hfdiv/report/values.py: one number a prompt."""

import math

import numpy as np
import pytest

from hfdiv.data import Records
from hfdiv.diversity import distinct_n, seq_rep_n
from hfdiv.ngrams import Corpus
from hfdiv.report.values import column_values, length_values, score_values


def test_values_of_groups_are_left_as_they_are():
    corpus = Corpus([["a b", "a b"], ["c"]])
    score = distinct_n(corpus, 2)
    assert score_values(score, corpus) is score.values


def test_values_of_replies_are_averaged_within_their_prompt():
    corpus = Corpus([["a a a a", "a b c"], [""], ["b b b"]])
    values = score_values(seq_rep_n(corpus, 2), corpus)
    assert values == pytest.approx([(2 / 3 + 0) / 2, math.nan, 0.5], nan_ok=True)


def test_a_prompt_without_replies_has_no_value():
    records = Records(["p", "q"], [[], ["a b c"]], {"reward": [[], [2.0]]})
    assert length_values(records, "mixed") == pytest.approx([math.nan, 3.0], nan_ok=True)
    assert column_values(records, "reward") == pytest.approx([math.nan, 2.0], nan_ok=True)


def test_only_finite_values_count():
    records = Records(["p"], [["a"] * 4], {"reward": [[1.0, math.nan, math.inf, 2.0]]})
    assert column_values(records, "reward").tolist() == [1.5]


def test_every_prompt_keeps_its_place():
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 5, 30)
    groups = [rng.normal(size=size).tolist() for size in sizes]
    records = Records([str(i) for i in range(30)], [["x"] * size for size in sizes], {"c": groups})
    expected = [np.mean(group) if group else math.nan for group in groups]
    assert column_values(records, "c") == pytest.approx(expected, nan_ok=True)
