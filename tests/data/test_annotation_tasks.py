"""Tests of hfdiv/data/annotation/tasks.py: blind, shuffled, seeded."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings

from hfdiv.data import DataError, Records
from hfdiv.data.annotation import Reply, Task, pairwise_tasks, rating_tasks
from hfdiv.data.annotation.page import page
from hfdiv.data.annotation.tasks import named
from tests.data.annotation_texts import records


def files(n=40):
    prompts = [f"question {i}" for i in range(n)]
    old = Records(prompts, [[f"old {i}", f"older {i}"] for i in range(n)], {"reward": [[1.0, float("nan")]] * n})
    return old, Records(prompts[::-1], [[f"new {i}"] for i in reversed(range(n))])


def test_two_files_meet_by_prompt():
    tasks = pairwise_tasks(files(), ["old.jsonl", "new.jsonl"]).tasks
    assert len(tasks) == 40
    for task in tasks:
        a, b = task.replies
        number = task.prompt.removeprefix("question ")
        assert a.text in (f"old {number}", f"older {number}")
        assert b.text == f"new {number}"
        assert (a.source, b.source) == ("old.jsonl", "new.jsonl")
        assert a.numbers["reward"] == (1.0 if a.text.startswith("old ") else None)


def test_each_file_stands_on_the_left_in_half_of_the_tasks():
    for n in (40, 41):
        tasks = pairwise_tasks(files(n), ["old", "new"]).tasks
        swapped = [task.swapped for task in tasks]
        assert sum(swapped) == n // 2
        assert all(task.shown["left"].startswith("new" if task.swapped else "old") for task in tasks)
        # the sides are shuffled: neither alternating nor in two blocks
        changes = sum(one != other for one, other in zip(swapped, swapped[1:], strict=False))
        assert 5 < changes < n - 5


def test_the_tasks_are_shuffled_and_the_seed_decides():
    def export(seed):
        return pairwise_tasks(files(), ["old", "new"], seed=seed)

    prompts = [task.prompt for task in export(0).tasks]
    assert prompts != sorted(prompts, key=lambda prompt: int(prompt.split()[1]))
    assert export(0) == export(0)
    assert export(0).id != export(1).id


def test_what_is_shown_tells_neither_file_nor_score():
    tasks = pairwise_tasks([Records(["p"], [["x"]], {"reward": [[0.123]]}), Records(["p"], [["y"]])], ["OLD", "NEW"])
    html = page(tasks)
    assert "OLD" not in html
    assert "0.123" not in html
    assert set(tasks.tasks[0].shown) == {"task", "prompt", "left", "right"}


def test_an_id_tells_what_is_shown_and_not_whose_it_is():
    x, y = Reply("x", "old", {"reward": 1.0}), Reply("y", "new", {})
    (one,) = named([Task("", "p", (x, y))])
    (turned,) = named([Task("", "p", (replace(y, source="old"), replace(x, source="new")), swapped=True)])
    (swapped,) = named([Task("", "p", (x, y), swapped=True)])
    assert one.id == turned.id != swapped.id
    assert one.id.startswith("t")  # such as 12e45678 would be a number in a spreadsheet


def test_equal_tasks_have_ids_of_their_own():
    same = Records(["p", "p"], [["x", "y"], ["x", "y"]])
    for seed in range(10):
        tasks = pairwise_tasks([same], ["f"], seed=seed).tasks
        assert len({task.id for task in tasks}) == 2


def test_pairs_of_one_file_differ_and_come_once():
    group = ["a", "b", "a", "c"]
    tasks = pairwise_tasks([Records(["p"], [group])], ["f"], per_prompt=99).tasks
    assert Counter(frozenset(reply.text for reply in task.replies) for task in tasks) == {
        frozenset("ab"): 1,
        frozenset("ac"): 1,
        frozenset("bc"): 1,
    }


def test_ratings_of_each_different_reply():
    tasks = rating_tasks([Records(["p"], [["a", "b", "a"]]), Records(["q"], [["a"]])], ["f", "g"], scale=7)
    assert sorted((task.prompt, task.replies[0].text, task.replies[0].source) for task in tasks.tasks) == [
        ("p", "a", "f"),
        ("p", "b", "f"),
        ("q", "a", "g"),
    ]
    assert tasks.answers == tuple("1234567")
    assert len(rating_tasks([Records(["p"], [["a", "b"]])], ["f"], per_prompt=1).tasks) == 1
    assert not any(task.swapped for task in tasks.tasks)
    assert tasks.question == "How good is this reply, from 1 (worst) to 7 (best)?"


@given(records())
@settings(max_examples=50, deadline=None)
def test_every_task_shows_replies_of_its_prompt(given_records):
    groups = list(zip(given_records.prompts, given_records.groups, strict=True))
    for task in pairwise_tasks([given_records], ["f"], per_prompt=3).tasks:
        shown = task.shown
        assert shown["left"] != shown["right"]
        assert any(task.prompt == prompt and {shown["left"], shown["right"]} <= set(group) for prompt, group in groups)


def test_limit_keeps_some_of_all():
    everything = {task.id[1:] for task in pairwise_tasks(files(), ["o", "n"]).tasks}
    assert len(everything) == 40
    assert len(pairwise_tasks(files(), ["o", "n"], limit=7).tasks) == 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pairwise_tasks([Records(["p"], [["a", "a"]])], ["f"]), "no prompt has two different replies"),
        (
            lambda: pairwise_tasks([Records(["p"], [["a"]]), Records(["q"], [["a"]])], ["f", "g"]),
            "no prompt in common",
        ),
        (lambda: pairwise_tasks([Records([""], [["a", "b"]], has_prompts=False)], ["f"]), "without prompts"),
        (lambda: rating_tasks([Records(["p"], [[]])], ["f"]), "no reply to rate"),
    ],
)
def test_files_that_cannot_be_judged(call, message):
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: pairwise_tasks([one] * 3, ["f"] * 3), "one file or two, got 3"),
        (lambda one: pairwise_tasks([one], ["f"], per_prompt=0), "`per_prompt` must be at least 1, got 0"),
        (lambda one: rating_tasks([one], ["f"], limit=-1), "`limit` must be at least 1, got -1"),
        (lambda one: rating_tasks([one], ["f"], scale=10), "from 2 to 9, one key a rating, got 10"),
    ],
)
def test_numbers_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call(Records(["p"], [["a", "b"]]))
