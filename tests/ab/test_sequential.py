"""Tests of hfdiv/ab/sequential.py: the boundary is the paper's, and holds over time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.ab.sequential import always_valid_p, as_t, critical_value, fixed_critical_value, fixed_p, from_t


ALPHAS = st.floats(0.001, 0.5)
CLOCKS = st.floats(1e-3, 1e6)


@given(ALPHAS, st.integers(1, 10**6), st.floats(0.01, 10))
def test_it_is_the_gaussian_mixture_boundary(alpha, t, rho):
    """The formula of Waudby-Smith et al. as they write it, in standard errors."""
    margin = math.sqrt(2 * (t * rho**2 + 1) / (t**2 * rho**2) * math.log(math.sqrt(t * rho**2 + 1) / alpha))
    assert critical_value(alpha, t * rho**2) == pytest.approx(margin * math.sqrt(t), rel=1e-9)


@given(ALPHAS, CLOCKS)
def test_p_is_alpha_where_the_interval_just_reaches_0(alpha, r):
    z = critical_value(alpha, r)
    assert always_valid_p(z, r) == pytest.approx(min(alpha, 1), rel=1e-6)
    assert always_valid_p(z * 1.01, r) < alpha < always_valid_p(z * 0.99, r) + 1e-12


@given(ALPHAS, CLOCKS)
def test_looking_always_costs_something(alpha, r):
    assert critical_value(alpha, r) > fixed_critical_value(alpha, math.inf)


def test_nothing_is_claimed_without_information():
    assert critical_value(0.05, 0.0) == math.inf
    assert critical_value(0.05, math.nan) == math.inf
    assert always_valid_p(5.0, 0.0) == 1.0
    assert math.isnan(always_valid_p(math.nan, 1.0))


def test_the_interval_is_relatively_narrowest_where_it_is_tuned():
    clocks = np.geomspace(0.1, 1000, 200)
    widths = [critical_value(0.05, r) for r in clocks]
    assert 5 < clocks[int(np.argmin(widths))] < 12


def test_a_random_walk_rarely_leaves_it():
    """1000 walks of 400 steps, looked at after every step: 5% may leave it, and many leave 1.96."""
    walks = np.random.default_rng(0).standard_normal((1000, 400)).cumsum(axis=1)
    steps = np.arange(1, 401)
    z = np.abs(walks) / np.sqrt(steps)
    r = steps * 8 / 400
    left = np.mean((z > [critical_value(0.05, clock) for clock in r]).any(axis=1))
    naive = np.mean((z > 1.96).any(axis=1))
    assert left <= 0.05
    assert left > 0.005  # it is a boundary, not a wall
    assert naive > 0.3


@given(st.floats(0, 8), st.floats(1, 500))
def test_t_and_normal_quantiles_belong_together(z, df):
    assert from_t(as_t(z, df), df) == pytest.approx(z, abs=1e-4)
    assert as_t(z, df) >= z - 1e-9


@given(st.floats(0.001, 60), st.floats(1, 1e6))
def test_a_quantile_of_t_lies_further_out_or_is_no_number(z, df):
    assert as_t(z, df) >= z * (1 - 1e-9)
    assert as_t(60, df) == math.inf


def test_fixed_values():
    assert fixed_p(fixed_critical_value(0.05, 7), 7) == pytest.approx(0.05)
    assert as_t(math.inf, 3) == math.inf
