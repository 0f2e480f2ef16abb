"""Tests of hfdiv/data/annotation/hybrid.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError, Records
from hfdiv.data.annotation import Answer, hybrid_rows, hybrid_score, pairwise_tasks, rating_tasks, unblind


unit = st.floats(0, 1)


@given(unit, unit, unit)
def test_the_score_lies_between_the_two_and_moves_by_the_weight(human, automatic, weight):
    (score,) = hybrid_score([human], [automatic], human_weight=weight)
    assert min(human, automatic) - 1e-12 <= score <= max(human, automatic) + 1e-12
    assert score - automatic == pytest.approx(weight * (human - automatic), abs=1e-12)


def test_where_one_is_missing_the_other_counts():
    nan = math.nan
    scores = hybrid_score([nan, 0.2, nan, 0.4], [0.6, nan, nan, 0.8], human_weight=0.5)
    assert scores == pytest.approx([0.6, 0.2, nan, 0.6], nan_ok=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5], [0.5], 1.5), r"`human_weight` must be in \[0, 1\], got 1.5"),
        (([4.0], [0.5], 0.5), r"`human` must be in \[0, 1\], or NaN where missing, got 4.0"),
        (([0.5], [-1.0], 0.5), r"`automatic` must be in \[0, 1\]"),
        (([0.5, 0.5], [0.5], 0.5), r"must have one shape, got \(2,\) and \(1,\)"),
    ],
)
def test_wrong_scores(arguments, message):
    human, automatic, weight = arguments
    with pytest.raises(ValueError, match=message):
        hybrid_score(human, automatic, human_weight=weight)


def test_ratings_by_hand():
    records = Records(["p"], [["a", "b", "c"]], {"reward": [[10.0, 20.0, math.nan]]})
    tasks = rating_tasks([records], ["f"], scale=5)
    ids = {task.replies[0].text: task.id for task in tasks.tasks}
    answers = [Answer(ids["a"], "Ann", "5", ""), Answer(ids["a"], "Bob", "4", ""), Answer(ids["c"], "Ann", "2", "")]
    rows = {row["response"]: row for row in hybrid_rows(tasks, unblind(tasks, answers), "reward", human_weight=0.8)}
    assert (rows["a"]["human"], rows["a"]["automatic"], rows["a"]["n_judgements"]) == (0.875, 0.0, 2)
    assert rows["a"]["score"] == pytest.approx(0.7)
    assert (rows["b"]["human"], rows["b"]["score"], rows["b"]["n_judgements"]) == (None, 1.0, 0)
    assert (rows["c"]["automatic"], rows["c"]["score"]) == (None, 0.25)


def test_pairs_by_hand():
    old = Records(["p", "q"], [["a"], ["c"]], {"reward": [[1.0], [0.0]]})
    new = Records(["p", "q"], [["b"], ["d"]], {"reward": [[3.0], [4.0]]})
    tasks = pairwise_tasks([old, new], ["old", "new"])
    task = next(task for task in tasks.tasks if task.prompt == "p")
    answers = [Answer(task.id, "Ann", "tie", ""), Answer(task.id, "Bob", "right" if task.swapped else "left", "")]
    rows = {row["prompt"]: row for row in hybrid_rows(tasks, unblind(tasks, answers), "reward", human_weight=0.5)}
    assert (rows["p"]["human"], rows["p"]["automatic"]) == (0.75, 0.25)  # a, and b by half the range
    assert rows["p"]["score"] == 0.5
    assert (rows["q"]["human"], rows["q"]["automatic"], rows["q"]["score"]) == (None, 0.0, 0.0)
    assert (rows["p"]["response_a"], rows["p"]["response_b"]) == ("a", "b")


def test_equal_automatic_scores_say_nothing():
    tasks = rating_tasks([Records(["p"], [["a", "b"]], {"reward": [[7.0, 7.0]]})], ["f"])
    assert [row["score"] for row in hybrid_rows(tasks, [], "reward")] == [0.5, 0.5]


def test_large_scores_do_not_overflow():
    tasks = rating_tasks([Records(["p"], [["a", "b"]], {"reward": [[-1e308, 1e308]]})], ["f"])
    scores = np.array([row["score"] for row in hybrid_rows(tasks, [], "reward")])
    assert sorted(scores) == [0.0, 1.0]


def test_an_unknown_column_names_those_there_are():
    tasks = rating_tasks([Records(["p"], [["a"]], {"reward": [[1.0]]})], ["f"])
    with pytest.raises(DataError, match=r"column 'rewards'; the columns are \['reward'\]"):
        hybrid_rows(tasks, [], "rewards")
