"""Tests of hfdiv/data/annotation/label_studio.py against the documented format."""

import json
import xml.etree.ElementTree as ET

import pytest

from hfdiv.data import DataError, Records
from hfdiv.data.annotation import pairwise_tasks, rating_tasks, read_answers, unblind
from hfdiv.data.annotation.label_studio import label_studio_config, label_studio_tasks
from tests.data.annotation_texts import HOSTILE


PAIRS = pairwise_tasks([Records(HOSTILE, [[text + "1", text + "2"] for text in HOSTILE])], ["f"])
RATINGS = rating_tasks([Records(["p"], [["a", "b"]])], ["f"], scale=7)


def export(tasks, values, **annotation):
    """What Label Studio exports, in the form of its documentation (https://labelstud.io/guide/task_format)."""
    items = json.loads(label_studio_tasks(tasks))
    for number, (item, value) in enumerate(zip(items, values, strict=True), start=1):
        region = {"id": "Dx_aB91ISN", "origin": "manual", "to_name": "left", "from_name": "preference"}
        if tasks.kind == "rating":
            region |= {"to_name": "reply", "from_name": "rating", "type": "rating", "value": {"rating": value}}
        else:
            region |= {"type": "choices", "value": {"choices": [value]}}
        entry = {"id": 1000 + number, "result": [region], "was_cancelled": False, "ground_truth": False}
        entry |= {"created_at": "2026-03-09T22:16:08.728353Z", "lead_time": 4.288, "task": number, "completed_by": 10}
        item |= {
            "id": number,
            "project": 83,
            "predictions": [],
            "drafts": [],
            "annotations": [{**entry, **annotation}],
        }
    return items


@pytest.fixture
def save(tmp_path):
    def _save(items):
        path = tmp_path / "project-83.json"
        path.write_text(json.dumps(items))
        return path

    return _save


def test_the_tasks_hold_every_text_and_nothing_that_unblinds():
    items = json.loads(label_studio_tasks(PAIRS))
    assert [item["data"] for item in items] == [task.shown for task in PAIRS.tasks]
    assert all(set(item) == {"data"} for item in items)


@pytest.mark.parametrize("tasks", [PAIRS, RATINGS])
def test_the_configuration_names_what_the_tasks_hold(tasks):
    root = ET.fromstring(label_studio_config(tasks))
    shown = {element.get("name"): element.get("value") for element in root.iter("Text")}
    assert shown == {name: f"${name}" for name in tasks.tasks[0].shown if name != "task"}
    assert all(element.get("valueType") == "text" for element in root.iter("Text"))  # never fetched as an address
    (control,) = [element for element in root.iter() if element.get("toName")]
    assert control.get("toName") in shown
    if tasks.kind == "rating":
        assert (control.tag, control.get("maxRating")) == ("Rating", "7")
    else:
        assert {choice.get("value") for choice in control} == set(tasks.answers)


def test_a_question_is_text_in_the_configuration():
    question = "Which is <better> & \"fresher\" 'now'?"
    tasks = pairwise_tasks([Records(["p"], [["a", "b"]])], ["f"], question=question)
    assert ET.fromstring(label_studio_config(tasks)).find("Header").get("value") == question


def test_pairs_come_back(save):
    values = [PAIRS.answers[place % 3] for place in range(len(PAIRS.tasks))]
    answers = read_answers(save(export(PAIRS, values)), PAIRS)
    assert [(answer.task, answer.value, answer.annotator) for answer in answers] == [
        (task.id, value, "10") for task, value in zip(PAIRS.tasks, values, strict=True)
    ]
    assert len(unblind(PAIRS, answers)) == len(PAIRS.tasks)


@pytest.mark.parametrize(
    ("by", "name"),
    [({"id": 3, "email": "a@b.example"}, "a@b.example"), ({"id": 3}, "3"), (7, "7"), (None, "project-83")],
)
def test_ratings_come_back_with_who_gave_them(save, by, name):
    answers = read_answers(save(export(RATINGS, [7, 1], completed_by=by)), RATINGS)
    assert [(answer.value, answer.annotator) for answer in answers] == [("7", name), ("1", name)]
    assert [row["rating"] for row in unblind(RATINGS, answers)] == [7, 1]


@pytest.mark.parametrize("annotation", [{"was_cancelled": True}, {"result": []}])
def test_cancelled_and_empty_annotations_are_none(save, annotation):
    assert read_answers(save(export(RATINGS, [7, 1], **annotation)), RATINGS) == []


def test_several_people_on_one_task(save):
    items = export(RATINGS, [7, 1])
    items[0]["annotations"].append({**items[0]["annotations"][0], "completed_by": 11})
    assert [answer.annotator for answer in read_answers(save(items), RATINGS)] == ["10", "11", "10"]


@pytest.mark.parametrize(
    "item",
    [
        3,
        {"id": 1, "task": "t", "rating": 3, "annotator": 1},  # JSON-MIN
        {"data": {"text": "other project"}, "annotations": []},
        {"data": {"task": "t"}, "annotations": [{"result": [{"from_name": "rating", "value": {}}]}]},
        {"data": {"task": "t"}, "annotations": [{"result": [{"from_name": "rating", "value": {"rating": 1}}] * 2}]},
    ],
)
def test_other_exports_are_refused(save, item):
    with pytest.raises(DataError, match=r"project-83.json, task 3 is not a task of Label Studio"):
        read_answers(save([*export(RATINGS, [7, 1]), item]), RATINGS)
