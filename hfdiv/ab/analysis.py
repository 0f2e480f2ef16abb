"""An experiment analyzed: from its log to a decision on each arm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hfdiv import __version__
from hfdiv.ab.decision import Decision, decide
from hfdiv.ab.effect import Effect, corrected, effect_of
from hfdiv.ab.looks import Look, looks_at, values_of
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.metrics import Metric
from hfdiv.ab.notes import write_notes
from hfdiv.ab.samples import Sample, choose_samples
from hfdiv.ab.settings import Settings
from hfdiv.ab.srm import RatioCheck, ratio_check
from hfdiv.ab.table import Table, read_table
from hfdiv.ab.variety import VarietyRow, variety_rows
from hfdiv.data import DataError


@dataclass(frozen=True)
class Analysis:
    """What an experiment says.

    Attributes:
        experiment (`str`): Its name.
        arms (`list[str]`): The arms, the control first.
        units (`list[int]`): Units of each.
        conversations (`list[int]`): Conversations of each.
        settings (`Settings`): What was to be done.
        ratio (`RatioCheck`): Are the arms as large as they should be?
        effects (`list[Effect]`): One for each metric and arm.
        variety (`list[VarietyRow]`): Diversity of the replies.
        decisions (`list[Decision]`): One for each arm but the control.
        looks (`list[Look]`): How the primary metric went.
        notes (`list[str]`): What was left out, and what else a reader must know.
        samples (`list[Sample]`): Conversations to read.
        counts (`dict[str, int]`): Rows of the logs that did not count.
    """

    experiment: str
    arms: list[str]
    units: list[int]
    conversations: list[int]
    settings: Settings
    ratio: RatioCheck
    effects: list[Effect]
    variety: list[VarietyRow]
    decisions: list[Decision]
    looks: list[Look]
    notes: list[str]
    samples: list[Sample]
    counts: dict[str, int]

    def effects_by_role(self) -> list[Effect]:
        """Return the effects on the primary metric, then on guardrails, then on others."""
        order = {"primary": 0, "guardrail": 1, "secondary": 2}
        return sorted(self.effects, key=lambda effect: order[effect.metric.role])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as strict JSON can hold it: numbers that are undefined are `None`."""
        listed = ("effects", "variety", "decisions", "looks", "samples")
        return {
            "experiment": self.experiment,
            "arms": [
                {"name": arm, "units": units, "conversations": n}
                for arm, units, n in zip(self.arms, self.units, self.conversations, strict=True)
            ],
            "settings": self.settings.to_dict(),
            "sample_ratio": self.ratio.to_dict(),
            "counts": dict(self.counts),
            "notes": list(self.notes),
            **{name: [item.to_dict() for item in getattr(self, name)] for name in listed},
            "hfdiv": __version__,
        }


def analyze(paths: Iterable[str | Path], settings: Settings) -> Analysis:
    """Analyze the log of an experiment.

    Args:
        paths: Files and folders.
        settings: What to measure, what to decide by, and how sure to be.

    Raises:
        DataError: If the log cannot be read, an arm is empty, or the log does not say what the primary metric or a
            guardrail is about.
        ImportError: If scipy or statsmodels is not installed.

    Example:
        >>> import tempfile
        >>> from hfdiv.ab import choose_metrics, log_conversation
        >>> log = Path(tempfile.mkdtemp(), "log.jsonl")
        >>> for number in range(400):
        ...     arm = "control" if number % 2 else "varied"
        ...     log_conversation(log, experiment="endings", arm=arm, unit_id=number, conversation_id=1,
        ...                      abandoned=number % 8 in (1, 3, 4))
        >>> (decision,) = analyze([log], Settings(choose_metrics("abandoned"))).decisions
        >>> decision.action, decision.reasons[0][:63]
        ('ship', 'The primary metric got better: abandoned 0.25 against 0.5, −50.')
    """
    table = read_table(
        paths,
        control=settings.control,
        arms=None if settings.weights is None else list(settings.weights),
        experiment=settings.experiment,
        columns=[metric.name for metric in settings.metrics if metric.name != "conversations"],
        skip_bad=settings.skip_bad,
        n_texts=settings.n_texts,
    )
    units = np.bincount(table.arm, minlength=len(table.arms)).tolist()
    shares = [1.0] * len(table.arms) if settings.weights is None else [settings.weights[arm] for arm in table.arms]
    ratio = ratio_check(units, shares)
    measured = [metric for metric in settings.metrics if _is_measured(metric, table)]
    effects = corrected([effect for metric in measured for effect in _effects(metric, table, settings)], settings)
    decisions = [
        decide(arm, [effect for effect in effects if effect.arm == arm], settings, ratio) for arm in table.arms[1:]
    ]
    return Analysis(
        experiment=table.experiment,
        arms=table.arms,
        units=units,
        conversations=np.bincount(table.arm[table.unit], minlength=len(table.arms)).tolist(),
        settings=settings,
        ratio=ratio,
        effects=effects,
        variety=list(_variety(table, settings)),
        decisions=decisions,
        looks=list(looks_at(table, settings)),
        notes=list(write_notes(table, settings, effects)),
        samples=choose_samples(table.texts, settings.n_samples),
        counts={name: value for name, value in vars(table.counts).items() if isinstance(value, int)},
    )


def _is_measured(metric: Metric, table: Table) -> bool:
    """Tell whether the log has a value of the metric in every arm.

    Raises:
        DataError: If it has not, and the metric is to decide; or if a value cannot be one of its kind.
    """
    values, unit = values_of(metric, table)
    known = np.isfinite(values)
    lacking = [arm for place, arm in enumerate(table.arms) if not np.any(known & (table.arm[unit] == place))]
    if lacking and metric.role != "secondary":
        raise DataError(f"The log has no `{metric.name}` in the arm {lacking[0]!r}; it is the {metric.role} metric.")
    limits = {"mean": (-np.inf, np.inf), "skewed": (0, np.inf), "proportion": (0, 1)}[metric.kind]
    wrong = values[known & ((values < limits[0]) | (values > limits[1]))]
    if len(wrong):
        raise DataError(f"`{metric.name}` is a {metric.kind} metric, within {list(limits)}, and holds {wrong[0]:g}.")
    return not lacking


def _effects(metric: Metric, table: Table, settings: Settings) -> Iterator[Effect]:
    values, unit = values_of(metric, table)
    means = [
        arm_mean(values[kept], unit[kept]) for kept in (table.arm[unit] == place for place in range(len(table.arms)))
    ]
    for arm, mean in zip(table.arms[1:], means[1:], strict=True):
        yield effect_of(metric, arm, means[0], mean, settings, len(table.arms) - 1)


def _variety(table: Table, settings: Settings) -> Iterator[VarietyRow]:
    control, *others = table.arms
    for arm in others:
        yield from variety_rows(
            table.texts[control],
            table.texts[arm],
            arm,
            settings.tokenizer,
            n_resamples=settings.n_resamples,
            seed=settings.seed,
        )
