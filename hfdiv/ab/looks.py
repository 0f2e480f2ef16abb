"""How the effect on the primary metric and its interval went, look by look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hfdiv.ab.contrast import CONTRASTS
from hfdiv.ab.effect import width_of
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.metrics import Metric
from hfdiv.ab.settings import Settings
from hfdiv.ab.table import Floats, Ints, Table
from hfdiv.report.significance import Estimate


N_LOOKS = 20
"""Looks over an experiment, at even steps of its conversations."""


@dataclass(frozen=True)
class Look:
    """The log as it was at some time.

    Attributes:
        arm (`str`): The arm that is compared with the control.
        time (`float`): When, in seconds since 1970.
        n_units (`int`): Units of both arms so far.
        always (`Estimate`): The effect with the interval of a confidence sequence.
        once (`Estimate`): The same with an interval that is right when one looks once.
    """

    arm: str
    time: float
    n_units: int
    always: Estimate
    once: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {**vars(self), "always": self.always.to_dict(), "once": self.once.to_dict()}


def values_of(metric: Metric, table: Table) -> tuple[Floats, Ints]:
    """Return the values of a metric and the unit of each: of conversations, or for `conversations` of units.

    Example:
        >>> from hfdiv.ab.table import Counts
        >>> table = Table("e", ["a", "b"], np.array([0, 1]), np.array([0, 0, 1]), np.zeros(3), {}, Counts(), {})
        >>> values_of(Metric("conversations", "mean"), table)[0]
        array([2., 1.])
    """
    if metric.name == "conversations":
        return np.bincount(table.unit, minlength=len(table.arm)).astype(np.float64), np.arange(len(table.arm))
    values = table.values[metric.name]
    return (values if metric.cap is None else np.minimum(values, metric.cap)), table.unit


def looks_at(table: Table, settings: Settings, n_looks: int = N_LOOKS) -> Iterator[Look]:
    """Yield the looks at each arm, the oldest first, on the scale that is tested.

    Args:
        table: The conversations.
        settings: What is measured, and how.
        n_looks: How many, at most.
    """
    order = np.argsort(table.time, kind="stable")
    ends = np.unique(np.linspace(0, len(order), n_looks + 1).round().astype(int)[1:])
    for end in ends[ends > 0]:
        yield from _look(_first(table, order[:end]), settings, float(table.time[order[end - 1]]))


def _look(table: Table, settings: Settings, time: float) -> Iterator[Look]:
    metric = settings.primary
    values, unit = values_of(metric, table)
    seen = np.unique(table.unit)
    means = [
        arm_mean(values[kept], unit[kept])
        for kept in ((table.arm[unit] == place) & np.isin(unit, seen) for place in range(len(table.arms)))
    ]
    for arm, treatment in zip(table.arms[1:], means[1:], strict=True):
        contrast = CONTRASTS[metric.kind](means[0], treatment)
        always, once = (
            contrast.effect(width_of(metric, contrast, replace(settings, peeking=peeking), len(means) - 1))
            for peeking in (True, False)
        )
        yield Look(arm, time, means[0].n_units + treatment.n_units, always, once)


def _first(table: Table, rows: Ints) -> Table:
    """Return the table with some of its conversations."""
    return replace(
        table,
        unit=table.unit[rows],
        time=table.time[rows],
        values={name: values[rows] for name, values in table.values.items()},
    )
