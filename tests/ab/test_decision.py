"""Tests of hfdiv/ab/decision.py: what to do, and that the reasons say why."""

from dataclasses import replace

import pytest

from hfdiv.ab.decision import decide
from hfdiv.ab.effect import corrected, effect_of
from hfdiv.ab.metrics import Margin
from hfdiv.ab.srm import ratio_check
from tests.ab.test_effect import ONCE, SETTINGS, SHARE, TIME, shares, times


FINE = ratio_check([1000, 1000], [1, 1])
GUARD = replace(TIME, role="guardrail", margin=Margin(0.1, True))


def decision(rate, time=60.0, n=2000, settings=SETTINGS, ratio=FINE):
    """Of an arm that is left by `rate` users in 1000 where the control is left by 400, and with a mean dwell time."""
    effects = [
        effect_of(SHARE, "b", shares(400 * n // 1000, n), shares(rate * n // 1000, n), settings),
        effect_of(GUARD, "b", times(60, n), times(time, n, 1), settings),
    ]
    found = decide("b", corrected(effects, settings), settings, ratio)
    return found.action, " ".join(found.reasons)


def test_better_and_harmless_is_shipped():
    action, why = decision(200)
    assert action == "ship"
    assert "abandoned 0.2 against 0.4, −50.0% [" in why
    assert "The guardrail dwell_time passes: 60 against 60, " in why
    assert "where it may lose up to 10%" in why


def test_a_guardrail_that_fails_stops_it():
    action, why = decision(200, time=45)
    assert action == "do not ship"
    assert "The guardrail dwell_time fails: 45 against 60" in why
    assert "abandoned" not in why


def test_a_guardrail_that_is_open_is_waited_for():
    action, why = decision(200, time=55)
    assert action == "keep running"
    assert "The guardrail dwell_time is undecided" in why
    action, why = decision(200, time=55, settings=ONCE)
    assert action == "do not ship"
    assert "harm is not ruled out" in why


def test_worse_is_not_shipped():
    action, why = decision(600)
    assert action == "do not ship"
    assert "The primary metric got worse: abandoned 0.6 against 0.4, +50.0%" in why


def test_an_open_question_goes_on():
    action, why = decision(385)
    assert action == "keep running"
    assert "no clear change" in why
    assert "a gain and a loss are still possible" in why
    assert "2,000 of the planned 5,000 units" in decision(385, settings=replace(SETTINGS, planned_units=5000))[1]


def test_the_planned_end_and_a_single_look_end_it():
    action, why = decision(385, settings=replace(SETTINGS, planned_units=2000))
    assert action == "do not ship"
    assert "The planned 2,000 units an arm are there, and no gain is shown" in why
    action, why = decision(385, settings=ONCE)
    assert action == "do not ship"
    assert "only look" in why


def test_an_effect_that_is_ruled_out_ends_it():
    action, why = decision(400, n=20_000)
    assert action == "do not ship"
    assert "A gain of 10% or more is ruled out" in why


def test_broken_sizes_stop_everything():
    action, why = decision(200, ratio=ratio_check([1000, 1300], [1, 1]))
    assert action == "do not ship"
    assert "1,000, 1,300 units where 1,150, 1,150 are expected" in why


def test_few_units_decide_nothing():
    action, why = decision(100, n=40)
    assert action == "keep running"
    assert "fewer than 50 units" in why


@pytest.mark.parametrize("settings", [SETTINGS, ONCE])
def test_what_cannot_be_tested_is_never_shipped(settings):
    found = decide(
        "b", [effect_of(replace(TIME, role="primary"), "b", times(1, 1), times(1, 1), settings)], settings, FINE
    )
    assert found.action == ("keep running" if settings.peeking else "do not ship")
    assert "cannot be tested" in found.reasons[0]
    assert found.to_dict()["arm"] == "b"
