import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.trainer.pair_weights import check_pair_weights, deviation_weights, history_weights


def of_one_prompt(deviations):
    """The formula in words of its own: min–max to [−1, 1], geometric mean in [0, 1], then (1 + s) / mean(1 + s)."""
    per_encoder = []
    for row in deviations:
        low, high = min(row), max(row)
        per_encoder.append([0.0 if high == low else 2 * (d - low) / (high - low) - 1 for d in row])
    scores = []
    for values in zip(*per_encoder, strict=True):
        product = 1.0
        for value in values:
            product *= (value + 1) / 2
        scores.append(2 * product ** (1 / len(per_encoder)) - 1)
    mean = sum(1 + s for s in scores) / len(scores)
    return [1.0 if max(scores) - min(scores) < 1e-9 else (1 + s) / mean for s in scores]


def test_one_encoder_by_hand():
    # spread to −1, −0.5, 1: 1 + s is 0, 0.5, 2, whose mean is 5/6
    assert deviation_weights([0.1, 0.2, 0.5], ["p"] * 3) == pytest.approx([0.0, 0.6, 2.4])


def test_two_encoders_by_hand():
    # in [0, 1]: (0, 0.25, 1) and (1, 1, 0); their geometric means 0, 0.5, 0 have the mean 1/6
    deviations = [[0.1, 0.2, 0.5], [0.8, 0.8, 0.2]]
    assert deviation_weights(deviations, ["p"] * 3) == pytest.approx([0.0, 3.0, 0.0])


def test_an_encoder_that_sees_no_difference_does_not_decide():
    # in [0, 1]: (0, 0.5, 1) and (0.5, 0.5, 0.5); geometric means 0, 0.5, √0.5
    root = math.sqrt(0.5)
    expected = np.array([0.0, 0.5, root]) / ((0.5 + root) / 3)
    assert deviation_weights([[0.1, 0.2, 0.3], [0.4, 0.4, 0.4]], ["p"] * 3) == pytest.approx(expected)


@pytest.mark.parametrize(
    "deviations",
    [
        [0.4],  # one reply
        [0.4, 0.4, 0.4],  # all equal
        [0.3, 0.30000000000000004],  # equal but for rounding
        [[0.1, 0.9], [0.9, 0.1]],  # the encoders contradict each other: both geometric means are 0
        [math.nan, math.nan],
    ],
)
def test_where_nothing_tells_replies_apart_the_weight_is_one(deviations):
    n = np.shape(deviations)[-1]
    assert deviation_weights(deviations, ["p"] * n).tolist() == [1.0] * n


def test_an_undefined_reply_stays_out_of_the_mean():
    assert deviation_weights([0.1, math.nan, 0.5], ["p"] * 3) == pytest.approx([0.0, 1.0, 2.0])
    assert deviation_weights([[0.1, 0.2, 0.5], [0.1, math.nan, 0.5]], ["p"] * 3) == pytest.approx([0.0, 1.0, 2.0])


def test_ties_share_their_weight():
    assert deviation_weights([0.2, 0.2, 0.6], ["p"] * 3) == pytest.approx([0.0, 0.0, 3.0])


def test_prompts_do_not_see_each_other():
    deviations = [0.1, 0.9, 0.5, 0.2, 0.7]
    prompts = ["猫", "🙂", "猫", "🙂", ""]
    assert deviation_weights(deviations, prompts) == pytest.approx([0.0, 2.0, 2.0, 0.0, 1.0])


def test_no_replies_have_no_weights():
    assert deviation_weights([], []).tolist() == []


groups = st.lists(st.tuples(st.integers(0, 3), *[st.integers(0, 100)] * 2), min_size=1, max_size=12)


@given(groups)
def test_the_formula_and_its_mean(rows):
    prompts = [row[0] for row in rows]
    deviations = np.array([row[1:] for row in rows]).T / 100
    weights = deviation_weights(deviations, prompts)
    for prompt in set(prompts):
        own = [index for index, each in enumerate(prompts) if each == prompt]
        assert weights[own] == pytest.approx(of_one_prompt(deviations[:, own].tolist()), abs=1e-9)
        assert weights[own].mean() == pytest.approx(1.0)
    assert (weights >= 0).all()


@given(groups, st.integers(1, 5))
def test_scale_and_shift_do_not_matter(rows, factor):
    prompts = [row[0] for row in rows]
    deviations = np.array([row[1] for row in rows]) / 100
    assert deviation_weights(deviations, prompts) == pytest.approx(
        deviation_weights(deviations * factor + 0.5, prompts)
    )


@pytest.mark.parametrize("deviations", [[0.1], [[[0.1, 0.2]]], np.zeros((0, 2))])
def test_deviations_of_the_wrong_shape(deviations):
    with pytest.raises(ValueError, match=r"\(n,\) or \(encoders, n\) for n = 2"):
        deviation_weights(deviations, ["p", "p"])


def test_an_infinite_deviation():
    with pytest.raises(ValueError, match="must not be infinite"):
        deviation_weights([0.1, math.inf], ["p", "p"])


def test_history_by_hand():
    assert history_weights([0.0, 0.8, 0.85, 0.9, 1.0, math.nan]) == pytest.approx([1, 1, 0.75, 0.5, 0, 1])
    assert history_weights([0.25, 1.0], threshold=0.0) == pytest.approx([0.75, 0.0])


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.99))
def test_more_repetition_never_weighs_more(one, other, threshold):
    weights = history_weights([min(one, other), max(one, other)], threshold)
    assert 1 >= weights[0] >= weights[1] >= 0
    assert (weights[0] == 1) == (min(one, other) <= threshold) or weights[0] == pytest.approx(1.0)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, math.nan])
def test_a_threshold_out_of_range(threshold):
    with pytest.raises(ValueError, match=f"got {threshold!r}"):
        history_weights([0.5], threshold)


@pytest.mark.parametrize("value", [-0.5, math.nan, math.inf, -math.inf, None])
def test_what_is_no_weight(value):
    with pytest.raises(ValueError, match=r"finite number of at least 0, got .* in row 1 of `weight`"):
        check_pair_weights([1.0, value, -1.0], "`weight`")


@pytest.mark.parametrize("values", [["heavy"], [[1.0, 2.0]], [[1.0], [1.0, 2.0]]])
def test_what_is_no_number(values):
    with pytest.raises(TypeError, match="`weight`"):
        check_pair_weights(values, "`weight`")


def test_numbers_in_any_form_are_weights():
    assert check_pair_weights([1, True, "0.5", np.float32(2)], "`weight`").tolist() == [1.0, 1.0, 0.5, 2.0]
