import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer.arguments import DiversityArguments
from hfdiv.trainer.objectives import (
    additive,
    advantage,
    frequency,
    graph_cut,
    log_det,
    multiplicative,
    objective_of,
    set_marginal,
)


WORDS = "red green blue one".split()
# Three texts: two share one of three bigrams, the third has nothing in common with them.
SIMILAR = np.array([[1.0, 1 / 3, 0.0], [1 / 3, 1.0, 0.0], [0.0, 0.0, 1.0]])
ALL = np.array([True, True, True])
COPIES = np.ones((4, 4))
EVERYBODY = np.ones(4, dtype=bool)


@st.composite
def groups(draw):
    """Quality, similarity (of real texts, some too short to compare) and who counts."""
    size = draw(st.integers(1, 6))
    texts = draw(st.lists(st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join), min_size=size, max_size=size))
    quality = draw(hnp.arrays(float, size, elements=st.floats(-3, 3).map(lambda x: round(x, 3))))
    counted = draw(hnp.arrays(bool, size))
    return quality, NgramSimilarity(2)(texts), counted


def members(similarity, counted):
    """Who takes part, worked out one by one."""
    return [i for i in range(len(counted)) if counted[i] and not math.isnan(similarity[i, i])]


def mean_distance(similarity, inside, i):
    others = [1 - similarity[i, j] for j in inside if j != i]
    return sum(others) / len(others) if others else None


def log_volume(similarity, inside):
    kernel = np.array([[similarity[i, j] + (i == j) for j in inside] for i in inside])
    return math.log(np.linalg.det(kernel)) if inside else 0.0


def scaled(quality, factor):
    """Σ of r_i·factor_i, counted from the least reward where that is negative."""
    zero = min(0.0, min(quality))
    return [zero + (r - zero) * f for r, f in zip(quality, factor, strict=True)]


def test_additive_by_hand():
    assert additive(SIMILAR, ALL) == pytest.approx([(2 / 3 + 1) / 2, (2 / 3 + 1) / 2, 1.0])


@given(groups())
def test_additive_is_the_mean_of_the_pairwise_form_over_the_others(group):
    quality, similarity, counted = group
    inside, weight = members(similarity, counted), 0.7
    term = additive(similarity, counted)
    for i in range(len(quality)):
        others = [j for j in inside if j != i]
        if i not in inside or not others:
            assert term[i] == 0
            continue
        pairwise = [quality[i] - quality[j] + weight * (1 - similarity[i, j]) for j in others]
        baseline = np.mean([quality[j] for j in others])
        assert quality[i] - baseline + weight * term[i] == pytest.approx(np.mean(pairwise))


def test_multiplicative_by_hand():
    quality = np.array([1.0, 2.0, 3.0])
    assert quality + multiplicative(quality, SIMILAR, ALL) == pytest.approx([5 / 6, 10 / 6, 3.0])


def test_multiplicative_is_darlings_share_of_other_classes_for_a_partition():
    labels = np.array([0, 0, 0, 1])
    same = (labels[:, None] == labels[None, :]).astype(float)
    quality = np.array([1.0, 0.5, 0.0, 1.0])
    expected = quality * [(4 - 3) / 3, (4 - 3) / 3, (4 - 3) / 3, (4 - 1) / 3]
    assert quality + multiplicative(quality, same, EVERYBODY) == pytest.approx(expected)


@given(groups())
def test_multiplicative_is_the_reward_times_its_novelty(group):
    quality, similarity, counted = group
    inside = members(similarity, counted)
    factor = [0.1] * len(quality)
    for i in inside:
        distance = mean_distance(similarity, inside, i)
        factor[i] = 1.0 if distance is None else max(distance, 0.1)
    assert quality + multiplicative(quality, similarity, counted) == pytest.approx(scaled(quality, factor))


