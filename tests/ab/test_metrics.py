"""Tests of hfdiv/ab/metrics.py: metrics by name, and what cannot be asked for."""

import pytest

from hfdiv.ab import choose_metrics
from hfdiv.ab.metrics import Margin, Metric, parse_margin
from hfdiv.data import DataError


def by_name(*arguments, **options):
    return {metric.name: metric for metric in choose_metrics(*arguments, **options)}


def test_what_is_always_measured():
    found = by_name("abandoned")
    assert list(found) == ["abandoned", "turns", "dwell_time", "click", "conversations"]
    assert [metric.role for metric in found.values()] == ["primary"] + ["secondary"] * 4
    assert not found["abandoned"].higher_is_better
    assert [found[name].kind for name in ("abandoned", "turns", "dwell_time", "click")] == [
        "proportion",
        "mean",
        "skewed",
        "proportion",
    ]


def test_what_is_asked_for():
    found = by_name(
        "rating",
        ["dwell_time=5%", "click=0.01"],
        more=["rating=mean", "errors=count", "cost=skewed"],
        lower_is_better=["errors", "cost", "turns"],
        higher_is_better=["abandoned"],
        caps=["dwell_time=1800"],
    )
    assert found["rating"] == Metric("rating", "mean", role="primary")
    assert found["errors"] == Metric("errors", "mean", higher_is_better=False)
    assert found["cost"].kind == "skewed"
    assert found["dwell_time"] == Metric("dwell_time", "skewed", True, "guardrail", Margin(0.05, True), 1800)
    assert found["click"].margin == Margin(0.01, False)
    assert found["abandoned"].higher_is_better
    assert not found["turns"].higher_is_better


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("nothing",), {}, "no metric 'nothing'; there are"),
        (("click", ["nothing=5%"]), {}, "no metric 'nothing'"),
        (("click", ["click=5%"]), {}, "both the primary metric and a guardrail"),
        (("click", ["turns"]), {}, "given as `name=value`, got 'turns'"),
        (("click", ["turns=5%", "turns=6%"]), {}, r"name \['turns'\] twice"),
        (("click", ["turns=-5%"]), {}, "must be above 0, got '-5'"),
        (("click", ["turns=0"]), {}, "must be above 0"),
        (("click", ["turns=much"]), {}, "must be above 0, got 'much'"),
        (("click", ["turns=nan"]), {}, "must be above 0"),
        (("click", ["turns=100%"]), {}, "below 100%"),
        (("click",), {"more": ["turns=mean"]}, "it is measured anyway"),
        (("click",), {"more": ["score=magic"]}, "the kind must be one of"),
        (("click",), {"caps": ["turns=0"]}, "must be above 0"),
        (("click",), {"caps": ["other=3"]}, "no metric 'other'"),
        (("click",), {"lower_is_better": ["other"]}, "no metric 'other'"),
    ],
)
def test_what_cannot_be_asked_for(arguments, options, message):
    with pytest.raises(DataError, match=message):
        choose_metrics(*arguments, **options)


def test_margins():
    assert parse_margin("x", " 2.5% ") == Margin(0.025, True)
    assert str(parse_margin("x", "1e-3")) == "0.001"
