"""Tests of hfdiv/data/annotation/answers.py and of the whole way out and back."""

import csv
import json
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hfdiv.data import DataError, Records
from hfdiv.data.annotation import (
    Answer,
    pairwise_tasks,
    rating_tasks,
    read_answers,
    read_key,
    unblind,
    write_tasks,
)
from tests.data.annotation_texts import answered, records


PAIRS = pairwise_tasks([Records(["p", "q"], [["a"], ["c"]]), Records(["p", "q"], [["b"], ["d"]])], ["old", "new"])
SAVED = f'{{"format": "hfdiv-annotations-1", "set": "{PAIRS.id}"'


def test_the_key_says_whose_reply_won():
    """The left one wins every time; by hand, that is a where nothing is swapped."""
    rows = unblind(PAIRS, [Answer(task.id, "Ann", "left", "") for task in PAIRS.tasks])
    for task, row in zip(PAIRS.tasks, rows, strict=True):
        a, b = ("a", "b") if task.prompt == "p" else ("c", "d")
        assert row == {
            "task": task.id,
            "prompt": task.prompt,
            "response_a": a,
            "response_b": b,
            "preference": "b" if task.swapped else "a",
            "annotator": "Ann",
            "source_a": "old",
            "source_b": "new",
            "left": "b" if task.swapped else "a",
        }
        winner = row["response_a"] if row["preference"] == "a" else row["response_b"]
        assert winner == task.shown["left"]
    assert {row["left"] for row in rows} == {"a", "b"}


def test_right_and_tie():
    swapped = next(task for task in PAIRS.tasks if task.swapped)
    (row,) = unblind(PAIRS, [Answer(swapped.id, "Ann", "right", "")])
    assert row["preference"] == "a"
    (row,) = unblind(PAIRS, [Answer(swapped.id, "Ann", "tie", "")])
    assert row["preference"] == "tie"


def test_the_same_answer_twice_counts_once_and_two_people_count_twice():
    one = answered(PAIRS)
    assert unblind(PAIRS, one + one) == unblind(PAIRS, one)
    assert len(unblind(PAIRS, one + answered(PAIRS, "Bob"))) == 2 * len(one)


def test_conflicting_answers():
    task = PAIRS.tasks[0]
    both = [Answer(task.id, "Ann", "left", "x.csv, line 2"), Answer(task.id, "Ann", "tie", "y.csv, line 9")]
    with pytest.raises(DataError, match=r"y.csv, line 9: 'Ann' answers .* with tie, and with left at x.csv, line 2"):
        unblind(PAIRS, both)
    (row,) = unblind(PAIRS, both, "last")
    assert row["preference"] == "tie"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer("t0", "Ann", "left", "x.csv, line 2"), "x.csv, line 2: task 't0' is not in the key"),
        (Answer(PAIRS.tasks[0].id, "Ann", "a", "x.csv, line 2"), "must be one of left, right, tie, got 'a'"),
    ],
)
def test_wrong_answers(answer, message):
    with pytest.raises(DataError, match=message):
        unblind(PAIRS, [answer])


@pytest.mark.parametrize("rating", ["0", "6", "2.5", "", "五", "-1", "٣"])
def test_a_rating_is_on_the_scale(rating):
    tasks = rating_tasks([Records(["p"], [["a"]])], ["f"])
    with pytest.raises(DataError, match="must be one of 1, 2, 3, 4, 5, got"):
        unblind(tasks, [Answer(tasks.tasks[0].id, "Ann", rating, "here")])


def fill_csv(path, answers):
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names, rows = reader.fieldnames, list(reader)
    for row, answer in zip(rows, answers, strict=True):
        row.update({names[-2]: answer.value, "annotator": answer.annotator})
    table = StringIO()
    writer = csv.DictWriter(table, names)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(table.getvalue().encode("utf-8-sig"))
    return path


def fill_label_studio(path, answers):
    items = json.loads(path.read_text(encoding="utf-8"))
    for item, answer in zip(items, answers, strict=True):
        rating = "left" not in item["data"]
        value = {"rating": int(answer.value)} if rating else {"choices": [answer.value]}
        region = {"from_name": "rating" if rating else "preference", "value": value}
        item["annotations"] = [{"result": [region], "completed_by": {"email": answer.annotator}}]
    path.write_text(json.dumps(items))
    return path


def fill_page(path, answers):
    """What the page writes; the test in Chromium shows that it does."""
    html = path.read_text(encoding="utf-8")
    data = json.loads(html.split('<script id="data" type="application/json">')[1].split("</script>")[0])
    saved = {"format": data["format"], "set": data["set"], "kind": data["kind"], "annotator": answers[0].annotator}
    saved["answers"] = [
        {"task": task["task"], "answer": answer.value, "time": ""}
        for task, answer in zip(data["tasks"], answers, strict=True)
    ]
    path = path.with_name("saved.json")
    path.write_text(json.dumps(saved))
    return path


@given(records(), st.sampled_from([pairwise_tasks, rating_tasks]), st.integers(0, 3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_way_out_and_back_loses_nothing(tmp_path, given_records, make, seed):
    tasks = make([given_records], ["回复.jsonl"], seed=seed)
    paths = write_tasks(tasks, tmp_path, overwrite=True)
    assert read_key(paths["key"]) == tasks
    answers = answered(tasks, "Zoë 李")
    expected = unblind(tasks, answers)
    for path in (
        fill_csv(paths["csv"], answers),
        fill_label_studio(paths["label_studio"], answers),
        fill_page(paths["page"], answers),
    ):
        assert unblind(read_key(paths["key"]), read_answers(path, tasks)) == expected
    texts = {(row["prompt"], row.get("response_a", row.get("response"))) for row in expected}
    groups = zip(given_records.prompts, given_records.groups, strict=True)
    assert texts <= {(prompt, reply) for prompt, group in groups for reply in group}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("3", "holds no answers"),
        ('{"format": "other"}', "holds no answers"),
        ('{"format": "hfdiv-annotations-1", "set": "0"}', "answers the tasks of another export"),
        (SAVED + "}", "`answers` must be a list, got NoneType"),
        (
            SAVED + ', "answers": [{"task": "t"}]}',
            "answer 1: not an answer with its `task` and `answer`",
        ),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "saved.json"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_answers(path, PAIRS)


def test_bytes_that_are_not_utf_8_are_refused(tmp_path):
    path = tmp_path / "saved.json"
    path.write_bytes(b'{"format": "\xff"}')
    with pytest.raises(DataError, match="not UTF-8: byte 12"):
        read_answers(path, PAIRS)
