"""What the summaries of all experiments share: a mean with its interval, and the runs of an arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from experiment import Run
from scipy import stats


CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its 95% interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """Return the mean of a share in [0, 1] over seeds, and Student's interval; NaN at its ends for one seed."""
        mean, n = float(np.mean(values)), len(values)
        if n < 2:
            return cls(mean, float("nan"), float("nan"))
        half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
        return cls(mean, max(0.0, mean - half), min(1.0, mean + half))

    @property
    def bars(self) -> list[list[float]]:
        """How far the ends are from the mean, as matplotlib's error bars take it."""
        return [[self.mean - self.low], [self.high - self.mean]]

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def of_arm(runs: Sequence[Run], arm: str) -> list[Run]:
    """Return an arm's runs in the order of their seeds."""
    return sorted((run for run in runs if run["arm"] == arm), key=lambda run: run["seed"])
