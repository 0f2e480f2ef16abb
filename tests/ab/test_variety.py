"""Tests of hfdiv/ab/variety.py: diversity of the replies of arms, with honest intervals."""

import random

import pytest

from hfdiv.ab.row import Conversation
from hfdiv.ab.variety import difference_of, variety_rows
from hfdiv.diversity import distinct_n
from hfdiv.report.significance import Estimate


WORDS = "amber birch cedar dune ember fern grove heath iris jade kelp lime moss nettle oak pine".split()
OPTIONS = {"n_resamples": 300, "seed": 0}


def texts(n, n_replies=2, vocabulary=16, seed=0, end=""):
    """Replies of random words to so many units."""
    rng = random.Random(seed)

    def reply():
        return " ".join(rng.choices(WORDS[:vocabulary], k=6)) + end

    return {
        f"u{unit}": [Conversation("e", "a", f"u{unit}", "c", 0.0, {}, [], [reply() for _ in range(n_replies)])]
        for unit in range(n)
    }


def rows(control, treatment):
    return {row.name: row for row in variety_rows(control, treatment, "b", "mixed", **OPTIONS)}


def test_more_varied_replies_are_seen_as_such():
    found = rows(texts(60, vocabulary=6, end=" anything else today"), texts(60, seed=1))
    assert found["distinct_2 (pooled)"].change == "more varied"
    assert found["distinct_2"].change == "more varied"
    assert found["self_bleu_2"].change == "more varied"
    assert found["response_length"].change == "shorter"
    assert [found[name].difference.value > 0 for name in ("distinct_2", "self_bleu_2")] == [True, False]


def test_the_same_replies_are_no_change():
    found = rows(texts(60), texts(60))
    assert {row.change for row in found.values()} == {"no clear change"}
    assert all(row.difference.value == 0 for row in found.values())
    assert all(row.difference.low < 0 < row.difference.high for row in found.values() if row.name != "response_length")


def test_pools_are_of_one_size_and_hold_first_replies_alone():
    few, many = texts(20), texts(50, seed=1)
    row = rows(few, many)["distinct_2 (pooled)"]
    first = [talks[0].replies[0] for talks in list(many.values())[:20]]
    assert row.treatment.value == pytest.approx(distinct_n(first, 2).value)
    assert row.n_units == 20
    assert row.signature.startswith("distinct|n:2|level:corpus|size:20|tok:mixed")
    assert row.signature.endswith("|replies:first")


def test_units_with_one_reply_have_no_group():
    found = rows(texts(20, n_replies=1), texts(20, n_replies=1, seed=1))
    assert list(found) == ["distinct_1 (pooled)", "distinct_2 (pooled)"]
    assert rows(texts(3, n_replies=0), texts(3)) == {}
    assert rows({}, texts(3)) == {}


def test_groups_are_the_first_two_replies():
    row = rows(texts(20, n_replies=5), texts(20, n_replies=3, seed=1))["distinct_2"]
    assert "|size:2|" in row.signature
    assert row.signature.endswith("|replies:first2|mean:unit")
    assert row.to_dict()["control"]["value"] == pytest.approx(row.control.value)


def test_intervals_of_two_arms_are_put_together():
    difference = difference_of(Estimate(0.5, 0.4, 0.55), Estimate(0.7, 0.6, 0.9))
    assert difference.value == pytest.approx(0.2)
    assert difference.low == pytest.approx(0.2 - (0.1**2 + 0.05**2) ** 0.5)
    assert difference.high == pytest.approx(0.2 + (0.2**2 + 0.1**2) ** 0.5)


def test_one_unit_makes_no_claim():
    assert {row.change for row in rows(texts(1), texts(1, seed=1)).values()} == {"no clear change"}
