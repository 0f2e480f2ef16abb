"""How far do people agree, and what do they prefer? Each number with its 95% interval."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hfdiv._extras import require
from hfdiv.data.annotation.answers import POINTS
from hfdiv.data.annotation.tasks import TaskSet


Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Share of intervals that should hold the true value."""

N_RESAMPLES = 1000
"""Draws of a bootstrap."""

_Z = 1.959963984540054  # normal quantile of 0.975


class Interval(NamedTuple):
    """A value with its interval; NaN where undefined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_dict(self) -> dict[str, float | None]:
        """Return value, low and high for JSON, with `None` for what is undefined.

        Example:
            >>> Interval(0.5).to_dict()
            {'value': 0.5, 'low': None, 'high': None}
        """
        return {name: number if math.isfinite(number) else None for name, number in self._asdict().items()}


def krippendorff_alpha(
    counts: Sequence[Sequence[int]],
    level: Literal["nominal", "ordinal", "interval"],
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Krippendorff's α by the library `krippendorff`, with a percentile bootstrap over tasks. Higher = more agreement.

    1 is full agreement, 0 is that of chance, below 0 is worse. Only tasks with two answers or more count. α is
    undefined where all answers are equal; resamples in which they are do not enter, and where they are more than half
    there is no interval.

    Args:
        counts: `(n_tasks, n_values)`, how many annotators gave each value; values in their order.
        level: What a difference between values means.
        n_resamples: Draws of the bootstrap.
        seed: Its seed.

    Raises:
        ImportError: If `krippendorff` is not installed.

    Example:
        >>> krippendorff_alpha([[2, 0], [0, 2], [2, 0]], "nominal").value
        1.0
    """
    library = require("krippendorff", "annotate")
    table = np.asarray(counts, dtype=np.int64)
    table = table[table.sum(axis=1) > 1] if table.size else table.reshape(0, 0)

    def alpha(rows: NDArray[np.int64]) -> float:
        if (rows.sum(axis=0) > 0).sum() < 2:
            return math.nan
        return float(library.alpha(value_counts=rows, level_of_measurement=level))

    return _bootstrap(alpha, table, n_resamples, seed)


def wilson(mean: float, n: int) -> Interval:
    """Wilson's score interval of a share (*Probable Inference*, Wilson, 1927).

    It also holds for a mean of `n` independent numbers in [0, 1], whose variance is at most that of a share; then it
    is wider than needed.

    Example:
        >>> [round(number, 3) for number in wilson(0.5, 10)]
        [0.5, 0.237, 0.763]
    """
    if n == 0:
        return Interval(math.nan)
    centre = (mean + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n**2))
    return Interval(mean, min(max(centre - half, 0.0), mean), max(min(centre + half, 1.0), mean))


def summarise(
    tasks: TaskSet, rows: Sequence[Mapping[str, Any]], *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Summarise the rows of [`unblind`] for JSON.

    Args:
        tasks: The key.
        rows: Rows.
        n_resamples: Draws of a bootstrap.
        seed: Its seed.

    Returns:
        `n_tasks`, `n_answered` (tasks with an answer), `n_overlapping` (with two or more), `n_judgements`,
        `annotators` (answers of each) and `alpha`, nominal for pairs and ordinal for ratings. For pairs, `answers`
        (how often a, b and tie), `left_rate` (0.5 where the side did not matter) and, where a and b come from
        different files, `win_rate` by "A over B": a tie counts half, means are over prompts, and the interval is
        Wilson's. For ratings, `mean_rating` by file, with a bootstrap over prompts.

    Raises:
        ImportError: If `krippendorff` is not installed.
    """
    by_task = _grouped((row["task"], row) for row in rows)
    column, values = ("preference", ["a", "tie", "b"]) if tasks.kind == "pairwise" else ("rating", None)
    order: list[Any] = values or list(range(1, tasks.scale + 1))
    counts = [[sum(row[column] == value for row in group) for value in order] for group in by_task.values()]
    level: Literal["nominal", "ordinal"] = "nominal" if tasks.kind == "pairwise" else "ordinal"
    alpha = krippendorff_alpha(counts, level, n_resamples=n_resamples, seed=seed)
    summary = {
        "n_tasks": len(tasks.tasks),
        "n_answered": len(by_task),
        "n_overlapping": sum(len(group) > 1 for group in by_task.values()),
        "n_judgements": len(rows),
        "annotators": dict(sorted(Counter(str(row["annotator"]) for row in rows).items())),
        "alpha": {**alpha.to_dict(), "level": level},
    }
    return summary | (_preferences(rows) if tasks.kind == "pairwise" else _ratings(rows, n_resamples, seed))


def _preferences(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts = Counter(row["preference"] for row in rows)
    left = [
        (
            row["prompt"],
            row["task"],
            POINTS[row["preference"]] if row["left"] == "a" else 1 - POINTS[row["preference"]],
        )
        for row in rows
    ]
    wins = _grouped(
        (f"{row['source_a']} over {row['source_b']}", (row["prompt"], row["task"], POINTS[row["preference"]]))
        for row in rows
        if row["source_a"] != row["source_b"]
    )
    return {
        "answers": {value: counts[value] for value in POINTS},
        "left_rate": _share(left).to_dict(),
        "win_rate": {name: _share(points).to_dict() for name, points in wins.items()},
    }


def _share(points: Sequence[tuple[str, str, float]]) -> Interval:
    means = _prompt_means(points)
    return wilson(float(means.mean()) if means.size else math.nan, means.size)


def _ratings(rows: Sequence[Mapping[str, Any]], n_resamples: int, seed: int) -> dict[str, Any]:
    by_source = _grouped((row["source"], (row["prompt"], row["task"], float(row["rating"]))) for row in rows)
    return {
        "mean_rating": {
            source: _bootstrap(lambda means: float(means.mean()), _prompt_means(points), n_resamples, seed).to_dict()
            for source, points in by_source.items()
        }
    }


def _prompt_means(points: Iterable[tuple[str, str, float]]) -> Floats:
    """Average (prompt, task, number) over a task's annotators, then over a prompt's tasks: prompts are independent."""
    tasks = _grouped(((prompt, task), number) for prompt, task, number in points)
    prompts = _grouped((prompt, float(np.mean(numbers))) for (prompt, _), numbers in tasks.items())
    return np.array([np.mean(numbers) for numbers in prompts.values()], dtype=np.float64)


def _bootstrap(statistic: Callable[[Any], float], rows: NDArray[Any], n_resamples: int, seed: int) -> Interval:
    """Percentile interval over resampled rows; none for fewer than two, or where most resamples are undefined."""
    n = len(rows)
    value = statistic(rows) if n else math.nan
    if n < 2 or not math.isfinite(value):
        return Interval(value)
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(rows[rng.integers(n, size=n)]) for _ in range(n_resamples)])
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size * 2 < n_resamples:
        return Interval(value)
    tail = 50 * (1 - CONFIDENCE)
    return Interval(value, *map(float, np.percentile(drawn, [tail, 100 - tail])))


def _grouped(pairs: Iterable[tuple[Hashable, Any]]) -> dict[Any, list[Any]]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)
