"""Tests of hfdiv/ab/effect.py: verdicts, guardrails and the correction for several tests."""

import math
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from hfdiv.ab import Settings, choose_metrics
from hfdiv.ab.effect import corrected, effect_of
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.metrics import Margin, Metric


SETTINGS = Settings(choose_metrics("abandoned"))
ONCE = replace(SETTINGS, peeking=False)
SHARE = Metric("abandoned", "proportion", higher_is_better=False, role="primary")
TIME = Metric("dwell_time", "skewed")


def shares(hits, n):
    return arm_mean(np.array([1.0] * hits + [0.0] * (n - hits)), np.arange(n))


def times(mean, n, seed=0):
    values = np.random.default_rng(seed).lognormal(0, 0.5, n)
    return arm_mean(values * mean / values.mean(), np.arange(n))


def verdict(metric, control, treatment, settings=SETTINGS):
    return corrected([effect_of(metric, "b", control, treatment, settings)], settings)[0].verdict


def test_better_is_what_the_metric_says():
    down = shares(400, 1000), shares(200, 1000)
    assert verdict(SHARE, *down) == "better"
    assert verdict(SHARE, *reversed(down)) == "worse"
    assert verdict(replace(SHARE, higher_is_better=True), *down) == "worse"
    assert verdict(TIME, times(60, 500), times(90, 500, 1)) == "better"


def test_looking_always_needs_more_evidence():
    close = shares(400, 1000), shares(350, 1000)
    assert verdict(SHARE, *close, ONCE) == "better"
    assert verdict(SHARE, *close) == "no clear change"
    always, once = (effect_of(SHARE, "b", *close, settings) for settings in (SETTINGS, ONCE))
    assert always.difference.low < once.difference.low
    assert always.difference.high > once.difference.high
    assert always.relative.high > once.relative.high
    assert always.p > 0.05 > once.p


def test_nothing_is_concluded_from_few_units_or_none():
    assert verdict(SHARE, shares(0, 49), shares(49, 49)) == "too few units to tell"
    assert verdict(SHARE, shares(0, 50), shares(50, 50)) == "worse"
    assert verdict(TIME, times(1, 1), times(2, 100)) == "undefined"
    same = arm_mean(np.full(100, 3.0), np.arange(100))
    assert verdict(TIME, same, same) == "undefined"


@pytest.mark.parametrize("margin", [Margin(0.2, True), Margin(0.06, False)])
@pytest.mark.parametrize(
    ("rate", "guard"), [(300, "pass"), (290, "pass"), (360, "undecided"), (430, "fail"), (100, "pass")]
)
def test_a_guardrail_is_held_to_its_margin(margin, rate, guard):
    metric = replace(SHARE, role="guardrail", margin=margin)  # lower is better: it may rise from 0.3 to 0.36
    assert effect_of(metric, "b", shares(3000, 10_000), shares(rate * 10, 10_000), SETTINGS).guard == guard


def test_a_guardrail_that_should_rise():
    metric = replace(TIME, role="guardrail", margin=Margin(0.1, True))
    guards = [effect_of(metric, "b", times(60, 3000), times(mean, 3000, 1), ONCE).guard for mean in (61, 54, 45)]
    assert guards == ["pass", "undecided", "fail"]
    assert effect_of(metric, "b", times(60, 40), times(90, 40), ONCE).guard == "undecided"  # few units


def test_more_arms_make_a_guardrail_stricter():
    metric = replace(SHARE, role="guardrail", margin=Margin(0.05, False))
    sides = shares(300, 1000), shares(304, 1000)
    found = [effect_of(metric, "b", *sides, ONCE, n_arms=n).guard for n in (1, 8)]
    assert found == ["pass", "undecided"]


def test_a_guardrail_that_varies_nowhere_is_undecided():
    same = arm_mean(np.full(100, 3.0), np.arange(100))
    metric = replace(TIME, role="guardrail", margin=Margin(0.1, True))
    assert effect_of(metric, "b", same, same, SETTINGS).guard == "undecided"


def effects_with(p_values):
    """Effects whose p-values are set, alternating between primary and secondary."""
    base = effect_of(SHARE, "b", shares(30, 100), shares(40, 100), ONCE)
    return [
        replace(base, metric=replace(SHARE, role=role), p=p)
        for p, role in zip(p_values, ["primary", "secondary"] * len(p_values), strict=False)
    ]


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_primary_and_secondary_tests_are_corrected_apart(method):
    p_values = [0.01, 0.02, 0.04, 0.03, 0.03, 0.5]
    found = [effect.adjusted_p for effect in corrected(effects_with(p_values), replace(ONCE, correction=method))]
    assert found[0::2] == pytest.approx(multipletests(p_values[0::2], method=method)[1])
    assert found[1::2] == pytest.approx(multipletests(p_values[1::2], method=method)[1])


def test_without_correction_p_stays():
    found = corrected(effects_with([0.01, 0.02, 0.03]), replace(ONCE, correction="none"))
    assert [effect.adjusted_p for effect in found] == [0.01, 0.02, 0.03]


def test_what_was_no_test_is_not_corrected_for():
    found = [effect.adjusted_p for effect in corrected(effects_with([0.03, 0.5, math.nan, 0.5]), ONCE)]
    assert found[0] == 0.03
    assert math.isnan(found[2])


def test_a_guardrail_has_a_margin_and_no_corrected_p():
    metric = replace(SHARE, role="guardrail", margin=Margin(0.1, True))
    (found,) = corrected([effect_of(metric, "b", shares(400, 1000), shares(200, 1000), SETTINGS)], SETTINGS)
    assert math.isnan(found.adjusted_p)
    assert found.verdict == "better"
    assert found.to_dict()["margin"] == "10%"
    assert found.to_dict()["adjusted_p"] is None
