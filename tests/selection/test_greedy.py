import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.selection import max_min, mmr
from hfdiv.similarity import NgramSimilarity
from tests import brute_force
from tests.selection.sets import generic, kernels, naive_max_min, naive_mmr, spread


COPIES = np.array([[1.0, 1.0, 0.2, 0.1], [1.0, 1.0, 0.2, 0.1], [0.2, 0.2, 1.0, 0.3], [0.1, 0.1, 0.3, 1.0]])


@given(st.data(), kernels(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_mmr_is_the_naive_one(data, similarity, trade_off):
    n = len(similarity)
    quality = data.draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=n, max_size=n))
    k = data.draw(st.integers(1, n))
    assert mmr(similarity, quality, k, trade_off) == naive_mmr(similarity, quality, k, trade_off)


def test_mmr_by_hand():
    quality = [0.9, 0.9, 0.5, 0.1]
    # 0.45 first; then text 1: 0.45 - 0.5, text 2: 0.25 - 0.1, text 3: 0.05 - 0.05
    assert mmr(COPIES, quality, 4) == [0, 2, 1, 3]  # and then 0.45 - 0.5 = -0.05 against 0.05 - 0.15
    assert mmr(COPIES, quality, 4, trade_off=0.1) == [0, 3, 2, 1]
    assert mmr(COPIES, quality, 4, trade_off=1.0) == [0, 1, 2, 3]


def test_mmr_reads_an_asymmetric_similarity_by_the_candidates_row():
    # All of text 1 is in text 0; little of text 2 is, but most of text 0 is in text 2.
    similarity = [[1.0, 0.3, 0.9], [1.0, 1.0, 0.0], [0.1, 0.0, 1.0]]
    assert mmr(similarity, None, 3) == [0, 2, 1]
    assert max_min(similarity, 3, quality=[1, 0, 0]) == [0, 2, 1]


@given(kernels(), st.data())
def test_max_min_is_the_naive_one(similarity, data):
    k = data.draw(st.integers(1, len(similarity)))
    first = data.draw(st.integers(0, len(similarity) - 1))
    quality = np.eye(len(similarity))[first]
    assert max_min(similarity, k, quality) == naive_max_min(similarity, k, first)


def test_max_min_starts_with_the_medoid():
    # Text 2 is most alike to all: 0.2 + 0.2 + 1 + 0.3; of the others text 3 is the farthest from the first two.
    similarity = [[1.0, 0.1, 0.5, 0.0], [0.1, 1.0, 0.6, 0.1], [0.5, 0.6, 1.0, 0.3], [0.0, 0.1, 0.3, 1.0]]
    assert max_min(similarity, 4) == [2, 3, 0, 1]


@given(st.lists(brute_force.texts(), min_size=2, max_size=7), st.data())
def test_max_min_is_within_half_of_the_best_for_a_metric(texts, data):
    similarity = NgramSimilarity(1, "whitespace")([f"{text} the" for text in texts])
    k = data.draw(st.integers(2, len(texts)))
    best = max(spread(similarity, subset) for subset in itertools.combinations(range(len(texts)), k))
    assert spread(similarity, max_min(similarity, k)) >= best / 2 - 1e-12


def test_copies_come_last():
    assert max_min(COPIES, 4, quality=[1, 1, 0, 0]) == [0, 3, 2, 1]
    assert mmr(COPIES, None, 4) == [0, 3, 2, 1]


@pytest.mark.parametrize("seed", range(5))
def test_moves_with_the_texts(seed):
    similarity, quality = generic(seed)
    order = np.random.default_rng(seed).permutation(len(quality))
    moved = similarity[np.ix_(order, order)]
    assert [order[i] for i in mmr(moved, quality[order], 5)] == mmr(similarity, quality, 5)
    assert [order[i] for i in max_min(moved, 5, quality[order])] == max_min(similarity, 5, quality)
    assert [order[i] for i in max_min(moved, 5)] == max_min(similarity, 5)


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_choice_begins_with_the_smaller(seed):
    similarity, quality = generic(seed)
    assert mmr(similarity, quality, 8)[:3] == mmr(similarity, quality, 3)
    assert max_min(similarity, 8)[:3] == max_min(similarity, 3)
    assert sorted(mmr(similarity, quality, 8)) == list(range(8))


def test_undefined_texts_come_last_by_quality():
    similarity = COPIES.copy()
    similarity[[1, 3]] = similarity[:, [1, 3]] = np.nan
    assert mmr(similarity, [0.1, 0.2, 0.3, 1.0], 4) == [2, 0, 3, 1]
    assert max_min(similarity, 4) == [0, 2, 1, 3]
    assert max_min(similarity, 1, quality=[0, 0, 0, 1]) == [0]
    assert mmr(np.full((2, 2), np.nan), [0.1, 0.2], 2) == [1, 0]


def test_equals_go_by_the_lowest_index():
    assert mmr(np.ones((4, 4)), None, 3) == max_min(np.eye(4), 3) == [0, 1, 2]


@pytest.mark.parametrize("choose", [lambda s, k: mmr(s, None, k), lambda s, k: max_min(s, k)])
@pytest.mark.parametrize(
    ("similarity", "k", "error", "message"),
    [
        (np.eye(3), 4, ValueError, "`k` must be from 1 to the number of texts, 3, got 4"),
        (np.eye(3), 0, ValueError, "`k` must be from 1 to the number of texts, 3, got 0"),
        (np.eye(3), 2.0, TypeError, "`k` must be an integer, got float"),
        (np.eye(3), True, TypeError, "`k` must be an integer, got bool"),
        (np.zeros((0, 0)), 1, ValueError, "the number of texts, 0, got 1"),
        (np.ones((2, 3)), 1, ValueError, r"`similarity` must be \(n, n\), got \(2, 3\)"),
        (np.ones(3), 1, ValueError, r"`similarity` must be \(n, n\), got \(3,\)"),
        ([[1.0, -0.2], [-0.2, 1.0]], 1, ValueError, r"must be in \[0, 1\], got -0.2 for texts 0 and 1"),
        ([[1.0, 1.5], [0.0, 1.0]], 1, ValueError, r"must be in \[0, 1\], got 1.5 for texts 0 and 1"),
        ([[1.0, np.nan], [0.0, 1.0]], 1, ValueError, r"must be in \[0, 1\], got nan for texts 0 and 1"),
    ],
)
def test_bad_input(choose, similarity, k, error, message):
    with pytest.raises(error, match=message):
        choose(similarity, k)


@pytest.mark.parametrize("quality", [[0.1, np.nan, 0.2], [0.1, np.inf, 0.2]])
def test_quality_must_be_finite(quality):
    for choose in (lambda: mmr(np.eye(3), quality, 1), lambda: max_min(np.eye(3), 1, quality)):
        with pytest.raises(ValueError, match=r"`quality` must be finite, got (nan|inf) for text 1"):
            choose()


def test_bad_quality_and_trade_off():
    with pytest.raises(ValueError, match=r"one number a text, \(3,\), got \(2,\)"):
        mmr(np.eye(3), [0.1, 0.2], 1)
    with pytest.raises(ValueError, match=r"`quality` must be in \[0, 1\] .* from -1 to 0.2"):
        mmr(np.eye(3), [-1, 0.1, 0.2], 1)
    with pytest.raises(ValueError, match=r"`quality` must be in \[0, 1\] .* from 0 to 5"):
        mmr(np.eye(3), [0, 1, 5], 1)
    for trade_off in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="`trade_off` must be from 0"):
            mmr(np.eye(3), None, 1, trade_off)
