"""Tasks and answers in Label Studio's JSON (https://labelstud.io/guide/task_format)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from hfdiv.data.annotation.answers import Answer
from hfdiv.data.annotation.tasks import TaskSet
from hfdiv.data.records import DataError


_HOTKEYS = {"left": "1", "tie": "0", "right": "2"}


def label_studio_tasks(tasks: TaskSet) -> str:
    """Return the tasks as JSON to import into a project.

    Example:
        >>> label_studio_tasks(TaskSet("rating", "How good?", 5, []))
        '[]'
    """
    return json.dumps([{"data": task.shown} for task in tasks.tasks], ensure_ascii=False, indent=1)


def label_studio_config(tasks: TaskSet) -> str:
    """Return the project's labeling configuration, XML without any text of a task.

    Pairs are judged by `Choices` and not by `Pairwise`, which knows no tie.
    """
    text = '<Text name="{0}" value="${0}" valueType="text"/>'
    if tasks.kind == "rating":
        shown = [text.format("reply")]
        control = [f'<Rating name="rating" toName="reply" maxRating="{tasks.scale}" required="true"/>']
    else:
        shown = [
            '<View style="display: grid; grid-template-columns: 1fr 1fr; gap: 1rem">',
            *(f"  {text.format(side)}" for side in ("left", "right")),
            "</View>",
        ]
        control = [
            '<Choices name="preference" toName="left" choice="single" showInline="true" required="true">',
            *(f'  <Choice value="{value}" hotkey="{key}"/>' for value, key in _HOTKEYS.items()),
            "</Choices>",
        ]
    style = "<Style>.htx-text { white-space: pre-wrap; }</Style>"  # without it, spaces are trimmed
    lines = [style, text.format("prompt"), f"<Header value={quoteattr(tasks.question)}/>", *shown, *control]
    return "\n".join(["<View>", *(f"  {line}" for line in lines), "</View>"]) + "\n"


def label_studio_answers(content: list[Any], path: Path, tasks: TaskSet) -> list[Answer]:
    """Read the answers of an export in the format "JSON".

    Annotations that were cancelled, or hold no answer, are skipped. The annotator is the e-mail address where the
    export has it, else the user's number.

    Raises:
        DataError: If an item is not a task with annotations.
    """
    answers: list[Answer] = []
    for number, item in enumerate(content, start=1):
        place = f"{path}, task {number}"
        try:
            task = str(item["data"]["task"])
            annotations = [entry for entry in item["annotations"] if not entry.get("was_cancelled")]
            found = [(_value(entry["result"], tasks), _annotator(entry)) for entry in annotations]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{place} is not a task of Label Studio with its `data.task` and `annotations` ({error!r}). Export "
                'the project in the format "JSON", not "JSON-MIN" or CSV.'
            ) from error
        answers.extend(Answer(task, annotator, value, place) for value, annotator in found if value is not None)
    return answers


def _value(result: list[dict[str, Any]], tasks: TaskSet) -> str | None:
    """Return the answer among an annotation's results."""
    name, kind = ("rating", "rating") if tasks.kind == "rating" else ("preference", "choices")
    values = [region["value"][kind] for region in result if region["from_name"] == name]
    if not values:
        return None
    (value,) = values
    if kind == "rating":
        return str(value)
    (choice,) = value
    return str(choice)


def _annotator(annotation: dict[str, Any]) -> str:
    user = annotation.get("completed_by")
    if isinstance(user, dict):
        user = user.get("email") or user.get("id")
    return "" if user is None else str(user)
