"""Tests of hfdiv/ab/analysis.py and notes.py: from a log to decisions, and what a reader is told."""

import json
import math

import pytest

from hfdiv.ab import Settings, analyze, choose_metrics
from hfdiv.data import DataError
from tests.ab.logs import experiment_rows, row, talk, write_log


def analysis(tmp_path, rows, primary="abandoned", guardrails=(), more=(), **options):
    options = {"n_resamples": 100, **options}
    settings = Settings(choose_metrics(primary, guardrails, more=more), **options)
    return analyze([write_log(tmp_path / "log.jsonl", rows)], settings)


def effects(found, arm="varied"):
    return {effect.metric.name: effect for effect in found.effects if effect.arm == arm}


def notes(found):
    return "\n".join(found.notes)


def test_a_clear_gain_is_shipped(tmp_path):
    found = analysis(tmp_path, experiment_rows(600, abandoned=(0.6, 0.2)), guardrails=["dwell_time=90%"])
    (decision,) = found.decisions
    assert (decision.arm, decision.action) == ("varied", "ship")
    assert found.units == [300, 300]
    assert sum(found.conversations) == 800
    of = effects(found)
    assert list(of) == ["abandoned", "turns", "dwell_time", "click", "conversations"]
    assert of["abandoned"].verdict == "better"
    assert of["turns"].verdict == "undefined"
    assert "turns of 'varied' cannot be tested: it does not vary" in notes(found)
    variety = {measure.name: measure.change for measure in found.variety}
    assert variety["distinct_2 (pooled)"] == "more varied"
    assert len(found.samples) == 6
    assert all(sample.same_question for sample in found.samples)
    assert len([look for look in found.looks if look.arm == "varied"]) == 20


def test_everything_is_strict_json(tmp_path):
    found = analysis(tmp_path, experiment_rows(60, abandoned=(0.0, 0.0)))
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["decisions"][0]["action"] == "keep running"
    assert json.loads(text)["settings"]["metrics"][0]["name"] == "abandoned"


def test_no_effect_is_no_decision(tmp_path):
    found = analysis(tmp_path, experiment_rows(600, abandoned=(0.4, 0.4)))
    assert [decision.action for decision in found.decisions] == ["keep running"]


def test_every_arm_is_decided_about(tmp_path):
    rows = list(experiment_rows(900, arms=("old", "b", "c"), abandoned=(0.5, 0.2, 0.8)))
    found = analysis(tmp_path, rows, control="old")
    assert {decision.arm: decision.action for decision in found.decisions} == {"b": "ship", "c": "do not ship"}
    p_values = [effect for effect in found.effects if effect.metric.name == "abandoned"]
    assert sorted(effect.adjusted_p for effect in p_values) == pytest.approx(
        sorted([max(effect.p for effect in p_values), 2 * min(effect.p for effect in p_values)])
    )


def test_weights_decide_what_sizes_are_expected(tmp_path):
    rows = [each for each in experiment_rows(900, abandoned=(0.6, 0.2)) if hash_free(each) or each["arm"] == "control"]
    broken = analysis(tmp_path, rows, weights={"control": 1, "varied": 1})
    assert broken.ratio.is_mismatch
    assert broken.decisions[0].action == "do not ship"
    assert not analysis(tmp_path, rows, weights={"control": 2, "varied": 1}).ratio.is_mismatch


def hash_free(each):
    return int(each["unit_id"][1:]) % 4 < 2


def test_what_was_left_out_is_told(tmp_path):
    rows = list(experiment_rows(200))
    bad = [{"arm": 1}, row("new", "control", dwell_time=-5)]
    mixed = [row("both", "control", "a", abandoned=True), row("both", "varied", "b", abandoned=False)]
    found = analysis(tmp_path, [*rows, *bad, *mixed, *rows[:3], row("out", None)], skip_bad=True)
    text = notes(found)
    assert "2 rows could not be read and are left out, such as: " in text
    assert "1 units (0.50%) are in several arms. They are left out, with their 2 conversations." in text
    assert "3 rows repeat another" in text
    assert "1 rows are of units that take no part" in text
    assert found.units == [100, 100]
    assert found.counts["contaminated"] == 2


def test_much_contamination_is_called_broken(tmp_path):
    mixed = [row(f"both{n}", arm, "c", abandoned=True) for n in range(5) for arm in ("control", "varied")]
    assert "the assignment is not stable" in notes(analysis(tmp_path, [*experiment_rows(200), *mixed]))


