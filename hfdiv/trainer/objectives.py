"""What one group's completions earn for diversity. Pure functions over arrays of one group; higher = earns more.

A reward r_i becomes r_i + λ·term_i, or an advantage A_i + λ·term_i: at λ = 0 nothing is left of a term, at λ = 1 each
is its paper's form. `counted` tells which completions take part: finished, scored and good enough. One that the
similarity leaves undefined does not take part either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hfdiv.diversity import log_det_leave_one_out, novelty
from hfdiv.similarity import ThresholdPartition


if TYPE_CHECKING:
    from hfdiv.trainer.arguments import DiversityArguments

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Objective: TypeAlias = Callable[[Floats, Floats, Bools], Floats]
"""From the quality `(G,)`, similarity `(G, G)` and `counted` `(G,)` of a group to the term of each completion."""

FLOOR = 0.1
"""Least novelty in the multiplicative form, as in DARLING: the quality of a group of copies still counts."""


def objective_of(config: DiversityArguments) -> Objective:
    """Return the objective that a config names."""
    if config.diversity_form == "adjustment":
        return graph_cut if config.diversity_adjustment == "graph_cut" else log_det
    if config.diversity_form == "frequency":
        return lambda _, similarity, counted: frequency(similarity, counted, config.diversity_threshold)
    if config.diversity_form == "multiplicative":
        return multiplicative
    own = {"additive": additive, "advantage": advantage, "set_marginal": set_marginal}[config.diversity_form]
    return lambda _, similarity, counted: own(similarity, counted)


def additive(similarity: Floats, counted: Bools) -> Floats:
    """Novelty of each completion, Σ_{j ≠ i} (1 − s_ij) / (G − 1), in [0, 1]. Higher = more varied.

    The mean over j of the pairwise form r_i − r_j + λ·D(y_i, y_j): the baseline r_j is the parent's to subtract.

    Args:
        similarity: `(G, G)`, NaN where undefined.
        counted: `(G,)`, who takes part.

    Returns:
        `(G,)`, 0 for a completion that takes no part or has nobody to be compared with.

    Example:
        >>> additive(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([True, True, True]))
        array([0.5, 0.5, 1. ])
    """
    return np.nan_to_num(novelty(similarity, counted))


def multiplicative(quality: Floats, similarity: Floats, counted: Bools) -> Floats:
    """What is left of a reward times its diversity, minus the reward: (r_i − m)·(max(d_i, 0.1) − 1) ≤ 0.

    From *DARLING* (Li et al., 2025, https://huggingface.co/papers/2509.02534): r·d, with d_i the novelty; for a
    partition that is (G − |class of i|) / (G − 1), as there. Where the group's least reward is below 0, m is that
    reward and only what lies above it is scaled: a negative reward must not be better for being common. Else m is 0.

    Args:
        quality: `(G,)`, NaN for a completion without a reward.
        similarity: As in [`additive`].
        counted: As in [`additive`].

    Returns:
        `(G,)`. A completion that takes no part is scaled by the floor, as a copy of all others; the only one that
        takes part keeps its reward, being unlike all others.

    Example:
        >>> same = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> quality, counted = np.array([1.0, 1.0, 1.0]), np.array([True, True, True])
        >>> quality + multiplicative(quality, same, counted)
        array([0.5, 0.5, 1. ])
    """
    alone = _alone(similarity, counted)
    distance = np.where(alone, 1.0, np.nan_to_num(novelty(similarity, counted)))
    return _scaled(quality, np.maximum(distance, FLOOR))


def graph_cut(quality: Floats, similarity: Floats, counted: Bools) -> Floats:
    """What DRA leaves of a reward, minus the reward: (r_i − m)·(1 / (1 + Σ_{j ≠ i} s_ij) − 1) ≤ 0.

    From *DRA-GRPO* (Chen et al., 2025, https://huggingface.co/papers/2505.09655): r / (1 + I(i; the others)), I being
    the submodular mutual information of the graph cut. Negative similarities count as 0. m as in [`multiplicative`].

    Args:
        quality: As in [`multiplicative`].
        similarity: As in [`additive`].
        counted: As in [`additive`].

    Returns:
        `(G,)`. A completion that takes no part is divided as a copy of all that do.

    Example:
        >>> same = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> quality, counted = np.array([1.0, 1.0, 1.0]), np.array([True, True, True])
        >>> quality + graph_cut(quality, same, counted)
        array([0.5, 0.5, 1. ])
    """
    defined = _defined(similarity, counted)
    pairs = defined[:, None] & defined[None, :] & ~np.eye(len(defined), dtype=bool)
    shared = np.where(pairs, np.clip(np.nan_to_num(similarity), 0.0, None), 0.0).sum(axis=1)
    return _scaled(quality, 1.0 / (1.0 + np.where(defined, shared, defined.sum())))


def log_det(quality: Floats, similarity: Floats, counted: Bools) -> Floats:
    """As [`graph_cut`], with the mutual information of the log-determinant, in [0, log 2).

    I(i; the others) = f({i}) + f(the others) − f(all) with f(S) = log det(I + K_S), which is
    log 2 + log [(I + K)⁻¹]_ii. The identity keeps it finite where a completion is given twice.

    Args:
        quality: As in [`multiplicative`].
        similarity: As in [`additive`]; positive semi-definite, as n-grams, embeddings and partitions are.
        counted: As in [`additive`].

    Returns:
        As [`graph_cut`].

    Raises:
        ValueError: If the similarity is not symmetric, or I + K is not positive definite.

    Example:
        >>> quality, counted = np.array([1.0, 1.0]), np.array([True, True])
        >>> (quality + log_det(quality, np.eye(2), counted)).round(9)
        array([1., 1.])
    """
    defined = _defined(similarity, counted)
    shared = np.log(2.0) - log_det_leave_one_out(similarity, counted=defined)
    copy_of_all = np.log(2.0) - np.log1p(1.0 / (1.0 + defined.sum()))
    return _scaled(quality, 1.0 / (1.0 + np.where(defined, shared, copy_of_all)))


def frequency(similarity: Floats, counted: Bools, threshold: float) -> Floats:
    """How much rarer than average a completion's class is, 1/L − f_i, in (−1, 1). Higher = rarer.

    From *GAPO* (Anschel et al., 2025, https://huggingface.co/papers/2511.12596): a valid answer earns
    1 − (f_i − 1/L), f_i being the share of the valid answers that are the same and L the number of different ones that
    are valid; an invalid one earns −1. Here the quality reward says what is valid (1, or −1), the quality gate who is
    counted, and L is the number of classes in the group, since open prompts have no list.

    Args:
        similarity: As in [`additive`]. A class is a chain of completions that are alike.
        counted: As in [`additive`].
        threshold: Similarity in (0, 1] from which on two completions are alike.

    Returns:
        `(G,)`, 0 for a completion that takes no part.

    Example:
        >>> same = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> frequency(same, np.array([True, True, True]), threshold=0.5).round(3)
        array([-0.167, -0.167,  0.167])
    """
    index = np.flatnonzero(_defined(similarity, counted))
    term = np.zeros(len(similarity))
    if len(index):
        among = similarity[np.ix_(index, index)]
        labels = ThresholdPartition(lambda _: among, threshold)([""] * len(index))
        sizes = np.bincount(labels)
        term[index] = 1.0 / len(sizes) - sizes[labels] / len(index)
    return term


def advantage(similarity: Floats, counted: Bools) -> Floats:
    """Novelty minus its mean over the completions that take part. Higher = more varied; sums to 0.

    Centred, it moves probability inside a group and never raises all of it.

    Args:
        similarity: As in [`additive`].
        counted: As in [`additive`].

    Returns:
        `(G,)`, 0 for a completion that takes no part or has nobody to be compared with.

    Example:
        >>> advantage(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([True] * 3)).round(3)
        array([-0.167, -0.167,  0.333])
    """
    return centred(novelty(similarity, counted))


def set_marginal(similarity: Floats, counted: Bools) -> Floats:
    """What each completion adds to log det(I + K) of its group, centred. Higher = adds more; sums to 0.

    From *SetPO* (Li et al., 2026, https://huggingface.co/papers/2602.01062), which adds the leave-one-out marginal of
    a kernel set function to the advantage; for this function it is −log [(I + K)⁻¹]_ii.

    Args:
        similarity: As in [`log_det`].
        counted: As in [`additive`].

    Returns:
        `(G,)`, 0 for a completion that takes no part.

    Raises:
        ValueError: As in [`log_det`].

    Example:
        >>> set_marginal(np.eye(2), np.array([True, True]))
        array([0., 0.])
    """
    return centred(log_det_leave_one_out(similarity, counted=_defined(similarity, counted)))


def centred(values: Floats) -> Floats:
    """Values minus the mean of those that are defined, 0 where undefined."""
    defined = ~np.isnan(values)
    if not defined.any():
        return np.zeros(len(values))
    return np.where(defined, values - values[defined].mean(), 0.0)


def _defined(similarity: Floats, counted: Bools) -> Bools:
    """Who takes part: counted, and defined, which shows in the similarity to itself."""
    found: Bools = counted & ~np.isnan(np.diag(similarity))
    return found


def _alone(similarity: Floats, counted: Bools) -> Bools:
    """The one completion that takes part, where there is only one."""
    defined = _defined(similarity, counted)
    return defined if defined.sum() == 1 else np.zeros(len(defined), dtype=bool)


def _scaled(quality: Floats, factor: Floats) -> Floats:
    """What scaling a reward by a factor in [0, 1] adds to it; below 0 the group's least reward stands for zero."""
    scored = ~np.isnan(quality)
    if not scored.any():
        return np.zeros(len(quality))
    zero = min(float(quality[scored].min()), 0.0)
    return np.where(scored, (quality - zero) * (factor - 1.0), 0.0)
