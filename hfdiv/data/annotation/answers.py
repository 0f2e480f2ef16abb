"""Answers of people, from whichever tool they used, set against the key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from hfdiv.data.annotation.tasks import Task, TaskSet
from hfdiv.data.records import DataError


POINTS = {"a": 1.0, "tie": 0.5, "b": 0.0}
"""What a preference is worth to a."""


class Answer(NamedTuple):
    """What one annotator said about one task.

    Attributes:
        task: The task's id.
        annotator: Who.
        value: "left", "right" or "tie"; or a rating, as text.
        place: Where it stands, for messages.
    """

    task: str
    annotator: str
    value: str
    place: str


def unblind(
    tasks: TaskSet, answers: Iterable[Answer], on_conflict: Literal["error", "last"] = "error"
) -> list[dict[str, Any]]:
    """Set answers against the key: one row for each task and annotator, in the order of the answers.

    The same answer twice counts once. Two different answers of one annotator to one task are an error, or the later
    one counts.

    Args:
        tasks: The key.
        answers: Answers, from any number of files.
        on_conflict: "error", or "last".

    Returns:
        Rows with `task`, `prompt`, `response_a`, `response_b`, `preference` ("a", "b" or "tie"), `annotator`,
        `source_a`, `source_b` and `left` ("a" or "b": which stood there). For ratings, rows with `task`, `prompt`,
        `response`, `rating`, `scale`, `annotator` and `source`.

    Raises:
        DataError: If a task is unknown, an answer is none of those possible, or answers conflict.
    """
    known = {task.id: task for task in tasks.tasks}
    kept: dict[tuple[str, str], Answer] = {}
    for answer in answers:
        if answer.task not in known:
            raise DataError(
                f"{answer.place}: task {answer.task!r:.60} is not in the key. Give the key of the same export."
            )
        if answer.value not in tasks.answers:
            raise DataError(
                f"{answer.place}: the answer to task {answer.task} must be one of {', '.join(tasks.answers)}, "
                f"got {answer.value!r:.60}."
            )
        earlier = kept.get((answer.task, answer.annotator))
        if earlier is not None and earlier.value != answer.value and on_conflict == "error":
            raise DataError(
                f"{answer.place}: {answer.annotator!r} answers task {answer.task} with {answer.value}, and with "
                f"{earlier.value} at {earlier.place}. Correct one, or let the last one count."
            )
        kept[answer.task, answer.annotator] = answer
    return [_row(tasks, known[answer.task], answer) for answer in kept.values()]


def _row(tasks: TaskSet, task: Task, answer: Answer) -> dict[str, Any]:
    if tasks.kind == "rating":
        (reply,) = task.replies
        return {
            "task": task.id,
            "prompt": task.prompt,
            "response": reply.text,
            "rating": int(answer.value),
            "scale": tasks.scale,
            "annotator": answer.annotator,
            "source": reply.source,
        }
    a, b = task.replies
    left, right = ("b", "a") if task.swapped else ("a", "b")
    return {
        "task": task.id,
        "prompt": task.prompt,
        "response_a": a.text,
        "response_b": b.text,
        "preference": {"left": left, "right": right, "tie": "tie"}[answer.value],
        "annotator": answer.annotator,
        "source_a": a.source,
        "source_b": b.source,
        "left": left,
    }
