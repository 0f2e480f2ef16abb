import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.diversity import distinct_n, ngram_entropy, seq_rep_n
from hfdiv.ngrams import Corpus
from tests import brute_force


LEVELS = ("corpus", "group", "response")
orders = st.integers(1, 4)
levels = st.sampled_from(LEVELS)


def unit_ngrams(groups, n, level):
    """The n-grams of each unit, pooled over its texts."""
    per_text = [[brute_force.ngrams(text.split(), n) for text in group] for group in groups]
    if level == "response":
        return [grams for group in per_text for grams in group]
    pooled = [sum(group, []) for group in per_text]
    return pooled if level == "group" else [sum(pooled, [])]


def distinct(grams):
    return len(set(grams)) / len(grams) if grams else math.nan


def entropy(grams):
    return sum(-c / len(grams) * math.log(c / len(grams)) for c in Counter(grams).values()) if grams else math.nan


def mean_of_defined(values):
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


def n_counted(groups, n, level):
    if level == "corpus":
        return sum(len(text.split()) >= n for group in groups for text in group)
    return sum(bool(grams) for grams in unit_ngrams(groups, n, level))


@given(brute_force.groups(), orders, levels)
def test_distinct_n_is_that_of_python_sets(groups, n, level):
    score = distinct_n(groups, n, "whitespace", level)
    expected = [distinct(grams) for grams in unit_ngrams(groups, n, level)]
    assert score.values.tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert score.value == pytest.approx(mean_of_defined(expected), abs=1e-12, nan_ok=True)
    assert score.n_counted == n_counted(groups, n, level)


@given(brute_force.groups(), orders, levels)
def test_ngram_entropy_is_that_of_python_counters(groups, n, level):
    score = ngram_entropy(groups, n, "whitespace", level)
    expected = [entropy(grams) for grams in unit_ngrams(groups, n, level)]
    assert score.values.tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert score.value == pytest.approx(mean_of_defined(expected), abs=1e-12, nan_ok=True)
    assert score.n_counted == n_counted(groups, n, level)


@given(brute_force.groups(), orders)
def test_seq_rep_n_is_that_of_python_sets(groups, n):
    score = seq_rep_n(groups, n, "whitespace")
    expected = [1 - distinct(grams) for grams in unit_ngrams(groups, n, "response")]
    assert score.values.tolist() == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert score.value == pytest.approx(mean_of_defined(expected), abs=1e-12, nan_ok=True)
    assert score.n_counted == n_counted(groups, n, "response")
    assert score.level == "response"


@given(brute_force.groups(), orders, levels)
def test_bounds(groups, n, level):
    totals = [len(grams) for grams in unit_ngrams(groups, n, level) if grams]
    values = zip(distinct_n(groups, n, level=level).values, ngram_entropy(groups, n, level=level).values, strict=True)
    defined = [(distinct, entropy) for distinct, entropy in values if not math.isnan(distinct)]
    for (distinct, entropy), total in zip(defined, totals, strict=True):
        assert 1 / total <= distinct <= 1
        assert 0 <= entropy <= math.log(total) + 1e-12
    assert all(0 <= value < 1 for value in seq_rep_n(groups, n).values if not math.isnan(value))


@given(st.data(), brute_force.groups(), orders, levels, st.sampled_from([distinct_n, ngram_entropy]))
def test_order_of_texts_and_groups_does_not_matter(data, groups, n, level, measure):
    shuffled = [data.draw(st.permutations(group)) for group in data.draw(st.permutations(groups))]
    before, after = measure(groups, n, level=level), measure(shuffled, n, level=level)
    assert after.value == pytest.approx(before.value, abs=1e-12, nan_ok=True)
    assert after.n_counted == before.n_counted


@given(st.data(), brute_force.groups(), orders)
def test_a_group_given_twice_never_raises_distinct(data, groups, n):
    twice = groups + [data.draw(st.sampled_from(groups))]
    before, after = (distinct_n(each, n, level="corpus").value for each in (groups, twice))
    assert after <= before or math.isnan(before)
    doubled = distinct_n([group + group for group in groups], n).values
    assert doubled == pytest.approx(distinct_n(groups, n).values / 2, nan_ok=True)


@given(brute_force.groups(), orders)
def test_entropy_does_not_change_when_every_text_is_given_twice(groups, n):
    doubled = [group + group for group in groups]
    assert ngram_entropy(doubled, n).values == pytest.approx(ngram_entropy(groups, n).values, abs=1e-12, nan_ok=True)


@given(brute_force.groups(), orders, levels)
def test_a_corpus_gives_the_same_as_its_texts(groups, n, level):
    corpus = Corpus(groups, "whitespace")
    assert repr(distinct_n(corpus, n, level=level)) == repr(distinct_n(groups, n, "whitespace", level))
    assert repr(ngram_entropy(corpus, n, level=level)) == repr(ngram_entropy(groups, n, "whitespace", level))
    assert repr(seq_rep_n(corpus, n)) == repr(seq_rep_n(groups, n, "whitespace"))


def test_undefined_texts_are_left_out_and_not_counted():
    groups = [["a b c", "a b c", "a"], ["a", ""]]
    assert distinct_n(groups, 2).values.tolist() == pytest.approx([0.5, math.nan], nan_ok=True)
    assert (distinct_n(groups, 2).n_counted, distinct_n(groups, 2).n_total) == (1, 2)
    assert (seq_rep_n(groups, 2).n_counted, seq_rep_n(groups, 2).n_total) == (2, 5)
    assert (distinct_n(groups, 2, level="corpus").n_counted, distinct_n(groups, 2, level="corpus").n_total) == (2, 5)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("measure", [distinct_n, ngram_entropy])
@pytest.mark.parametrize("texts", [[""], ["a", "b"], [["a"], [""]], [[]], [[], []]])
def test_nothing_left_is_nan(texts, measure, level):
    score = measure(texts, 2, level=level)
    assert math.isnan(score.value)
    assert score.n_counted == 0


@pytest.mark.parametrize("texts", [[""], ["a b"], [[]], [[], []]])
def test_nothing_left_is_nan_for_seq_rep(texts):
    score = seq_rep_n(texts, 3)
    assert math.isnan(score.value)
    assert score.n_counted == 0


@pytest.mark.parametrize("measure", [distinct_n, ngram_entropy, seq_rep_n])
@pytest.mark.parametrize("n", [0, -2, True, 1.5])
def test_an_order_out_of_range_is_refused(measure, n):
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1"):
        measure(["a b"], n)


def test_case_matters_and_chinese_is_counted_by_character(chinese):
    assert distinct_n(["Yes yes"], 1).value == 1.0
    assert distinct_n([chinese[3]], 1).value == 3 / 7
    assert seq_rep_n([chinese[3]], 2).value == pytest.approx(1 - 3 / 6)


def test_emoji_are_whole(emoji):
    # 👍🏽 👍🏽 👍🏿 🇨🇳 🇫🇷
    assert distinct_n([emoji[1]], 1).value == 4 / 5
