"""Tests of hfdiv/report/comparison.py: verdicts, their words, and the form for JSON."""

import json
import math

import pytest

from hfdiv.report.comparison import FEWEST_PROMPTS, Comparison, Row, Sample
from hfdiv.report.significance import Estimate


FLAT = Estimate(0.5, 0.4, 0.6)


def row(low, high, kind="diversity", less_varied=False, n_counted=20):
    difference = Estimate((low + high) / 2, low, high)
    return Row(kind, "x", "group", FLAT, FLAT, difference, n_counted, "x|n:2", less_varied, ((0.1, math.nan),))


@pytest.mark.parametrize(
    ("low", "high", "less_varied", "verdict", "change"),
    [
        (0.1, 0.2, False, "up", "more varied"),
        (-0.2, -0.1, False, "down", "less varied"),
        (0.1, 0.2, True, "up", "less varied"),
        (-0.2, -0.1, True, "down", "more varied"),
        (-0.1, 0.2, False, "unclear", "no clear change"),
        (0.0, 0.2, False, "unclear", "no clear change"),
        (-0.2, 0.0, True, "unclear", "no clear change"),
        (0.0, 0.0, True, "unclear", "no clear change"),
        (math.nan, math.nan, False, "unclear", "undefined"),
        (0.1, math.inf, False, "unclear", "no clear change"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(low, high, less_varied, verdict, change):
    found = row(low, high, less_varied=less_varied)
    assert (found.verdict, found.change) == (verdict, change)


def test_quality_goes_up_or_down_and_is_not_called_variety():
    assert [row(*ends, kind="quality").change for ends in ((1, 2), (-2, -1), (-1, 1))] == [
        "higher",
        "lower",
        "no clear change",
    ]


@pytest.mark.parametrize(("n_counted", "verdict"), [(FEWEST_PROMPTS - 1, "unclear"), (FEWEST_PROMPTS, "up")])
def test_few_prompts_make_no_verdict(n_counted, verdict):
    found = row(0.1, 0.2, n_counted=n_counted)
    assert found.verdict == verdict
    assert (found.change == "too few prompts to tell") == (verdict == "unclear")


def test_fewest_prompts_is_where_a_unanimous_vote_stops_being_chance():
    assert 2 * 0.5**FEWEST_PROMPTS < 0.05 < 2 * 0.5 ** (FEWEST_PROMPTS - 1)


def test_the_form_for_json_is_strict_and_complete():
    comparison = Comparison(
        ("a", "b"), [row(math.nan, math.nan)], ["note"], [Sample("p", ["x"], ["y"])], {"prompts": 1}, {"where": None}
    )
    data = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert data == comparison.to_dict()
    assert data["rows"][0]["difference"] == {"value": None, "low": None, "high": None}
    assert data["rows"][0]["before"] == {"value": 0.5, "low": 0.4, "high": 0.6}
    assert (data["rows"][0]["verdict"], data["rows"][0]["signature"]) == ("unclear", "x|n:2")
    assert data["samples"] == [{"prompt": "p", "before": ["x"], "after": ["y"]}]
    assert set(data) == {"names", "counts", "settings", "notes", "rows", "samples"}


def test_rows_of_a_kind_keep_their_order():
    rows = [row(0, 1), row(0, 1, kind="quality"), row(1, 2)]
    assert Comparison(("a", "b"), rows, [], [], {}).rows_of("diversity") == [rows[0], rows[2]]
