"""Tests of hfdiv/data/annotation/sheet.py: a table that no program takes for formulas, and that gives all back."""

import csv
from io import StringIO

import pytest
from hypothesis import given, settings

from hfdiv.data import DataError, Records
from hfdiv.data.annotation import pairwise_tasks, rating_tasks, read_answers
from hfdiv.data.annotation.sheet import guard, sheet, unguard
from tests.data.annotation_texts import HOSTILE, texts


TASKS = pairwise_tasks([Records(["p", "q"], [["=1+1", "b"], ["-2", "'c"]])], ["f"])


def rows_of(text):
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


def filled(tmp_path, tasks=TASKS, delimiter=",", change=None, name="answers.csv", encoding="utf-8-sig"):
    """The sheet as a program would save it, every row answered."""
    rows = rows_of(sheet(tasks))
    for place, row in enumerate(rows):
        row[{"pairwise": "preference", "rating": "rating"}[tasks.kind]] = tasks.answers[place % len(tasks.answers)]
        row["annotator"] = "Ann"
    rows = change(rows) if change else rows
    table = StringIO()
    writer = csv.DictWriter(table, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path = tmp_path / name
    path.write_bytes(table.getvalue().encode(encoding))
    return path


@given(texts)
@settings(max_examples=200, deadline=None)
def test_the_guard_comes_off_again(text):
    assert unguard(guard(text)) == text
    assert guard(text)[:1] not in set("=+-@\t\r\n＝＋－＠")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_each_is_the_text(text):
    (row,) = rows_of(sheet(rating_tasks([Records([text], [[text]])], ["f"])))
    for cell in row.values():
        assert cell[:1] not in set("=+-@\t\r\n＝＋－＠")
    assert unguard(row["reply"]) == unguard(row["prompt"]) == text.replace("\0", "\ufffd")


def test_the_table_has_a_mark_for_spreadsheets_and_every_cell_is_quoted():
    text = sheet(TASKS)
    assert text.startswith("\ufeff")
    assert all(line.startswith('"') and line.endswith('"') for line in text.removeprefix("\ufeff").splitlines())


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"delimiter": ";"},
        {"delimiter": "\t", "name": "answers.tsv"},
        {"encoding": "utf-8"},
        {
            "change": lambda rows: [{**row, "left": row["left"].lstrip("'")} for row in rows]
        },  # the program showed it so
        {"change": lambda rows: [{name: row[name] for name in ("preference", "task")} for row in rows[::-1]]},
        {"change": lambda rows: [{**row, "preference": f" {row['preference'].upper()} "} for row in rows]},
    ],
)
def test_what_programs_do_to_a_table_does_no_harm(tmp_path, saved):
    answers = read_answers(filled(tmp_path, **saved), TASKS)
    assert {answer.task: answer.value for answer in answers} == {
        task.id: value for task, value in zip(TASKS.tasks, ("left", "right"), strict=True)
    }


def test_line_ends_may_change_and_rows_may_stay_empty(tmp_path):
    tasks = rating_tasks([Records(["p\nq"], [["a\nb", "c"]])], ["f"])

    def change(rows):
        rows = [{**row, "prompt": row["prompt"].replace("\n", "\r\n")} for row in rows]
        return [rows[0], {**rows[1], "rating": " "}]

    (answer,) = read_answers(filled(tmp_path, tasks, change=change), tasks)
    assert (answer.task, answer.annotator, answer.value) == (tasks.tasks[0].id, "Ann", "1")


def test_a_nameless_annotator_is_called_like_the_file(tmp_path):
    path = filled(tmp_path, change=lambda rows: [{**row, "annotator": " "} for row in rows], name="王.csv")
    assert {answer.annotator for answer in read_answers(path, TASKS)} == {"王"}


def swap_answers_only(rows):
    return [{**row, "task": other["task"]} for row, other in zip(rows, rows[::-1], strict=True)]


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({"change": swap_answers_only}, r"answers.csv, line 2: the column 'prompt' does not hold the text of task t"),
        ({"change": lambda rows: [{"task": row["task"]} for row in rows]}, "line 2: there is no column 'preference'"),
        ({"encoding": "utf-16"}, "not UTF-8"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, saved, message):
    with pytest.raises(DataError, match=message):
        read_answers(filled(tmp_path, **saved), TASKS)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(DataError, match="Cannot read .*gone.csv"):
        read_answers(tmp_path / "gone.csv", TASKS)


def test_a_cell_of_a_megabyte(tmp_path):
    tasks = rating_tasks([Records(["p"], [["=" + "长" * 1_000_000]])], ["f"])
    (answer,) = read_answers(filled(tmp_path, tasks), tasks)
    assert answer.value == "1"
