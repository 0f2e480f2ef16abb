import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from hfdiv.diversity import self_bleu
from hfdiv.ngrams import Corpus
from hfdiv.text import MIXED
from tests import brute_force


ORDERS = (1, 2, 3, 4, 5)
SMOOTHING = SmoothingFunction().method1


def nltk_self_bleu(texts, n, split=str.split):
    """BLEU of each text against all others by nltk; NaN for a text that is empty or alone."""
    tokens = [split(text) for text in texts]
    scores = []
    for index, hypothesis in enumerate(tokens):
        others = [other for other in tokens[:index] + tokens[index + 1 :] if other]
        defined = hypothesis and others
        scores.append(sentence_bleu(others, hypothesis, (1 / n,) * n, SMOOTHING) if defined else math.nan)
    return np.array(scores, dtype=float)


def assert_is_that_of_nltk(texts, n, tokenizer="whitespace", split=str.split):
    score, expected = self_bleu(texts, n, tokenizer, "corpus"), nltk_self_bleu(texts, n, split)
    np.testing.assert_allclose(score.values, expected, rtol=0, atol=1e-12)
    assert score.n_counted == np.count_nonzero(~np.isnan(expected))
    assert score.n_total == len(texts)
    mean = np.nanmean(expected) if score.n_counted else math.nan
    np.testing.assert_allclose(score.value, mean, rtol=0, atol=1e-12)


@settings(max_examples=200)
@given(st.lists(brute_force.texts(), min_size=1, max_size=6), st.sampled_from(ORDERS))
def test_is_that_of_nltk_on_small_sets(texts, n):
    assert_is_that_of_nltk(texts, n)


@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize(
    ("size", "words", "longest"), [(2, 2, 12), (10, 5, 30), (25, 30, 12), (50, 3, 10), (50, 12, 16)]
)
def test_is_that_of_nltk_on_larger_sets(size, words, longest, n):
    rng = random.Random(f"{size} {words} {n}")
    vocabulary = [f"w{i}" for i in range(words)]
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(0, longest))) for _ in range(size)]
    assert_is_that_of_nltk(texts, n)


@pytest.mark.parametrize("n", ORDERS)
def test_is_that_of_nltk_on_the_tokens_of_any_script(any_texts, n):
    assert_is_that_of_nltk(any_texts, n, "mixed", MIXED.split)


@given(brute_force.groups(), st.sampled_from(ORDERS))
def test_of_groups_is_the_mean_over_groups(groups, n):
    grouped, flat = self_bleu(groups, n), [self_bleu(group, n).value for group in groups]
    np.testing.assert_allclose(grouped.values, flat, rtol=0, atol=1e-12)
    defined = [value for value in flat if not math.isnan(value)]
    assert grouped.n_counted == len(defined)
    assert grouped.value == pytest.approx(np.mean(defined) if defined else math.nan, abs=1e-12, nan_ok=True)


@given(brute_force.groups(), st.lists(st.sampled_from(ORDERS), min_size=1))
def test_several_orders_at_once_are_the_single_ones(groups, orders):
    together, single = self_bleu(groups, orders), [self_bleu(groups, n) for n in orders]
    assert repr(together) == repr(single)
    for several, one in zip(together, single, strict=True):
        np.testing.assert_array_equal(several.values, one.values)


@given(brute_force.groups(), st.sampled_from(ORDERS), st.sampled_from(["corpus", "group"]))
def test_bounds(groups, n, level):
    values = self_bleu(groups, n, level=level).values
    assert all(0 <= value <= 1 for value in values if not math.isnan(value))


@given(st.data(), st.lists(brute_force.texts(), min_size=1, max_size=6), st.sampled_from(ORDERS))
def test_order_of_texts_does_not_matter(data, texts, n):
    shuffled = data.draw(st.permutations(texts))
    assert self_bleu(shuffled, n).value == pytest.approx(self_bleu(texts, n).value, abs=1e-12, nan_ok=True)


def test_level_overrides_the_shape():
    groups = [["a b c", "a b d"], ["a b c", "x y"]]
    flat = [text for group in groups for text in group]
    np.testing.assert_array_equal(self_bleu(groups, 2, level="corpus").values, self_bleu(flat, 2).values)
    np.testing.assert_array_equal(self_bleu(flat, 2, level="group").values, [self_bleu(flat, 2).value])


def test_copies_predict_each_other_and_strangers_do_not():
    assert self_bleu(["a b c d e"] * 3, 5).value == 1.0
    assert self_bleu(["a b c", "d e f", "g h i"], 2).values.tolist() == [0.0, 0.0, 0.0]


def test_an_empty_text_is_left_out():
    texts = ["a b c d", "a b d c", "a c"]
    with_empty = self_bleu([texts[0], "", *texts[1:], " "], 2)
    assert with_empty.value == self_bleu(texts, 2).value
    assert (with_empty.n_counted, with_empty.n_total) == (3, 5)
    assert np.isnan(with_empty.values).tolist() == [False, True, False, False, True]


@pytest.mark.parametrize("texts", [["a b c"], ["a b c", ""], [["a b"], ["c d"]], [["", ""]], [""], [[]], [[], ["a"]]])
def test_one_text_has_nothing_to_be_compared_with(texts):
    score = self_bleu(texts, 2)
    assert math.isnan(score.value)
    assert score.n_counted == 0


def test_a_group_of_one_is_not_counted():
    score = self_bleu([["a b", "a b"], ["c d"]], 2)
    assert (score.value, score.n_counted, score.n_total) == (1.0, 1, 2)


def test_one_response_has_no_self_bleu():
    with pytest.raises(ValueError, match='`level` must be "corpus" or "group"'):
        self_bleu(["a", "b"], level="response")


@pytest.mark.parametrize("n", [0, -1, True, 2.5, "4", None, [0, 2], [2, True], (4, 2.0)])
def test_an_order_out_of_range_is_refused(n):
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1, got "):
        self_bleu(["a b", "a c"], n)


def test_no_orders_are_refused():
    with pytest.raises(ValueError, match="`n` must hold at least one order"):
        self_bleu(["a b", "a c"], [])


def test_a_numpy_integer_is_one_order():
    assert self_bleu(["a b", "a c"], np.int64(2)).value == self_bleu(["a b", "a c"], 2).value


def test_a_corpus_gives_the_same_as_its_texts():
    texts = [["a b c", "a b"], ["b c", "c"]]
    assert self_bleu(Corpus(texts, "whitespace"), 3) == self_bleu(texts, 3, "whitespace")


def test_a_text_of_a_megabyte():
    long = "word " * 200_000
    # of `long` one word in 200 000 is matched; `word other` matches half and is far too short
    assert self_bleu([long, "word other"], 1).values == pytest.approx([1 / 200_000, 0.0], abs=1e-15)
    assert self_bleu([long, long], 4).value == 1.0
