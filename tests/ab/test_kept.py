"""Tests of hfdiv/ab/kept.py: a draw of units that depends on their names alone."""

import random

from hypothesis import given
from hypothesis import strategies as st

from hfdiv.ab.kept import KeptTexts
from hfdiv.ab.row import Conversation


def talk(unit, number=0, arm="a"):
    return Conversation("e", arm, unit, f"c{number}", float(number), {}, [], [f"{unit} says {number}"])


@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(n, rng):
    talks = [talk(f"u{unit}", number) for unit in range(20) for number in range(2)]
    units = {f"u{unit}" for unit in range(20)}
    kept, shuffled = KeptTexts(n), KeptTexts(n)
    for each in talks:
        kept.add(each)
    rng.shuffle(talks)
    for each in talks:
        shuffled.add(each)
    found = kept.of("a", units)
    assert found == shuffled.of("a", units)
    assert len(found) == n
    assert all([each.id for each in of] == ["c0", "c1"] for of in found.values())


def test_memory_is_bounded():
    kept = KeptTexts(10)
    for unit in range(2000):
        kept.add(talk(f"u{unit}"))
    assert len(kept._arms["a"]) <= 21
    assert len(kept.of("a", {f"u{unit}" for unit in range(2000)})) == 10


def test_units_that_do_not_count_are_left_out_and_arms_are_apart():
    kept = KeptTexts(3)
    for unit in random.Random(0).sample(range(6), 6):
        kept.add(talk(f"u{unit}", arm="a" if unit % 2 else "b"))
    assert set(kept.of("a", {"u1", "u2", "u5"})) == {"u1", "u5"}
    assert kept.of("none", {"u1"}) == {}


def test_a_conversation_told_again_takes_the_place_of_the_first():
    kept = KeptTexts(1)
    kept.add(talk("u1"))
    kept.add(talk("u1")._replace(replies=["anew"]))
    assert [each.replies for each in kept.of("a", {"u1"})["u1"]] == [["anew"]]
