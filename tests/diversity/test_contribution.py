import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.diversity import novelty
from hfdiv.similarity import NgramSimilarity
from tests import brute_force


@st.composite
def similarities(draw):
    """A similarity matrix, some of whose pairs are undefined, and which texts are counted."""
    n = draw(st.integers(0, 6))
    entry = st.one_of(st.floats(0, 1), st.just(math.nan))
    rows = draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=n, max_size=n))
    counted = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(rows, dtype=float).reshape(n, n), np.array(counted, dtype=bool)


def brute_novelty(similarity, counted):
    values = []
    for i, row in enumerate(similarity):
        pairs = [1 - s for j, s in enumerate(row) if i != j and counted[i] and counted[j] and not math.isnan(s)]
        values.append(sum(pairs) / len(pairs) if pairs else math.nan)
    return values


@given(similarities())
def test_novelty_is_the_mean_distance_to_the_counted_others(given_):
    similarity, counted = given_
    before = similarity.copy()
    values = novelty(similarity, counted)
    assert values.tolist() == pytest.approx(brute_novelty(similarity, counted), abs=1e-12, nan_ok=True)
    assert all(0 <= value <= 1 + 1e-12 for value in values if not math.isnan(value))
    np.testing.assert_array_equal(similarity, before)


@given(similarities())
def test_by_default_all_are_counted(given_):
    similarity, _ = given_
    np.testing.assert_array_equal(novelty(similarity), novelty(similarity, np.ones(len(similarity), dtype=bool)))


@given(similarities(), st.floats(0, 1))
def test_a_text_that_is_not_counted_changes_nobody(given_, value):
    similarity, counted = given_
    changed = similarity.copy()
    changed[~counted, :] = value
    changed[:, ~counted] = value
    np.testing.assert_array_equal(novelty(changed, counted), novelty(similarity, counted))


@given(st.lists(brute_force.texts(), min_size=1, max_size=6))
def test_of_real_similarities_is_in_0_1(texts):
    values = novelty(NgramSimilarity(n=1, tokenizer="whitespace")(texts))
    assert all(0 <= value <= 1 for value in values if not math.isnan(value))
    spoken = [bool(text) for text in texts]
    assert (~np.isnan(values)).tolist() == [each and sum(spoken) > 1 for each in spoken]


def test_a_copy_adds_less_than_a_stranger():
    values = novelty(NgramSimilarity(n=1)(["a b", "a b", "c d"]))
    assert values.tolist() == [0.5, 0.5, 1.0]


def test_a_mask_may_be_a_list():
    assert novelty(np.zeros((3, 3)), [True, False, True]) == pytest.approx([1.0, math.nan, 1.0], nan_ok=True)


@pytest.mark.parametrize(("shape", "counted"), [((2, 3), None), ((3,), None), ((2, 2), [True]), ((2, 2), [True] * 3)])
def test_shapes_that_do_not_fit_are_refused(shape, counted):
    with pytest.raises(ValueError, match=r"must be \(n, n\) and `counted` \(n,\), got \("):
        novelty(np.zeros(shape), counted)
