"""Tests of hfdiv/ab/contrast.py against scipy and statsmodels, and where there is nothing to test."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from hfdiv.ab.contrast import CONTRASTS, MeanContrast, ProportionContrast, SkewedContrast
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.sequential import fixed_critical_value, fixed_p


def arm(values, unit=None):
    values = np.asarray(values, dtype=float)
    return arm_mean(values, np.arange(len(values)) if unit is None else np.asarray(unit))


def shares(hits, n):
    return arm([1] * hits + [0] * (n - hits))


def test_the_difference_of_means_is_welchs():
    rng = np.random.default_rng(0)
    left, right = rng.normal(0, 1, 60), rng.normal(0.5, 3, 90)
    contrast = MeanContrast(arm(left), arm(right))
    welch = stats.ttest_ind(right, left, equal_var=False)
    assert contrast.z == pytest.approx(welch.statistic)
    assert contrast.df == pytest.approx(welch.df)
    interval = contrast.difference(fixed_critical_value(0.05, contrast.df))
    assert (interval.low, interval.high) == pytest.approx(tuple(welch.confidence_interval()))


@given(st.integers(0, 40), st.integers(0, 60))
def test_the_difference_of_shares_is_newcombes(one, other):
    contrast = ProportionContrast(shares(one, 40), shares(other, 60))
    interval = contrast.difference(fixed_critical_value(0.05, math.inf))
    expected = confint_proportions_2indep(other, 60, one, 40, method="newcomb", compare="diff", alpha=0.05)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-9)
    assert contrast.df == math.inf


def test_newcombes_own_example():
    """56 of 70 against 48 of 80: 0.2, with 0.0524 and 0.3339 (Newcombe, 1998, table II, example a, method 10)."""
    interval = ProportionContrast(shares(48, 80), shares(56, 70)).difference(1.959964)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 40), st.integers(0, 60))
def test_p_and_interval_of_shares_say_the_same(one, other):
    contrast = ProportionContrast(shares(one, 40), shares(other, 60))
    z = contrast.z
    assert (z > 0) == (contrast.treatment.value > contrast.control.value)
    for width in (0.5, 1.96, 3.5):
        assert contrast.difference(width).excludes_zero == (abs(z) > width) or abs(abs(z) - width) < 1e-6


def test_a_huge_difference_of_shares_is_no_error():
    contrast = ProportionContrast(shares(0, 50_000), shares(50_000, 50_000))
    assert contrast.z == 37
    assert contrast.difference(100.0).low == -1
    assert fixed_p(contrast.z, contrast.df) < 1e-200


def test_conversations_of_one_user_are_not_independent():
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(60), 5)
    left, right = ((rng.random(60) < p).astype(float)[unit] for p in (0.3, 0.5))
    whole = ProportionContrast(arm(left, unit), arm(right, unit)).difference(1.96)
    split = ProportionContrast(arm(left), arm(right)).difference(1.96)
    users = ProportionContrast(arm(left[::5]), arm(right[::5])).difference(1.96)
    assert whole.high - whole.low > 2 * (split.high - split.low)
    assert (whole.low, whole.high) == pytest.approx((users.low, users.high), abs=0.005)


def test_the_ratio_is_that_of_the_logarithm():
    rng = np.random.default_rng(3)
    left, right = np.exp(rng.normal(3, 1, 400)), np.exp(rng.normal(3.3, 1, 400))
    contrast = SkewedContrast(arm(left), arm(right))
    se = math.hypot(*(x.std(ddof=1) / x.mean() / 20 for x in (left, right)))
    ratio = math.log(right.mean() / left.mean())
    assert contrast.z == pytest.approx(ratio / se)
    interval = contrast.relative(1.96)
    assert (interval.low, interval.high) == pytest.approx(
        (math.exp(ratio - 1.96 * se) - 1, math.exp(ratio + 1.96 * se) - 1)
    )
    assert 300 < contrast.df < 798


@given(st.floats(0.001, 1000))
def test_the_unit_of_time_changes_nothing(factor):
    left, right = np.array([1.0, 5.0, 2.5, 9.0]), np.array([2.0, 7.0, 3.0, 30.0])
    plain, scaled = SkewedContrast(arm(left), arm(right)), SkewedContrast(arm(left * factor), arm(right * factor))
    assert scaled.z == pytest.approx(plain.z)
    assert scaled.r(0.1) == pytest.approx(plain.r(0.1))
    assert scaled.relative(2.0).high == pytest.approx(plain.relative(2.0).high)


@pytest.mark.parametrize("kind", CONTRASTS)
def test_nothing_is_said_where_nothing_can_be(kind):
    for control, treatment in [
        (arm([1.0]), arm([0.0, 1.0])),  # one user
        (arm([np.nan]), arm([0.0, 1.0])),  # none with a value
        (arm([0.0, 1.0]), arm([1.0, 1.0], [0, 0])),  # one user, two conversations
    ]:
        contrast = CONTRASTS[kind](control, treatment)
        assert math.isnan(contrast.z)
        assert math.isnan(contrast.difference(2.0).low)
        assert math.isnan(contrast.relative(2.0).low)


@pytest.mark.parametrize("kind", ["mean", "skewed"])
def test_without_variance_there_is_no_test(kind):
    contrast = CONTRASTS[kind](arm([1.0] * 9), arm([1.0] * 9))
    assert math.isnan(contrast.z)
    assert math.isnan(contrast.r(0.1))


def test_shares_without_variance_can_still_be_told_apart():
    contrast = ProportionContrast(shares(0, 100), shares(0, 100))
    interval = contrast.difference(1.96)
    assert contrast.z == 0
    assert interval.low == pytest.approx(-interval.high)
    assert interval.high > 0.03
    assert contrast.r(0.1) > 0
    assert ProportionContrast(shares(0, 100), shares(100, 100)).difference(1.96).low > 0.9


def test_a_ratio_to_0_is_undefined():
    contrast = ProportionContrast(shares(0, 100), shares(5, 100))
    assert math.isnan(contrast.relative(1.96).value)
    assert contrast.difference(1.96).value == 0.05


@pytest.mark.parametrize("kind", CONTRASTS)
def test_twice_the_users_are_twice_the_information(kind):
    rng = np.random.default_rng(4)
    left, right = (rng.random(2000) < 0.3).astype(float), (rng.random(2000) < 0.4).astype(float)
    few = CONTRASTS[kind](arm(left[:1000]), arm(right[:1000]))
    many = CONTRASTS[kind](arm(np.tile(left[:1000], 2)), arm(np.tile(right[:1000], 2)))
    assert many.r(0.1) == pytest.approx(2 * few.r(0.1), rel=0.02)
    assert few.r(0.2) > 3 * few.r(0.1)
