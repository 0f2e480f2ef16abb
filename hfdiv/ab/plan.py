"""How many users, or how small an effect: before an experiment starts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hfdiv._extras import require
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.read import BadConversation, read_log
from hfdiv.ab.sequential import critical_value
from hfdiv.data import DataError


@dataclass(frozen=True)
class Baseline:
    """What is known of a metric before.

    Attributes:
        value (`float`): Its mean, or its share.
        sd (`float`): Standard deviation of one conversation; `None` of a proportion, which has its own.
        conversations (`float`): Conversations of a unit, on average.
        alike (`float`): How alike those of one unit are: the intra-class correlation, in [0, 1].

    Example:
        >>> Baseline(0.3, conversations=3, alike=0.5).design_effect
        2.0
    """

    value: float
    sd: float | None = None
    conversations: float = 1.0
    alike: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            DataError: If a number is out of its range.
        """
        if self.sd is None and not 0 < self.value < 1:
            raise DataError(f"A proportion must be between 0 and 1, got {self.value!r}; for a mean, give `sd`.")
        if self.sd is not None and not (0 < self.sd < math.inf and math.isfinite(self.value)):
            raise DataError(f"A mean needs a standard deviation above 0, got {self.value!r} and {self.sd!r}.")
        if not self.conversations >= 1 or not 0 <= self.alike <= 1:
            raise DataError(
                "A unit has at least 1 conversation, and they are alike from 0 to 1; got "
                f"{self.conversations!r} and {self.alike!r}."
            )

    @property
    def design_effect(self) -> float:
        """How many conversations tell as much as one would if they were independent (Kish, 1965)."""
        return 1 + (self.conversations - 1) * self.alike


@dataclass(frozen=True)
class Plan:
    """An experiment's size.

    Attributes:
        effect (`float`): Smallest difference that is found with the given power.
        relative (`float`): The same as a share of the baseline.
        alpha (`float`): What each test is held against.
        control (`int`): Units of the control, where one looks once.
        treatment (`int`): Units of each other arm.
        factor (`float`): By how much an experiment grows that may be looked at whenever one likes: then it has the
            same power at its end, and mostly stops before.
        peeking_effect (`float`): Smallest difference that is found in `control` and `treatment` units, looking at any
            time.
        days (`float`): How long it takes, looking once; NaN where the traffic is unknown.
        peeking_days (`float`): How long at most, looking at any time.
    """

    effect: float
    relative: float
    alpha: float
    control: int
    treatment: int
    factor: float
    peeking_effect: float
    days: float
    peeking_days: float

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in vars(self).items()
        }


def plan(
    baseline: Baseline,
    *,
    effect: float | None = None,
    units: int | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    n_arms: int = 2,
    n_tests: int | None = None,
    units_per_day: float | None = None,
) -> Plan:
    """Return the size of an experiment that finds an effect, or the effect that an experiment of a size finds.

    Tests are two-sided; `statsmodels` solves for them, the one of means by t, the one of proportions by the normal
    distribution. Alpha is shared by all tests (Bonferroni, the worst case of Holm).

    Args:
        baseline: What is known of the metric.
        effect: Difference from the baseline to find, of either sign; or
        units: Units of the control.
        alpha: Chance of a false positive, over all tests.
        power: Chance of finding the effect.
        ratio: Units of another arm for each of the control.
        n_arms: Arms, the control included.
        n_tests: Tests that share alpha. Defaults to one for each arm but the control.
        units_per_day: New units a day, of all arms together.

    Raises:
        DataError: If an argument is out of its range, or neither or both of `effect` and `units` are given.

    Example:
        >>> found = plan(Baseline(0.30), effect=-0.03)
        >>> found.control, round(found.factor, 2)
        (3554, 1.94)
    """
    if (effect is None) == (units is None):
        raise DataError("Give the effect to find, or the units there are: one of the two.")
    _check(alpha=alpha, power=power)
    tests = n_arms - 1 if n_tests is None else n_tests
    if n_arms < 2 or tests < 1 or not 0 < ratio < math.inf:
        raise DataError(f"There must be 2 arms, 1 test and a ratio above 0; got {n_arms}, {tests} and {ratio!r}.")
    each = alpha / tests
    per_unit = baseline.design_effect / baseline.conversations
    if effect is None:
        assert units is not None  # one of the two is given
        found = _effect(baseline, units / per_unit, each, power, ratio)
        control = units
    else:
        found = effect
        control = math.ceil(_size(baseline, effect, each, power, ratio) * per_unit)
    treatment = math.ceil(ratio * control)
    factor = peeking_factor(each, power)
    total = control + (n_arms - 1) * treatment
    days = math.nan if units_per_day is None else math.ceil(total / units_per_day)
    return Plan(
        effect=found,
        relative=found / baseline.value if baseline.value else math.nan,
        alpha=each,
        control=control,
        treatment=treatment,
        factor=factor,
        peeking_effect=_effect(baseline, control / per_unit / factor, each, power, ratio),
        days=days,
        peeking_days=math.nan if units_per_day is None else math.ceil(factor * total / units_per_day),
    )


