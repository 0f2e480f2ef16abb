"""Human and automatic judgement as one score."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hfdiv.data.annotation.answers import POINTS
from hfdiv.data.annotation.tasks import TaskSet
from hfdiv.data.records import DataError


Floats = NDArray[np.float64]


def hybrid_score(human: ArrayLike, automatic: ArrayLike, *, human_weight: float = 0.7) -> Floats:
    """Combine human and automatic scores. Higher = better, in [0, 1].

    `human_weight` · human + (1 − `human_weight`) · automatic where both are there; where no human looked, the
    automatic score alone; where there is no automatic score, the human one.

    Args:
        human: `(n,)`, in [0, 1], NaN where no human looked.
        automatic: `(n,)`, in [0, 1], NaN where there is none.
        human_weight: In [0, 1].

    Returns:
        `(n,)`, NaN where both are missing.

    Raises:
        ValueError: If a score or the weight is out of range, or the shapes differ.

    Example:
        >>> hybrid_score([1.0, float("nan")], [0.5, 0.5], human_weight=0.8).tolist()
        [0.9, 0.5]
    """
    if not 0 <= human_weight <= 1:
        raise ValueError(f"`human_weight` must be in [0, 1], got {human_weight}.")
    scores = [np.asarray(values, dtype=np.float64) for values in (human, automatic)]
    if scores[0].shape != scores[1].shape:
        raise ValueError(f"`human` and `automatic` must have one shape, got {scores[0].shape} and {scores[1].shape}.")
    for name, values in zip(("human", "automatic"), scores, strict=True):
        wrong = values[(values < 0) | (values > 1)]
        if wrong.size:
            raise ValueError(f"`{name}` must be in [0, 1], or NaN where missing, got {wrong.flat[0]}.")
    both = human_weight * scores[0] + (1 - human_weight) * scores[1]
    return np.where(np.isnan(scores[0]), scores[1], np.where(np.isnan(scores[1]), scores[0], both))


def hybrid_rows(
    tasks: TaskSet, rows: Sequence[Mapping[str, Any]], column: str, *, human_weight: float = 0.7
) -> list[dict[str, Any]]:
    """Score every task of the key, whether a human looked at it or not.

    The human score is the mean over annotators: of (rating − 1) / (scale − 1), or, for pairs, of 1 where a was
    preferred, 0.5 for a tie and 0 for b. For the automatic one, the column is scaled to [0, 1] by its least and its
    largest value among all tasks (0.5 where they are equal); for pairs it is (1 + score of a − score of b) / 2.

    Args:
        tasks: The key.
        rows: Rows of [`unblind`].
        column: Name of a column of the files of replies, higher = better.
        human_weight: In [0, 1].

    Returns:
        Rows with `task`, `prompt`, the replies, `human`, `automatic`, `score` (in [0, 1], `None` where undefined) and
        `n_judgements`.

    Raises:
        DataError: If no reply has a number in that column.
        ValueError: If the weight is out of range.
    """
    human: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        pair = tasks.kind == "pairwise"
        human[row["task"]].append(POINTS[row["preference"]] if pair else (row["rating"] - 1) / (tasks.scale - 1))
    people = [float(np.mean(human[task.id])) if task.id in human else math.nan for task in tasks.tasks]
    automatic = _automatic(tasks, column)
    scores = hybrid_score(people, automatic, human_weight=human_weight)
    names = ("response_a", "response_b") if tasks.kind == "pairwise" else ("response",)
    return [
        {
            "task": task.id,
            "prompt": task.prompt,
            **{name: reply.text for name, reply in zip(names, task.replies, strict=True)},
            "human": _or_none(people[place]),
            "automatic": _or_none(automatic[place]),
            "score": _or_none(scores[place]),
            "n_judgements": len(human[task.id]) if task.id in human else 0,
        }
        for place, task in enumerate(tasks.tasks)
    ]


def _automatic(tasks: TaskSet, column: str) -> Floats:
    """`(n_tasks,)`, in [0, 1]."""
    names = sorted({name for task in tasks.tasks for reply in task.replies for name in reply.numbers})
    given = [[reply.numbers.get(column) for reply in task.replies] for task in tasks.tasks]
    numbers = np.array([[math.nan if value is None else value for value in values] for values in given], dtype=float)
    if not np.isfinite(numbers).any():
        raise DataError(f"No reply has a number in the column {column!r}; the columns are {names}.")
    numbers /= 2  # the range of two very large numbers is then no larger than they can be
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    scaled = (numbers - low) / (high - low) if high > low else np.where(np.isnan(numbers), math.nan, 0.5)
    if scaled.shape[1] == 1:
        return np.asarray(scaled[:, 0], dtype=np.float64)
    return np.asarray((1 + scaled[:, 0] - scaled[:, 1]) / 2, dtype=np.float64)


def _or_none(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