@given(groups())
def test_graph_cut_divides_by_one_and_what_is_shared(group):
    quality, similarity, counted = group
    inside = members(similarity, counted)
    shared = [
        sum(similarity[i, j] for j in inside if j != i) if i in inside else len(inside) for i in range(len(quality))
    ]
    expected = scaled(quality, [1 / (1 + each) for each in shared])
    assert quality + graph_cut(quality, similarity, counted) == pytest.approx(expected)


@given(groups())
def test_log_det_divides_by_one_and_the_mutual_information_of_three_volumes(group):
    quality, similarity, counted = group
    inside = members(similarity, counted)
    shared = []
    for i in range(len(quality)):
        if i in inside:
            others = [j for j in inside if j != i]
            shared.append(math.log(2) + log_volume(similarity, others) - log_volume(similarity, inside))
        else:  # as a copy of all
            n = len(inside)
            shared.append(math.log(2) + math.log(1 + n) - math.log(2 + n))
    expected = scaled(quality, [1 / (1 + each) for each in shared])
    assert quality + log_det(quality, similarity, counted) == pytest.approx(expected)


def test_the_adjustments_of_copies_and_of_strangers():
    quality = np.ones(4)
    assert quality + graph_cut(quality, COPIES, EVERYBODY) == pytest.approx(1 / 4)
    assert quality + graph_cut(quality, np.eye(4), EVERYBODY) == pytest.approx(1.0)
    # one of four copies adds log(1 + 1/4) and shares the rest of log 2
    expected = 1 / (1 + math.log(2) - math.log(1 + 1 / 4))
    assert quality + log_det(quality, COPIES, EVERYBODY) == pytest.approx(expected)
    assert quality + log_det(quality, np.eye(4), EVERYBODY) == pytest.approx(1.0)


def test_a_negative_cosine_is_no_bonus():
    against = np.array([[1.0, -0.9], [-0.9, 1.0]])
    quality = np.ones(2)
    assert quality + graph_cut(quality, against, np.array([True, True])) == pytest.approx(1.0)


def test_frequency_by_hand():
    labels = np.array([0, 0, 0, 1, 2])
    same = (labels[:, None] == labels[None, :]).astype(float)
    counted = np.array([True, True, True, True, False])
    # four counted in two classes: 1/2 − 3/4 for the common one, 1/2 − 1/4 for the rare one
    assert frequency(same, counted, 0.5).tolist() == [-0.25, -0.25, -0.25, 0.25, 0.0]


def test_frequency_with_a_valid_or_invalid_reward_is_gapos():
    answers = ["red", "red", "blue", "nonsense"]
    valid = np.array([1.0, 1.0, 1.0, -1.0])
    term = frequency(NgramSimilarity(1)(answers), counted=valid > 0, threshold=1.0)
    n_valid, kinds = 3, 2
    gapo = [
        1 - (answers.count(answer) / n_valid - 1 / kinds) if ok > 0 else -1
        for answer, ok in zip(answers, valid, strict=True)
    ]
    assert valid + term == pytest.approx(gapo)


@given(groups(), st.sampled_from([0.3, 0.6, 1.0]))
def test_frequency_counts_the_classes_of_chains(group, threshold):
    _, similarity, counted = group
    inside = members(similarity, counted)
    label = {i: i for i in inside}
    for _ in inside:  # as many rounds as there can be links in a chain
        for i in inside:
            for j in inside:
                if similarity[i, j] >= threshold:
                    label[i] = label[j] = min(label[i], label[j])
    sizes = Counter(label.values())
    expected = [1 / len(sizes) - sizes[label[i]] / len(inside) if i in label else 0.0 for i in range(len(counted))]
    assert frequency(similarity, counted, threshold) == pytest.approx(expected)


