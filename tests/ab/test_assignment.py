"""Tests of hfdiv/ab/assignment.py: the same arm everywhere, in the shares that were asked for."""

import subprocess
import sys
from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.ab import assign
from hfdiv.ab.assignment import assignments, parse_arms, position
from hfdiv.data import DataError


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
# Computed once; another machine, version or day must find the same, or users change their arm in mid-experiment.
FROZEN = {
    "user-1": "control",
    "user-2": "treatment",
    "u3": "control",
    "用户": "treatment",
    "👍🏽": "control",
    "7": "control",
}


def test_arms_are_those_of_the_first_day():
    assert {unit: assign(unit, "endings") for unit in FROZEN} == FROZEN
    assert assign(7, "endings") == FROZEN["7"]


def test_another_process_with_another_hash_seed_says_the_same():
    code = f"from hfdiv.ab import assign; print([assign(u, 'endings') for u in {list(FROZEN)!r}])"
    run = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]
    assert run[0].stdout == run[1].stdout == f"{list(FROZEN.values())}\n"


def test_a_service_that_assigns_and_logs_loads_nothing_heavy():
    code = "import hfdiv.ab, sys; hfdiv.ab.assign('u', 'e'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy", "statsmodels", "matplotlib", "torch", "pandas"} & set(run.stdout.split())


@given(NAMES, NAMES)
def test_the_formula_is_the_one_that_is_documented(unit, experiment):
    digest = sha256(f"{experiment}\0arm\0{unit}".encode()).digest()
    number = (int.from_bytes(digest[:8], "big") >> 11) / 2**53
    assert position(experiment, "arm", unit) == number
    assert assign(unit, experiment, ["a", "b"], [1, 3]) == ("a" if number < 0.25 else "b")


@pytest.mark.parametrize("weights", [(1, 1), (9, 1), (1, 2, 3)])
def test_shares_are_those_of_the_weights(weights):
    arms = ["a", "b", "c"][: len(weights)]
    found = Counter(arm for _, arm in assignments(range(20_000), "e", dict(zip(arms, weights, strict=True))))
    for arm, weight in zip(arms, weights, strict=True):
        share = weight / sum(weights)
        assert abs(found[arm] - 20_000 * share) < 5 * (20_000 * share * (1 - share)) ** 0.5


def test_a_holdout_takes_units_out_and_moves_none():
    before = dict(assignments(range(5000), "e", {"a": 1, "b": 1}, holdout=0.1))
    after = dict(assignments(range(5000), "e", {"a": 1, "b": 1}, holdout=0.3))
    everyone = dict(assignments(range(5000), "e", {"a": 1, "b": 1}))
    assert 400 < sum(arm is None for arm in before.values()) < 600
    assert 1350 < sum(arm is None for arm in after.values()) < 1650
    for unit in before:
        assert after[unit] in (before[unit], None)
        assert before[unit] in (everyone[unit], None)
    taken = Counter(everyone[unit] for unit, arm in after.items() if arm is None)
    assert abs(taken["a"] - taken["b"]) < 5 * 1500**0.5  # who is held out says nothing about the arm


def test_experiments_do_not_know_each_other():
    both = Counter((assign(unit, "one"), assign(unit, "two")) for unit in range(4000))
    assert len(both) == 4
    assert all(850 < count < 1150 for count in both.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", "e"), "`unit_id` must be a text or a whole number"),
        ((True, "e"), "`unit_id` must be a text or a whole number"),
        ((None, "e"), "`unit_id` must be a text or a whole number"),
        ((1.5, "e"), "`unit_id` must be a text or a whole number"),
        (("a\0b", "e"), "no NUL"),
        (("\ud83d", "e"), "no half of a surrogate pair"),
        (("u", ""), "`experiment` must be"),
        (("u", "e", ["a"]), "at least two different names"),
        (("u", "e", ["a", "a"]), "at least two different names"),
        (("u", "e", "ab"), "at least two different names"),
        (("u", "e", ["a", ""]), "must be names"),
        (("u", "e", ["a", "b"], [1]), "one positive number for each"),
        (("u", "e", ["a", "b"], [1, 0]), "one positive number for each"),
        (("u", "e", ["a", "b"], [1, float("nan")]), "one positive number for each"),
        (("u", "e", ["a", "b"], None, 1.0), "`holdout` must be a share"),
        (("u", "e", ["a", "b"], None, -0.1), "`holdout` must be a share"),
    ],
)
def test_what_cannot_be_assigned_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        assign(*arguments)


@pytest.mark.parametrize("text", ["a", "a=1,a=2", "a=x,b=1", "a=1,b=-1", "", "=1,b=1"])
def test_arms_that_cannot_be_read_are_refused(text):
    with pytest.raises(DataError, match="Arms are given as"):
        parse_arms(text)
