"""What one metric says of one arm against the control."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from hfdiv._extras import require
from hfdiv.ab.contrast import CONTRASTS, Contrast
from hfdiv.ab.mean import ArmMean
from hfdiv.ab.metrics import Metric
from hfdiv.ab.sequential import always_valid_p, as_t, critical_value, fixed_critical_value, fixed_p, from_t
from hfdiv.ab.settings import Settings
from hfdiv.report.significance import Estimate


Guard: TypeAlias = Literal["pass", "fail", "undecided"]
"""What a guardrail says."""

FEWEST_UNITS = 50
"""With fewer units in an arm, intervals that rest on the normal distribution are no ground to decide on."""


@dataclass(frozen=True)
class Effect:
    """One metric of one arm against the control.

    Attributes:
        metric (`Metric`): The metric.
        arm (`str`): The arm.
        control (`ArmMean`): The control's mean.
        treatment (`ArmMean`): The arm's mean.
        difference (`Estimate`): Arm − control.
        relative (`Estimate`): Arm / control − 1.
        tested (`str`): What the p-value is of: `"difference"` or `"ratio"`.
        p (`float`): p-value of no effect; NaN where nothing varies.
        adjusted_p (`float`): The same, corrected for the tests it is one of; NaN of a guardrail, which is held to its
            margin instead.
        alpha (`float`): What it is held against.
        guard (`str`): What a guardrail says; `None` of other metrics.
    """

    metric: Metric
    arm: str
    control: ArmMean
    treatment: ArmMean
    difference: Estimate
    relative: Estimate
    tested: str
    p: float
    alpha: float
    adjusted_p: float = math.nan
    guard: Guard | None = None

    @property
    def n_units(self) -> int:
        """Units of the smaller arm."""
        return min(self.control.n_units, self.treatment.n_units)

    @property
    def sign(self) -> int:
        """1 where the arm is better than the control, −1 where it is worse, 0 where they are the same."""
        change = self.treatment.value - self.control.value
        good = change if self.metric.higher_is_better else -change
        return (good > 0) - (good < 0)

    @property
    def verdict(self) -> str:
        """`"better"`, `"worse"`, or why that cannot be said."""
        if math.isnan(self.p):
            return "undefined"
        if self.n_units < FEWEST_UNITS:
            return "too few units to tell"
        p = self.p if self.metric.role == "guardrail" else self.adjusted_p
        if not p <= self.alpha or not self.sign:
            return "no clear change"
        return "better" if self.sign > 0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Return the effect ready for JSON, with `None` for what is undefined."""
        return {
            "metric": self.metric.name,
            "kind": self.metric.kind,
            "role": self.metric.role,
            "arm": self.arm,
            "control": _mean(self.control),
            "treatment": _mean(self.treatment),
            "difference": self.difference.to_dict(),
            "relative": self.relative.to_dict(),
            "tested": self.tested,
            "p": _or_none(self.p),
            "adjusted_p": _or_none(self.adjusted_p),
            "verdict": self.verdict,
            "margin": None if self.metric.margin is None else str(self.metric.margin),
            "guard": self.guard,
        }


def effect_of(
    metric: Metric, arm: str, control: ArmMean, treatment: ArmMean, settings: Settings, n_arms: int = 1
) -> Effect:
    """Return what a metric says of an arm.

    Args:
        metric: The metric.
        arm: Name of the arm.
        control: The control's mean.
        treatment: The arm's.
        settings: How sure to be, and whether one looks once.
        n_arms: How many arms are compared with the control. The intervals of what decides, the primary metric and
            guardrails, make up for them (Bonferroni).
    """
    contrast = CONTRASTS[metric.kind](control, treatment)
    width = width_of(metric, contrast, settings, n_arms)
    return Effect(
        metric=metric,
        arm=arm,
        control=control,
        treatment=treatment,
        difference=contrast.difference(width),
        relative=contrast.relative(width),
        tested=contrast.tested,
        p=_p_of(metric, contrast, settings),
        alpha=settings.alpha,
        guard=None if metric.margin is None else _guard(metric, contrast, width),
    )


def width_of(metric: Metric, contrast: Contrast, settings: Settings, n_arms: int = 1) -> float:
    """Return how many standard errors the interval reaches to each side."""
    decides = metric.role != "secondary" and settings.correction != "none"
    alpha = settings.alpha / n_arms if decides else settings.alpha
    if not settings.peeking:
        return fixed_critical_value(alpha, contrast.df)
    r = contrast.r(_tuned_for(metric, contrast, settings))
    return math.nan if math.isnan(r) else as_t(critical_value(alpha, r), contrast.df)


def _tuned_for(metric: Metric, contrast: Contrast, settings: Settings) -> float:
    """Return the relative effect that a metric's sequence is tuned for: of a guardrail, its margin."""
    if metric.margin is None:
        return settings.effect
    return metric.margin.size if metric.margin.is_relative else metric.margin.size / (contrast.usual or 1.0)


def _p_of(metric: Metric, contrast: Contrast, settings: Settings) -> float:
    z = contrast.z
    if math.isnan(z):
        return math.nan
    if not settings.peeking:
        return fixed_p(z, contrast.df)
    return always_valid_p(from_t(abs(z), contrast.df), contrast.r(_tuned_for(metric, contrast, settings)))


def _guard(metric: Metric, contrast: Contrast, width: float) -> Guard:
    """Hold a guardrail to its margin: it passes where the interval lies on the good side, and fails on the bad one."""
    margin = metric.margin
    assert margin is not None  # the caller's business
    interval = contrast.relative(width) if margin.is_relative else contrast.difference(width)
    low, high = interval.low, interval.high
    if not metric.higher_is_better:
        low, high = -high, -low
    if min(contrast.control.n_units, contrast.treatment.n_units) < FEWEST_UNITS or math.isnan(low):
        return "undecided"
    return "pass" if low > -margin.size else "fail" if high < -margin.size else "undecided"


def corrected(effects: Sequence[Effect], settings: Settings) -> list[Effect]:
    """Return the effects with p-values corrected, in two families: the primary metric's arms, and all secondary ones.

    What decides is one metric, so it is corrected for the number of arms only. Guardrails must all pass, which needs
    no correction over them (an intersection-union test).
    """
    found = list(effects)
    for role in ("primary", "secondary"):
        family = [place for place, effect in enumerate(found) if effect.metric.role == role]
        adjusted = _adjusted([found[place].p for place in family], settings)
        for place, p in zip(family, adjusted, strict=True):
            found[place] = replace(found[place], adjusted_p=p)
    return found


def _adjusted(p_values: Sequence[float], settings: Settings) -> list[float]:
    """Correct the p-values that are defined; the others were no tests."""
    known = [p for p in p_values if not math.isnan(p)]
    if settings.correction == "none" or not known:
        return list(p_values)
    multipletests = require("statsmodels.stats.multitest", "ab").multipletests
    adjusted = iter(multipletests(known, alpha=settings.alpha, method=settings.correction)[1].tolist())
    return [p if math.isnan(p) else next(adjusted) for p in p_values]


def _mean(mean: ArmMean) -> dict[str, Any]:
    return {"value": _or_none(mean.value), "se": _or_none(mean.se), "units": mean.n_units, "conversations": mean.n}


def _or_none(number: float) -> float | None:
    return number if math.isfinite(number) else None