def test_what_is_missing_is_told_by_arm(tmp_path):
    rows = [each | ({"click": None} if place % 4 == 0 else {}) for place, each in enumerate(experiment_rows(200))]
    found = analysis(tmp_path, rows)
    assert "'click' is missing in some conversations" in notes(found)
    assert effects(found)["click"].control.n < effects(found)["abandoned"].control.n
    rows = [{name: cell for name, cell in each.items() if name != "click"} for each in experiment_rows(60)]
    found = analysis(tmp_path, rows)
    assert "The log does not say 'click'." in found.notes
    assert "click" not in effects(found)


def test_a_log_without_texts_is_analyzed(tmp_path):
    rows = [{name: cell for name, cell in each.items() if name != "messages"} for each in experiment_rows(200)]
    found = analysis(tmp_path, rows)
    assert "The log holds no replies, so their diversity is not measured." in found.notes
    assert found.variety == found.samples == []
    assert "turns" not in effects(found)


def test_one_user_an_arm(tmp_path):
    found = analysis(tmp_path, [row("a", "control", abandoned=True), row("b", "varied", abandoned=False)])
    assert found.decisions[0].action == "keep running"
    assert math.isnan(effects(found)["abandoned"].p)
    assert "fewer than 50 units" in notes(found)


def test_all_values_the_same(tmp_path):
    rows = [row(f"u{n}", ("control", "varied")[n % 2], dwell_time=5, abandoned=False, turns=1) for n in range(200)]
    found = analysis(tmp_path, rows, guardrails=["dwell_time=5%"])
    of = effects(found)
    assert of["abandoned"].verdict == "no clear change"
    assert of["dwell_time"].verdict == "undefined"
    assert of["dwell_time"].guard == "undecided"
    assert found.decisions[0].action == "keep running"


def test_a_cap_is_kept_to(tmp_path):
    rows = list(experiment_rows(200)) + [row("u0", "control", "night", dwell_time=80_000.0)]
    settings = Settings(choose_metrics("abandoned", caps=["dwell_time=300"]), n_resamples=100)
    capped = analyze([write_log(tmp_path / "log.jsonl", rows)], settings)
    assert effects(capped)["dwell_time"].control.value < 120
    assert effects(analysis(tmp_path, rows))["dwell_time"].control.value > 500


def test_more_conversations_of_one_arm_are_warned_of(tmp_path):
    rows = [
        row(f"u{n}", ("control", "varied")[n % 2], f"c{k}", abandoned=(n + k) % 3 == 0)
        for n in range(400)
        for k in range(1 + (n % 2) * 2 + n % 5 // 4)
    ]
    assert "Users of 'varied' have more conversations each" in notes(analysis(tmp_path, rows))


def test_a_single_look_is_told(tmp_path):
    assert "the only time that the log is looked at" in notes(analysis(tmp_path, experiment_rows(60), peeking=False))


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {}, "The log has no `abandoned` in the arm 'control'; it is the primary metric"),
        (
            {"abandoned": 1},
            {"guardrails": ["click=0.1"]},
            "no `click` in the arm 'control'; it is the guardrail metric",
        ),
        (
            {"abandoned": 1, "score": 2},
            {"more": ["score=proportion"]},
            r"`score` is a proportion metric, within \[0, 1\]",
        ),
        ({"abandoned": 1, "score": -2}, {"more": ["score=skewed"]}, "`score` is a skewed metric"),
        ({"abandoned": 1, "score": "x"}, {"more": ["score=mean"]}, "`score`: it must be a number"),
    ],
)
def test_what_cannot_be_decided_by_is_said(tmp_path, columns, options, message):
    rows = [row("a", "control", **columns), row("b", "varied", **columns)]
    with pytest.raises(DataError, match=message):
        analysis(tmp_path, rows, **options)


def test_a_further_column(tmp_path):
    rows = [each | {"score": place % 7} for place, each in enumerate(experiment_rows(200))]
    of = effects(analysis(tmp_path, rows, more=["score=mean"]))
    assert 2 < of["score"].control.value < 4


def test_a_conversation_that_nobody_answered_counts(tmp_path):
    rows = [*experiment_rows(60), row("quiet", "control", messages=talk("Hello?"), abandoned=True)]
    found = analysis(tmp_path, rows)
    assert effects(found)["turns"].control.value < 2
