"""Tests of hfdiv/ab/mean.py: means over conversations, variances over users."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.ab.mean import arm_mean


VALUES = st.lists(st.floats(-100, 100), min_size=2, max_size=40)


@given(VALUES)
def test_with_one_conversation_a_user_it_is_the_standard_error_of_the_mean(values):
    values = np.array(values)
    mean = arm_mean(values, np.arange(len(values)))
    assert mean.value == pytest.approx(values.mean(), abs=1e-9)
    assert mean.se == pytest.approx(values.std(ddof=1) / math.sqrt(len(values)), abs=1e-7)
    assert mean.per_unit


@given(VALUES, st.integers(2, 5))
def test_saying_everything_twice_makes_nothing_surer(values, times):
    values = np.array(values)
    once = arm_mean(values, np.arange(len(values)))
    often = arm_mean(np.repeat(values, times), np.repeat(np.arange(len(values)), times))
    assert often.se == pytest.approx(once.se, abs=1e-9)
    assert often.n_units == once.n_units
    assert not often.per_unit


def test_it_agrees_with_the_cluster_robust_variance_of_statsmodels():
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(80), rng.integers(1, 6, 80))
    values = rng.normal(size=80)[unit] + rng.normal(size=len(unit))
    fit = api.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": unit, "df_correction": True, "use_correction": True}
    )
    assert arm_mean(values, unit).se == pytest.approx(fit.bse[0], rel=1e-9)


def test_units_need_no_order_and_missing_values_count_nowhere():
    values = np.array([1.0, np.nan, 3.0, 5.0, np.nan])
    mean = arm_mean(values, np.array([7, 7, 2, 7, 9]))
    assert (mean.value, mean.n_units, mean.n) == (3, 2, 3)
    assert mean.se == arm_mean(np.array([3.0, 1.0, 5.0]), np.array([0, 1, 1])).se


def test_what_is_not_known_is_not_a_number():
    nothing = arm_mean(np.array([np.nan]), np.array([0]))
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.se)
    assert (nothing.n, nothing.n_units) == (0, 0)
    alone = arm_mean(np.array([1.0, 2.0]), np.array([0, 0]))
    assert alone.value == 1.5
    assert math.isnan(alone.se)


def test_what_does_not_vary_has_no_spread():
    assert arm_mean(np.full(1000, 0.1), np.arange(1000) // 3).se == 0


def test_the_effective_number_falls_with_how_alike_conversations_are():
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(500), 4)
    independent = arm_mean((rng.random(2000) < 0.3).astype(float), unit)
    alike = arm_mean((rng.random(500) < 0.3).astype(float)[unit], unit)
    assert alike.effective_n == pytest.approx(500, rel=0.01)
    assert 1600 < independent.effective_n <= 2000
    assert arm_mean(np.zeros(2000), unit).effective_n == 500
    assert arm_mean(np.zeros(500), np.arange(500)).effective_n == 500
    assert arm_mean((rng.random(300) < 0.3).astype(float), np.arange(300)).effective_n == 300


def test_the_usual_size_of_values_that_may_be_negative():
    assert arm_mean(np.array([3.0, -3.0]), np.arange(2)).scale == 3
    assert arm_mean(np.array([3.0, 1.0]), np.arange(2)).scale == 2
