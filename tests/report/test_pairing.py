"""Tests of hfdiv/report/pairing.py: the same prompts on both sides, and groups of equal size."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError, Records
from hfdiv.report.pairing import equal_groups, pair_records


PROMPTS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8)


def records(prompts, tag):
    return Records(
        prompts, [[f"{tag}{i}"] for i in range(len(prompts))], {"row": [[float(i)] for i in range(len(prompts))]}
    )


@given(PROMPTS, PROMPTS)
def test_every_prompt_is_paired_or_counted(left, right):
    if not set(left) & set(right):
        with pytest.raises(DataError, match="no prompt in common"):
            pair_records(records(left, "l"), records(right, "r"))
        return
    pairing = pair_records(records(left, "l"), records(right, "r"))
    assert pairing.before.prompts == pairing.after.prompts
    assert len(pairing.before.prompts) + pairing.only_before == len(left)
    assert len(pairing.after.prompts) + pairing.only_after == len(right)
    for prompt in set(left):
        assert pairing.before.prompts.count(prompt) == min(left.count(prompt), right.count(prompt))


def test_a_prompt_that_comes_again_is_paired_in_order():
    pairing = pair_records(records(["x", "y", "x"], "l"), records(["x", "x", "x"], "r"))
    assert pairing.before.prompts == ["x", "x"]
    assert list(zip(pairing.before.groups, pairing.after.groups, strict=True)) == [(["l0"], ["r0"]), (["l2"], ["r1"])]
    assert (pairing.only_before, pairing.only_after) == (1, 1)


def test_columns_follow_their_groups():
    pairing = pair_records(records(["c", "a", "b"], "l"), records(["b", "c"], "r"))
    assert pairing.before.columns == {"row": [[2.0], [0.0]]}
    assert pairing.after.columns == {"row": [[0.0], [1.0]]}


def test_file_order_is_that_of_the_first_file():
    prompts = [f"p{i}" for i in range(9)]
    shuffled = random.Random(0).sample(prompts, 9)
    pairing = pair_records(records(shuffled, "l"), records(prompts, "r"))
    assert [pairing.before.prompts[i] for i in pairing.file_order] == shuffled
    assert pairing.before.prompts == sorted(prompts)


def test_the_error_shows_how_the_prompts_start():
    with pytest.raises(DataError, match="'Hello.*'Goodbye"):
        pair_records(records(["Hello"], "l"), records(["Goodbye"], "r"))


@given(st.lists(st.tuples(st.lists(st.text(max_size=2), max_size=4), st.lists(st.text(max_size=2), max_size=4))))
def test_groups_are_cut_from_the_end_to_the_smaller_size(pairs):
    left, right = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    cut = equal_groups(left, right)
    for before, after, old, new in zip(left, right, *cut, strict=True):
        assert len(old) == len(new) == min(len(before), len(after))
        assert (old, new) == (before[: len(old)], after[: len(new)])
