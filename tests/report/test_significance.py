"""Tests of hfdiv/report/significance.py: means over prompts and their intervals."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hfdiv.report.significance import Estimate, paired_bootstrap


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=12)


def by_hand(values, n_resamples, seed, confidence=0.95):
    """The same bootstrap without scipy's: indices drawn by numpy, percentiles at the expanded level."""
    n = len(values)
    draws = np.random.default_rng(seed).integers(0, n, (n_resamples, n))
    means = np.asarray(values)[draws].mean(axis=1)
    tail = stats.norm.cdf(-math.sqrt(n / (n - 1)) * stats.t.ppf((1 + confidence) / 2, n - 1))
    return np.quantile(means, [tail, 1 - tail])


def test_agrees_with_a_bootstrap_by_hand():
    rng = np.random.default_rng(3)
    before, after = rng.normal(0.4, 0.1, 20), rng.normal(0.5, 0.2, 20)
    estimate = paired_bootstrap(before, after, n_resamples=4000, seed=5)
    cases = ((estimate.before, before), (estimate.after, after), (estimate.difference, after - before))
    for found, values in cases:
        assert found.value == pytest.approx(values.mean())
        # other draws than scipy's: equal up to the noise of 4000 of them
        assert [found.low, found.high] == pytest.approx(by_hand(values, 4000, 5), abs=0.05 * values.std())


def test_the_level_is_wider_than_plain_percentiles_and_approaches_them():
    rng = np.random.default_rng(0)
    for n, ratio in ((8, 1.30), (400, 1.005)):
        values = rng.normal(size=n)
        estimate = paired_bootstrap(np.zeros(n), values, n_resamples=20_000).difference
        plain = np.quantile(values[rng.integers(0, n, (20_000, n))].mean(axis=1), [0.025, 0.975])
        assert (estimate.high - estimate.low) / (plain[1] - plain[0]) == pytest.approx(ratio, abs=0.06)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(300):
        prompt = rng.normal(0, 1, 12)
        found = paired_bootstrap(prompt, prompt + 0.3 + rng.normal(0, 0.5, 12), n_resamples=200).difference
        hits += found.low <= 0.3 <= found.high
    assert 0.90 <= hits / 300 <= 0.99


def test_pairing_removes_what_differs_between_prompts():
    rng = np.random.default_rng(2)
    prompt = rng.normal(0, 10, 30)
    estimate = paired_bootstrap(prompt, prompt + rng.normal(0.2, 0.05, 30))
    assert estimate.difference.excludes_zero
    assert estimate.before.high > estimate.after.low  # the two sides alone would not tell


def test_the_sign_is_after_minus_before():
    low, high = np.linspace(0.1, 0.2, 10), np.linspace(0.6, 0.8, 10)
    assert paired_bootstrap(low, high).difference.low > 0
    assert paired_bootstrap(high, low).difference.high < 0


@given(PAIRS)
@settings(max_examples=25)
def test_swapping_the_sides_turns_the_difference_around(pairs):
    before, after = zip(*pairs, strict=True)
    there, back = (paired_bootstrap(*sides, n_resamples=50) for sides in ((before, after), (after, before)))
    assert there.before == back.after
    assert there.difference.value == -back.difference.value
    assert there.difference.low == pytest.approx(-back.difference.high, rel=1e-9, abs=1e-9)


@given(PAIRS)
@settings(max_examples=25)
def test_intervals_stay_inside_the_data(pairs):
    before, after = np.array(pairs).T
    estimate = paired_bootstrap(before, after, n_resamples=50)
    slack = 1e-9 * (1 + np.abs(before).max())
    assert before.min() - slack <= estimate.before.low <= estimate.before.high <= before.max() + slack


@pytest.mark.parametrize("value", [0.1, 0.0, -3.7, 1e9])
def test_values_that_are_all_the_same_have_an_interval_of_no_width(value):
    estimate = paired_bootstrap([value] * 7, [value] * 7)
    assert estimate.before == estimate.after
    assert estimate.before.low == estimate.before.value == estimate.before.high
    assert estimate.difference == Estimate(0.0, 0.0, 0.0)
    assert not estimate.difference.excludes_zero


def test_what_rounding_leaves_is_no_difference():
    before = np.linspace(1, 2, 9)
    assert not paired_bootstrap(before, before * (1 + 4e-16)).difference.excludes_zero
    assert paired_bootstrap(before, before * (1 + 1e-9)).difference.excludes_zero


def test_prompts_that_one_side_leaves_undefined_are_dropped_in_pairs():
    nan = math.nan
    estimate = paired_bootstrap([1.0, nan, 3.0, 5.0, 100.0], [2.0, 9.0, 5.0, 6.0, nan])
    assert estimate.n_counted == 3
    assert (estimate.before.value, estimate.after.value) == (3.0, pytest.approx(13 / 3))


@pytest.mark.parametrize(("values", "expected"), [([], math.nan), ([math.nan], math.nan), ([0.25], 0.25)])
def test_fewer_than_two_prompts_have_no_interval(values, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = paired_bootstrap(values, values)
    assert estimate.before.value == pytest.approx(expected, nan_ok=True)
    assert math.isnan(estimate.before.low)
    assert math.isnan(estimate.difference.high)
    assert not estimate.difference.excludes_zero
    assert estimate.n_counted == sum(not math.isnan(value) for value in values)


@pytest.mark.parametrize("values", [[1e308, 1e308, -1e308], [1e-320, 0.0], [0.0, 1.0]])
def test_no_data_makes_scipy_warn(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimate = paired_bootstrap(values, values[::-1], n_resamples=20)
    assert estimate.n_counted == len(values)


def test_the_seed_decides_the_draws():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=10), rng.normal(size=10)
    first, again, other = (paired_bootstrap(before, after, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.difference.low != other.difference.low
    assert first.difference.value == other.difference.value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_resamples": 0}, "n_resamples.*got 0"),
        ({"n_resamples": 2.5}, "n_resamples.*got 2.5"),
        ({"confidence": 95}, "confidence.*got 95"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap([1.0, 2.0], [1.0, 2.0], **arguments)


def test_sides_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        paired_bootstrap([1.0, 2.0], [1.0, 2.0, 3.0])


def test_estimate_for_json_has_no_nan():
    assert Estimate(math.nan, -math.inf, 1.0).to_dict() == {"value": None, "low": None, "high": 1.0}
