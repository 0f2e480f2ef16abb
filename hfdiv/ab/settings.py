"""What an analysis is to do, said before the experiment starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from hfdiv.ab.metrics import Metric
from hfdiv.data import DataError


Correction: TypeAlias = Literal["holm", "fdr_bh", "none"]
"""How p-values of several tests are corrected, by the names of statsmodels."""


@dataclass(frozen=True)
class Settings:
    """What to measure, what to decide by, and how sure to be.

    All of it belongs before the experiment: a metric or a margin chosen after looking decides nothing.

    Example:
        >>> from hfdiv.ab.metrics import choose_metrics
        >>> Settings(choose_metrics("abandoned")).primary.name
        'abandoned'
    """

    metrics: Sequence[Metric] = field(metadata={"help": "What is measured; exactly one metric is the primary one."})
    control: str = field(default="control", metadata={"help": "Arm that the others are compared with."})
    weights: dict[str, float] | None = field(
        default=None, metadata={"help": "Weight of each arm, as assigned. Default: the arms in the log, equally."}
    )
    experiment: str | None = field(default=None, metadata={"help": "Which, where the log holds several."})
    effect: float = field(
        default=0.1,
        metadata={"help": "Relative effect that the experiment is to find: intervals are tuned for it."},
    )
    alpha: float = field(default=0.05, metadata={"help": "Chance of a false positive."})
    peeking: bool = field(
        default=True, metadata={"help": "Whether the log may be analyzed, and stopped, at any time."}
    )
    planned_units: int | None = field(
        default=None, metadata={"help": "Units an arm that the experiment was planned for, where it was."}
    )
    correction: Correction = field(
        default="holm", metadata={"help": "Of several tests: holm, fdr_bh (Benjamini-Hochberg) or none."}
    )
    tokenizer: str = field(default="mixed", metadata={"help": "How replies are split to measure their diversity."})
    n_texts: int = field(default=1000, metadata={"help": "Units an arm whose replies are measured."})
    n_samples: int = field(default=6, metadata={"help": "Conversations an arm that are shown."})
    n_resamples: int = field(default=2000, metadata={"help": "Draws of the bootstrap of diversity."})
    seed: int = field(default=0, metadata={"help": "Seed of the draws."})
    skip_bad: bool = field(default=False, metadata={"help": "Leave out and count rows that cannot be read."})

    def __post_init__(self) -> None:
        """Refuse what no analysis can work with.

        Raises:
            DataError: If a setting is out of its range.
        """
        if sum(metric.role == "primary" for metric in self.metrics) != 1:
            raise DataError("Exactly one metric must be the primary one.")
        for name in ("effect", "alpha"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 < value < 1):
                raise DataError(f"`{name}` must be between 0 and 1, got {value!r}.")
        if self.planned_units is not None and self.planned_units < 1:
            raise DataError(f"`planned_units` must be at least 1, got {self.planned_units!r}.")
        if self.weights is not None and self.control not in self.weights:
            raise DataError(f"The control {self.control!r} is none of the arms {list(self.weights)}.")
        if self.correction not in ("holm", "fdr_bh", "none"):
            raise DataError(f"`correction` must be holm, fdr_bh or none, got {self.correction!r}.")

    @property
    def primary(self) -> Metric:
        """The metric that decides."""
        return next(metric for metric in self.metrics if metric.role == "primary")

    def to_dict(self) -> dict[str, Any]:
        """Return all of it ready for JSON."""
        return {
            **{name: value for name, value in vars(self).items() if name != "metrics"},
            "metrics": [
                {**vars(metric), "margin": None if metric.margin is None else str(metric.margin)}
                for metric in self.metrics
            ],
        }
