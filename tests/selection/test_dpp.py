import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.selection import greedy_dpp, mmr
from tests.selection.sets import generic, kernels, log_volume


@given(kernels(), st.data())
def test_each_choice_has_the_largest_determinant(similarity, data):
    n = len(similarity)
    quality = np.array(data.draw(st.lists(st.floats(0.1, 10.0), min_size=n, max_size=n)))
    chosen = greedy_dpp(similarity, quality, n)
    assert sorted(chosen) == list(range(n))
    for size in range(n):
        volumes = [log_volume(similarity, quality, chosen[:size] + [i]) for i in range(n) if i not in chosen[:size]]
        if max(volumes) < -15:  # what is left adds nothing but rounding
            break
        assert log_volume(similarity, quality, chosen[: size + 1]) == pytest.approx(max(volumes), abs=1e-6)


def test_by_hand():
    # Gains q² (1 - 0.6²) = 0.64 q² for text 1 beside text 0, q² for text 2: 0.64 * 0.81 = 0.5184 against 0.49.
    similarity = [[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert greedy_dpp(similarity, [1.0, 0.9, 0.7], 2) == [0, 1]
    assert greedy_dpp(similarity, [1.0, 0.9, 0.75], 2) == [0, 2]


@pytest.mark.parametrize("seed", range(5))
def test_the_best_pair_of_all_is_not_far_off(seed):
    similarity, quality = generic(seed)
    best = max(log_volume(similarity, quality, pair) for pair in itertools.combinations(range(8), 2))
    assert log_volume(similarity, quality, greedy_dpp(similarity, quality, 2)) >= best - np.log(4)


def test_copies_come_last_by_quality():
    copies = np.kron(np.eye(3), np.ones((2, 2)))
    assert greedy_dpp(copies, None, 6) == [0, 2, 4, 1, 3, 5]
    assert greedy_dpp(copies, [0.9, 0.8, 0.5, 0.6, 0.3, 0.1], 6) == [0, 3, 4, 1, 2, 5]


def test_copies_come_last_in_float32():
    vectors = np.random.default_rng(0).random((6, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.repeat(vectors[:3], 2, axis=0)
    chosen = greedy_dpp(np.clip(vectors @ vectors.T, 0, 1), None, 6)
    assert sorted(i // 2 for i in chosen[:3]) == [0, 1, 2]


def test_the_scale_of_quality_does_not_matter():
    similarity, quality = generic(3)
    assert greedy_dpp(similarity, quality, 6) == greedy_dpp(similarity, quality * 1e-120, 6)
    assert greedy_dpp(similarity, quality, 6) == greedy_dpp(similarity, quality * 1e200, 6)


def test_quality_0_comes_last():
    assert greedy_dpp(np.eye(3), [0.0, 0.5, 0.0], 3) == [1, 0, 2]
    assert greedy_dpp(np.eye(3), [0.0, 0.0, 0.0], 2) == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_moves_with_the_texts(seed):
    similarity, quality = generic(seed)
    order = np.random.default_rng(seed).permutation(8)
    moved = greedy_dpp(similarity[np.ix_(order, order)], quality[order], 5)
    assert [order[i] for i in moved] == greedy_dpp(similarity, quality, 5)
    assert greedy_dpp(similarity, quality, 8)[:5] == greedy_dpp(similarity, quality, 5)


def test_undefined_texts_come_last():
    similarity = np.eye(3)
    similarity[0] = similarity[:, 0] = np.nan
    assert greedy_dpp(similarity, [9.0, 1.0, 2.0], 3) == [2, 1, 0]
    assert greedy_dpp(np.full((2, 2), np.nan), None, 1) == [0]


@pytest.mark.parametrize(
    ("similarity", "quality", "message"),
    [
        (np.eye(2), [0.5, -0.5], "`quality` must be at least 0, got -0.5"),
        (np.eye(2), [0.5, np.nan], "`quality` must be finite, got nan for text 1"),
        (np.eye(2), [0.5], r"one number a text, \(2,\), got \(1,\)"),
        ([[1.0, 0.5], [0.0, 1.0]], None, "must be symmetric for a DPP, but two directions differ by 0.5"),
        ([[0.5, 0.5], [0.5, 1.0]], None, "to itself must be 1 for a DPP, got 0.5"),
        ([[1.0, 0.9, 0.0], [0.9, 1.0, 0.9], [0.0, 0.9, 1.0]], None, "not positive semi-definite"),
        (np.ones((2, 3)), None, r"`similarity` must be \(n, n\), got \(2, 3\)"),
        ([[1.0, -0.1], [-0.1, 1.0]], None, r"must be in \[0, 1\], got -0.1"),
    ],
)
def test_bad_input(similarity, quality, message):
    with pytest.raises(ValueError, match=message):
        greedy_dpp(similarity, quality, 2)


@pytest.mark.parametrize("seed", range(8))
def test_as_pyversity_on_embeddings(seed):
    """The peer takes embeddings in float32; its DPP weighs quality as exp(β·z), its `diversity` is 1 − β and 1 − λ."""
    pyversity = pytest.importorskip("pyversity", reason="the peer is not installed")
    rng = np.random.default_rng(seed)
    vectors, quality = rng.random((20, 32)) ** 3, rng.random(20)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    kernel = np.clip(unit @ unit.T, 0, 1)
    z = (quality - quality.mean()) / quality.std()
    theirs = pyversity.diversify(vectors, quality, k=10, strategy="dpp", diversity=0.7)
    assert greedy_dpp(kernel, np.exp(0.3 * z), 10) == theirs.indices.tolist()
    theirs = pyversity.diversify(vectors, quality, k=10, strategy="mmr", diversity=0.7)
    assert mmr(kernel, quality, 10, trade_off=0.3) == theirs.indices.tolist()
