"""Similarities and qualities for the tests of selection, and slow ways of choosing, written another way."""

import itertools
import math

import numpy as np
from hypothesis import strategies as st


@st.composite
def kernels(draw, max_size=7):
    """Cosines of non-negative vectors: (n, n), positive semi-definite, in [0, 1]; copies are likely."""
    n, d = draw(st.integers(1, max_size)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = rng.random((n, d)) + 1e-3
    if draw(st.booleans()):
        vectors = vectors[rng.integers(0, n, n)]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kernel = np.clip(vectors @ vectors.T, 0.0, 1.0)
    np.fill_diagonal(kernel, 1.0)
    return (kernel + kernel.T) / 2


def generic(seed, n=8, d=12):
    """A similarity and a quality without ties."""
    rng = np.random.default_rng(seed)
    vectors = rng.random((n, d)) ** 3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kernel = vectors @ vectors.T
    np.fill_diagonal(kernel, 1.0)
    return (kernel + kernel.T) / 2, rng.random(n) * 0.9 + 0.05


def naive_mmr(similarity, quality, k, trade_off):
    chosen = []
    while len(chosen) < k:
        scores = {
            i: trade_off * quality[i] - (1 - trade_off) * max((similarity[i][j] for j in chosen), default=0.0)
            for i in range(len(quality))
            if i not in chosen
        }
        chosen.append(max(scores, key=lambda i: (scores[i], -i)))
    return chosen


def naive_max_min(similarity, k, first):
    chosen = [first]
    while len(chosen) < k:
        nearest = {i: min(1 - similarity[i][j] for j in chosen) for i in range(len(similarity)) if i not in chosen}
        chosen.append(max(nearest, key=lambda i: (nearest[i], -i)))
    return chosen


def log_volume(similarity, quality, subset):
    """log det of diag(q) S diag(q) of a subset, by an LU decomposition."""
    kernel = np.diag(quality) @ similarity @ np.diag(quality)
    return np.linalg.slogdet(kernel[np.ix_(subset, subset)])[1]


def spread(similarity, subset):
    """The smallest distance between two of a subset."""
    return min((1 - similarity[i][j] for i, j in itertools.combinations(subset, 2)), default=math.inf)