def baseline_of(paths: Iterable[str | Path], metric: str) -> Baseline:
    """Return the baseline of a metric in past logs, over all their experiments and arms; a unit counts as one.

    Raises:
        DataError: If a log cannot be read, or does not hold enough of the metric.
    """
    units: dict[str, int] = {}
    rows = []
    for row in read_log(paths, [metric]):
        if isinstance(row, BadConversation):
            if row.unfinished:
                continue
            raise DataError(f"{row.place}: {row.reason}")
        talk = row.conversation
        value = 1.0 if metric == "conversations" else talk.values.get(metric, math.nan)
        rows.append((units.setdefault(talk.unit, len(units)), value))
    unit, values = np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows])
    if metric == "conversations":
        values = np.bincount(unit, minlength=len(units)).astype(np.float64)
        unit = np.arange(len(units))
    mean = arm_mean(values, unit)
    if not mean.se > 0:
        raise DataError(
            f"The logs have {mean.n_units} units with {metric!r}, and it does not vary: nothing to plan from."
        )
    return Baseline(mean.value, mean.se * math.sqrt(mean.n_units))


def peeking_factor(alpha: float, power: float) -> float:
    """Return how many times as much information a confidence sequence needs to have the same power at its end.

    At the end, the interval reaches z(r) standard errors to each side ([`~hfdiv.ab.sequential`]), with r = (effect /
    standard error)² where it is tuned for the effect; so r = (z(r) + z of the power)².

    Example:
        >>> round(peeking_factor(0.05, 0.8), 2)
        1.94
    """
    norm = require("scipy.stats", "ab").norm
    beyond = float(norm.ppf(power))
    r = float(
        require("scipy.optimize", "ab").brentq(lambda r: r - (critical_value(alpha, r) + beyond) ** 2, 0.01, 1e4)
    )
    return r / (float(norm.isf(alpha / 2)) + beyond) ** 2


def _size(baseline: Baseline, effect: float, alpha: float, power: float, ratio: float) -> float:
    """Return how many independent conversations the control needs."""
    if baseline.sd is not None:
        solve = require("statsmodels.stats.power", "ab").TTestIndPower().solve_power
        size = abs(effect) / baseline.sd
        if not 0 < size < math.inf:
            raise DataError(f"The effect must not be 0, got {effect!r}.")
        return float(solve(effect_size=size, alpha=alpha, power=power, ratio=ratio))
    if effect == 0 or not 0 < baseline.value + effect < 1:
        raise DataError(
            f"A proportion of {baseline.value:g} that changes by {effect:g} is {baseline.value + effect:g}: it must "
            "change and stay between 0 and 1."
        )
    size_of = require("statsmodels.stats.proportion", "ab").samplesize_proportions_2indep_onetail
    treatment = size_of(effect, baseline.value, power, ratio=1 / ratio, alpha=alpha)
    return float(treatment / ratio)


def _effect(baseline: Baseline, n: float, alpha: float, power: float, ratio: float) -> float:
    """Return the smallest effect that so many independent conversations find; of a proportion, a rise."""
    if n < 3:
        raise DataError(f"Nothing can be found with {n:.3g} conversations in the control.")
    if baseline.sd is not None:
        solve = require("statsmodels.stats.power", "ab").TTestIndPower().solve_power
        size = solve(nobs1=n, alpha=alpha, power=power, ratio=ratio)  # a number, or an array of one
        return baseline.sd * float(np.squeeze(size))
    most = 1 - baseline.value - 1e-9

    def too_few(effect: float) -> float:
        return _size(baseline, effect, alpha, power, ratio) - n

    if too_few(most) > 0:
        raise DataError(f"With {n:.3g} conversations in the control, even a rise to 1 is not found.")
    return float(require("scipy.optimize", "ab").brentq(too_few, 1e-9, most))


def _check(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 < value < 1:
            raise DataError(f"`{name}` must be between 0 and 1, got {value!r}.")
