"""Tests of hfdiv/ab/settings.py."""

import json
from dataclasses import fields

import pytest

from hfdiv.ab import Settings, choose_metrics
from hfdiv.data import DataError


METRICS = choose_metrics("abandoned", ["dwell_time=5%"])


def test_every_field_says_what_it_is():
    assert all(field.metadata.get("help") for field in fields(Settings))


def test_settings_are_json():
    found = json.loads(json.dumps(Settings(METRICS, weights={"control": 1, "b": 2}).to_dict()))
    assert found["metrics"][2]["margin"] == "5%"
    assert found["weights"] == {"control": 1, "b": 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": METRICS[1:]}, "Exactly one metric must be the primary"),
        ({"effect": 0}, "`effect` must be between 0 and 1, got 0"),
        ({"effect": float("nan")}, "`effect` must be between"),
        ({"alpha": 1}, "`alpha` must be between 0 and 1, got 1"),
        ({"planned_units": 0}, "`planned_units` must be at least 1, got 0"),
        ({"weights": {"a": 1, "b": 1}}, "The control 'control' is none of the arms"),
        ({"correction": "magic"}, "`correction` must be holm, fdr_bh or none"),
    ],
)
def test_what_no_analysis_can_work_with_is_refused(options, message):
    with pytest.raises(DataError, match=message):
        Settings(**{"metrics": METRICS, **options})
