"""Two arms compared: how far apart, in which test, and how sure.

| kind | what is tested | why |
|---|---|---|
| mean | the difference of means, by Welch's t | the mean of many counts or ratings is nearly normal |
| skewed | the ratio of means, by the delta method on its logarithm | the logarithm takes most of the skew away |
| proportion | the difference, by Newcombe's interval | near 0, a normal interval leaves [0, 1] and covers too rarely |

A rank test (Mann-Whitney) is not among them. It asks whether one user's time is likely to be longer than another's,
and can say yes while the total falls; it takes users with one conversation and with many for alike.

Variances are those of [`~hfdiv.ab.mean.ArmMean`]: several conversations of a user are not taken for independent.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from hfdiv._extras import require
from hfdiv.ab.mean import ArmMean
from hfdiv.ab.metrics import Kind
from hfdiv.report.significance import Estimate


_WIDEST = 37.0  # standard errors; beyond, the tail of the normal distribution is no number any more


@dataclass(frozen=True)
class Contrast(ABC):
    """A treatment against the control, for one metric.

    Attributes:
        control: The control's mean.
        treatment: The treatment's.
        tested: What the test is of: `"difference"` or `"ratio"`.
    """

    control: ArmMean
    treatment: ArmMean
    tested: ClassVar[str] = "difference"

    @property
    def df(self) -> float:
        """Degrees of freedom of the test, by Welch and Satterthwaite over units."""
        variances = [(se**2, arm.n_units) for se, arm in zip(self._errors(), self._arms, strict=True)]
        below = sum(variance**2 / (m - 1) for variance, m in variances if m > 1)
        return sum(variance for variance, _ in variances) ** 2 / below if below > 0 else math.inf

    @property
    def _arms(self) -> tuple[ArmMean, ArmMean]:
        return self.control, self.treatment

    def _errors(self) -> tuple[float, ...]:
        """Standard error of each arm, on the scale of the test."""
        return tuple(arm.se for arm in self._arms)

    @property
    @abstractmethod
    def z(self) -> float:
        """The tested effect in standard errors, with its sign; NaN where nothing varies."""

    @abstractmethod
    def r(self, effect: float) -> float:
        """Information so far × τ², for a relative effect that the sequence is tuned for."""

    def difference(self, width: float) -> Estimate:
        """Return treatment − control, with an interval of so many standard errors to each side."""
        return _around(self.treatment.value - self.control.value, width * math.hypot(*(arm.se for arm in self._arms)))

    def relative(self, width: float) -> Estimate:
        """Return treatment / control − 1, with the interval of its logarithm; NaN unless both are above 0."""
        log = _around(self._log_ratio, width * self._log_se)
        return Estimate(*(math.expm1(min(end, 700.0)) for end in (log.value, log.low, log.high)))

    def effect(self, width: float) -> Estimate:
        """Return what is tested with its interval: the difference, or the ratio − 1."""
        return self.relative(width) if self.tested == "ratio" else self.difference(width)

    @property
    def _log_ratio(self) -> float:
        if not (self.control.value > 0 and self.treatment.value > 0):
            return math.nan
        return math.log(self.treatment.value / self.control.value)

    @property
    def _log_se(self) -> float:
        """Standard error of the logarithm of the ratio, by the delta method."""
        return math.nan if math.isnan(self._log_ratio) else math.hypot(*(arm.se / arm.value for arm in self._arms))

    @property
    def usual(self) -> float:
        """Size of a usual value, over both arms."""
        return sum(arm.scale * arm.n for arm in self._arms) / sum(arm.n for arm in self._arms)


class MeanContrast(Contrast):
    """Tests the difference of two means."""

    @property
    def z(self) -> float:
        """The difference in standard errors."""
        return _over(self.treatment.value - self.control.value, math.hypot(*self._errors()))

    def r(self, effect: float) -> float:
        """The effect, as a share of the usual value, in standard errors, squared."""
        return _over(effect * self.usual, math.hypot(*self._errors())) ** 2


class SkewedContrast(Contrast):
    """Tests the ratio of two means."""

    tested = "ratio"

    @property
    def z(self) -> float:
        """The logarithm of the ratio in standard errors."""
        return _over(self._log_ratio, self._log_se)

    def r(self, effect: float) -> float:
        """The effect in standard errors of the logarithm, squared."""
        return _over(math.log1p(effect), self._log_se) ** 2

    def _errors(self) -> tuple[float, ...]:
        return tuple(arm.se / arm.value if arm.value else math.nan for arm in self._arms)


class ProportionContrast(Contrast):
    """Tests the difference of two proportions by Newcombe's interval, over the effective numbers of conversations.

    *Interval estimation for the difference between independent proportions* (Newcombe, 1998, method 10). With several
    conversations a user, the numbers are divided by the design effect, as in *Statistical methods for rates and
    proportions of clustered data* (Rao and Scott, 1992).
    """

    @property
    def df(self) -> float:
        """As for means where users have several conversations; else Newcombe's interval needs none."""
        return math.inf if self.control.per_unit and self.treatment.per_unit else super().df

    @property
    def z(self) -> float:
        """Half the width at which the interval just reaches 0."""
        value = self.treatment.value - self.control.value
        if value == 0 or math.isnan(value):
            return value
        if min(arm.n_units for arm in self._arms) < 2:
            return math.nan

        def near_end(width: float) -> float:
            interval = self.difference(width)
            return interval.low if value > 0 else -interval.high

        if near_end(_WIDEST) > 0:
            return math.copysign(_WIDEST, value)
        root = require("scipy.optimize", "ab").brentq(near_end, 1e-9, _WIDEST, xtol=1e-9)
        return math.copysign(float(root), value)

    def difference(self, width: float) -> Estimate:
        """Return treatment − control with Newcombe's interval."""
        value = self.treatment.value - self.control.value
        if math.isnan(value) or math.isnan(width) or min(arm.n_units for arm in self._arms) < 2:
            return Estimate(value)
        if width > _WIDEST:
            return Estimate(value, -1.0, 1.0)
        size, other = self.treatment.effective_n, self.control.effective_n
        low, high = require("statsmodels.stats.proportion", "ab").confint_proportions_2indep(
            self.treatment.value * size,
            size,
            self.control.value * other,
            other,
            method="newcomb",
            compare="diff",
            alpha=2 * require("scipy.special", "ab").ndtr(-width),
        )
        return Estimate(value, float(low), float(high))

    def r(self, effect: float) -> float:
        """The effect in standard errors, squared; one success and failure more an arm, so that 0 of n has a spread."""
        arms = [(arm.value * arm.effective_n, arm.effective_n) for arm in self._arms]
        shares = [((hits + 1) / (n + 2), n + 2) for hits, n in arms]
        pooled = sum(share * n for share, n in shares) / sum(n for _, n in shares)
        return _over(effect * pooled, math.sqrt(sum(share * (1 - share) / n for share, n in shares))) ** 2


CONTRASTS: dict[Kind, type[Contrast]] = {
    "mean": MeanContrast,
    "skewed": SkewedContrast,
    "proportion": ProportionContrast,
}
"""How each kind of metric is tested."""


def _around(value: float, margin: float) -> Estimate:
    if math.isnan(margin) or math.isinf(margin):
        return Estimate(value)
    return Estimate(value, value - margin, value + margin)


def _over(value: float, se: float) -> float:
    return value / se if se > 0 else math.nan
