import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.similarity import NgramSimilarity
from tests import brute_force


corpora = st.lists(brute_force.texts(), min_size=1, max_size=6)
orders = st.integers(1, 3)


def jaccard(left, right, n):
    left, right = (set(brute_force.ngrams(text.split(), n)) for text in (left, right))
    return len(left & right) / len(left | right) if left and right else math.nan


@given(corpora, orders)
def test_is_the_jaccard_of_python_sets(texts, n):
    similarity = NgramSimilarity(n, "whitespace")(texts)
    expected = [[jaccard(left, right, n) for right in texts] for left in texts]
    np.testing.assert_allclose(similarity, expected, rtol=0, atol=1e-12)


@given(corpora, orders)
def test_symmetric_in_0_1_and_1_to_itself(texts, n):
    similarity = NgramSimilarity(n, "whitespace")(texts)
    defined = np.array([len(text.split()) >= n for text in texts])
    np.testing.assert_array_equal(similarity, similarity.T)
    np.testing.assert_array_equal(~np.isnan(similarity), np.outer(defined, defined))
    assert (np.diag(similarity)[defined] == 1).all()
    assert ((similarity[np.outer(defined, defined)] >= 0) & (similarity[np.outer(defined, defined)] <= 1)).all()


def test_texts_too_short_are_undefined():
    assert np.isnan(NgramSimilarity(n=3)(["a b", ""])).all()


def test_any_script(any_texts):
    similarity = NgramSimilarity(n=1)(any_texts)
    assert np.isnan(np.diag(similarity)).tolist() == [False] * 12 + [True] * 3
    # "Good morning!" twice, "您好" twice
    assert similarity[0, 1] > similarity[0, 2]
    assert similarity[4, 5] > similarity[4, 6]


def test_is_hashable_and_compares_by_value():
    assert NgramSimilarity(2) == NgramSimilarity()
    assert len({NgramSimilarity(1), NgramSimilarity(1), NgramSimilarity(2)}) == 2


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1, got 0"):
        NgramSimilarity(n=0)(["a"])
    with pytest.raises(ValueError, match="no texts"):
        NgramSimilarity()([])
    with pytest.raises(TypeError, match="got NoneType"):
        NgramSimilarity()(["a", None])
