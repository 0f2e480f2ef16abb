"""Tests of hfdiv/ab/plan.py: sizes that have the power they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from hfdiv.ab.plan import Baseline, baseline_of, peeking_factor, plan
from hfdiv.ab.sequential import critical_value
from hfdiv.data import DataError
from tests.ab.logs import row, write_log


def test_the_usual_textbook_case():
    """Fleiss, without correction for continuity: 0.6 against 0.7, alpha 0.05, power 0.8."""
    assert plan(Baseline(0.6), effect=0.1).control == 356


@given(st.floats(0.05, 0.8), st.floats(0.02, 0.15), st.floats(0.3, 3))
@hypothesis_settings(max_examples=25)
def test_a_proportion_has_the_power_it_promises(share, effect, ratio):
    found = plan(Baseline(share), effect=effect, ratio=ratio, power=0.9)
    power = power_proportions_2indep(effect, share, found.treatment, ratio=found.control / found.treatment).power
    assert power == pytest.approx(0.9, abs=0.02)


def test_a_mean_has_the_power_it_promises():
    found = plan(Baseline(60, sd=80), effect=6, ratio=0.5)
    power = TTestIndPower().power(6 / 80, found.control, 0.05, ratio=0.5)
    assert power == pytest.approx(0.8, abs=0.001)
    assert found.treatment == math.ceil(found.control / 2)
    assert plan(Baseline(60, sd=80), effect=-6).control == plan(Baseline(60, sd=80), effect=6).control


@pytest.mark.parametrize("baseline", [Baseline(0.3), Baseline(60, 80), Baseline(0.3, conversations=3, alike=0.2)])
def test_effect_and_size_undo_each_other(baseline):
    effect = 0.1 * baseline.value
    found = plan(baseline, effect=effect)
    assert plan(baseline, units=found.control).effect == pytest.approx(effect, rel=0.01)
    assert found.relative == pytest.approx(0.1)


def test_users_who_come_back_help_as_far_as_they_differ_from_themselves():
    sizes = [plan(Baseline(0.3, conversations=4, alike=alike), effect=0.03).control for alike in (0.0, 0.5, 1.0)]
    alone = plan(Baseline(0.3), effect=0.03).control
    assert sizes[0] == pytest.approx(alone / 4, abs=1)
    assert sizes[1] == pytest.approx(alone * 2.5 / 4, abs=1)
    assert sizes[2] == alone


def test_more_tests_need_more_units():
    two, four = (plan(Baseline(0.3), effect=0.03, n_arms=n) for n in (2, 4))
    assert (two.alpha, four.alpha) == (0.05, pytest.approx(0.05 / 3))
    assert four.control > 1.2 * two.control
    assert plan(Baseline(0.3), effect=0.03, n_arms=4, n_tests=1).control == two.control


def test_days_follow_from_the_traffic_of_all_arms():
    found = plan(Baseline(0.3), effect=0.03, n_arms=3, ratio=0.5, units_per_day=500)
    assert found.days == math.ceil((found.control + 2 * found.treatment) / 500)
    assert found.peeking_days == math.ceil(found.factor * (found.control + 2 * found.treatment) / 500)
    assert plan(Baseline(0.3), effect=0.03).to_dict()["days"] is None


def test_an_experiment_that_is_looked_at_has_its_power_at_its_end():
    """By simulation: effects at the size planned for, where the information grows to the factor."""
    factor = peeking_factor(0.05, 0.8)
    drift = 1.959964 + 0.841621  # of z at one unit of information, for the fixed test's power
    r_at_1 = drift**2
    rng = np.random.default_rng(0)
    steps = np.linspace(0, factor, 201)[1:]
    walks = rng.normal(0, np.sqrt(np.diff(steps, prepend=0)), (3000, 200)).cumsum(axis=1) + drift * steps
    z = walks / np.sqrt(steps)
    bounds = np.array([critical_value(0.05, r_at_1 * step) for step in steps])
    assert np.mean(z[:, -1] > bounds[-1]) == pytest.approx(0.8, abs=0.03)
    found = (z > bounds).any(axis=1)
    assert found.mean() > 0.8


def logged(tmp_path, n=300):
    rng = np.random.default_rng(0)
    rows = [
        row(f"u{unit}", "control", number, dwell_time=float(rng.lognormal(4, 1)), abandoned=bool(rng.random() < 0.3))
        for unit in range(n)
        for number in range(1 + unit % 2)
    ]
    return write_log(tmp_path / "past.jsonl", rows)


def test_a_baseline_from_a_log(tmp_path):
    path = logged(tmp_path)
    share = baseline_of([path], "abandoned")
    assert share.value == pytest.approx(0.3, abs=0.05)
    # 1.5 independent conversations a unit: each unit tells 1.5 times as much
    assert share.sd == pytest.approx(math.sqrt(share.value * (1 - share.value) / 1.5), rel=0.1)
    assert baseline_of([path], "conversations").value == 1.5
    assert plan(share, effect=0.03).control < plan(Baseline(share.value), effect=0.03).control


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "one of the two"),
        ({"effect": 0.1, "units": 10}, "one of the two"),
        ({"effect": 0}, "must change and stay between 0 and 1"),
        ({"effect": 0.9}, "must change and stay between 0 and 1"),
        ({"effect": 0.1, "alpha": 0}, "`alpha` must be between 0 and 1"),
        ({"effect": 0.1, "power": 1.0}, "`power` must be between 0 and 1"),
        ({"effect": 0.1, "n_arms": 1}, "There must be 2 arms"),
        ({"effect": 0.1, "n_tests": 0}, "There must be 2 arms, 1 test"),
        ({"effect": 0.1, "ratio": 0}, "a ratio above 0"),
        ({"units": 2}, "Nothing can be found with 2 conv"),
        ({"units": 4}, "even a rise to 1 is not found"),
    ],
)
def test_what_cannot_be_planned_is_said(arguments, message):
    with pytest.raises(DataError, match=message):
        plan(Baseline(0.3), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "between 0 and 1, got 0"),
        ((1.2,), "between 0 and 1, got 1.2"),
        ((5.0, 0.0), "standard deviation above 0"),
        ((0.3, None, 0.5), "at least 1 conversation"),
        ((0.3, None, 2, 1.5), "alike from 0 to 1"),
    ],
)
def test_what_is_no_baseline_is_said(arguments, message):
    with pytest.raises(DataError, match=message):
        Baseline(*arguments)
    with pytest.raises(DataError, match="effect must not be 0"):
        plan(Baseline(5.0, 1.0), effect=0.0)


def test_a_log_that_says_nothing_is_no_baseline(tmp_path):
    with pytest.raises(DataError, match="2 units with 'abandoned', and it does not vary"):
        baseline_of([write_log(tmp_path / "log.jsonl", [row("a", abandoned=1), row("b", abandoned=1)])], "abandoned")
    with pytest.raises(DataError, match="0 units with 'click'"):
        baseline_of([write_log(tmp_path / "log.jsonl", [row("a")])], "click")
    with pytest.raises(DataError, match="line 1: a row needs"):
        baseline_of([write_log(tmp_path / "log.jsonl", [{}])], "click")