@given(groups())
def test_the_terms_on_the_advantage_are_centred_over_those_who_take_part(group):
    _, similarity, counted = group
    inside = members(similarity, counted)
    distances = {i: mean_distance(similarity, inside, i) for i in inside}
    gains = {i: log_volume(similarity, inside) - log_volume(similarity, [j for j in inside if j != i]) for i in inside}
    for term, values in ((advantage(similarity, counted), distances), (set_marginal(similarity, counted), gains)):
        defined = {i: value for i, value in values.items() if value is not None}
        mean = np.mean(list(defined.values())) if defined else 0.0
        expected = [defined[i] - mean if i in defined else 0.0 for i in range(len(counted))]
        assert term == pytest.approx(expected, abs=1e-9)
        assert term.sum() == pytest.approx(0, abs=1e-9)


def of(form, **options):
    config = object.__new__(DiversityArguments)
    for name, value in {
        "diversity_form": form,
        "diversity_adjustment": "graph_cut",
        "diversity_threshold": 0.5,
    }.items():
        setattr(config, name, options.get(name, value))
    return objective_of(config)


EVERY = [
    *(of(form) for form in ("additive", "multiplicative", "adjustment", "set_marginal", "frequency", "advantage")),
    of("adjustment", diversity_adjustment="log_det"),
]


@pytest.mark.parametrize("objective", EVERY)
@settings(max_examples=25)
@given(group=groups(), order=st.randoms(use_true_random=False))
def test_no_objective_knows_the_order_of_a_group_or_returns_what_is_not_finite(objective, group, order):
    quality, similarity, counted = group
    term = objective(quality, similarity, counted)
    assert np.isfinite(term).all()
    places = list(range(len(quality)))
    order.shuffle(places)
    shuffled = objective(quality[places], similarity[np.ix_(places, places)], counted[places])
    assert shuffled == pytest.approx(term[places], abs=1e-9)


@pytest.mark.parametrize("objective", EVERY)
def test_a_rarer_reply_never_earns_less_than_its_equally_good_siblings(objective):
    copies_and_one = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]], dtype=float)
    for quality in (np.ones(4), np.full(4, 0.5), np.array([-1.0, 2.0, 2.0, 2.0])):
        term = objective(quality, copies_and_one, EVERYBODY)
        assert term[3] > term[2]


@pytest.mark.parametrize("objective", EVERY)
def test_among_copies_nobody_earns_more_than_another(objective):
    assert objective(np.ones(4), COPIES, EVERYBODY) == pytest.approx(objective(np.ones(4), COPIES, EVERYBODY)[0])


@pytest.mark.parametrize("objective", EVERY)
def test_a_group_of_one_is_left_alone(objective):
    for quality in (np.array([2.0]), np.array([-2.0])):
        assert objective(quality, np.eye(1), np.array([True])) == pytest.approx([0.0])


@pytest.mark.parametrize("objective", EVERY)
def test_a_group_without_a_comparable_reply_gets_nothing_but_a_common_scale(objective):
    undefined = np.full((3, 3), np.nan)
    assert len(set(objective(np.ones(3), undefined, ALL).round(12))) == 1
    assert objective(np.full(3, np.nan), undefined, np.zeros(3, dtype=bool)) == pytest.approx([0.0] * 3)


@pytest.mark.parametrize("objective", EVERY)
def test_who_takes_no_part_never_earns_more_than_who_does(objective):
    counted = np.array([True, True, True, False])
    for similarity in (np.eye(4), COPIES, np.where(np.eye(4) > 0, 1.0, 0.3)):
        for weight in (0.5, 1.0):
            earned = 1 + weight * objective(np.ones(4), similarity, counted)
            assert earned[3] <= earned[:3].max() + 1e-12


def test_a_negative_reward_is_not_better_for_being_common():
    """Scaled as it is, −1 would become −1/3 for a copy: the trap in the published code."""
    copies_and_one = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 1]], dtype=float)
    quality = np.array([-1.0, -0.5, -0.5, -0.5])
    for objective in (multiplicative, graph_cut, log_det):
        reward = quality + objective(quality, copies_and_one, EVERYBODY)
        assert reward[0] == -1.0  # the worst stays the worst
        assert reward[3] == pytest.approx(-0.5)
        assert (reward[1:3] < reward[3]).all()
