"""The mean over an arm's conversations, with a variance that knows they come from users."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ArmMean:
    """Mean of a metric over the conversations of an arm.

    Users are assigned and conversations are counted, so the mean is a ratio of two sums over users, Σ S / Σ n. Its
    variance is that of S − mean · n over users (the delta method: *Applying the Delta Method in Metric Analytics*,
    Deng, Knoblich and Lu, 2018, https://huggingface.co/papers/1803.06336). Taking conversations for independent would
    make the interval too narrow.

    Attributes:
        value (`float`): The mean; NaN where there is no conversation.
        se (`float`): Its standard error; NaN with fewer than two units.
        n_units (`int`): Units with a value.
        n (`int`): Conversations with a value.
        scale (`float`): Size of a usual value: the mean, or the root mean square of what can be negative.
    """

    value: float
    se: float
    n_units: int
    n: int
    scale: float

    @property
    def per_unit(self) -> bool:
        """Whether each unit has one conversation."""
        return self.n == self.n_units

    @property
    def effective_n(self) -> float:
        """Of a proportion, how many independent conversations would tell as much.

        With one conversation a unit, that is their number. Where nothing varies, it is the number of units, since
        nothing is known of how alike the conversations of a unit are.
        """
        spread = self.value * (1 - self.value)
        if self.per_unit:
            return self.n
        return min(self.n, spread / self.se**2) if spread > 0 and self.se > 0 else self.n_units


def arm_mean(values: Floats, unit: Ints) -> ArmMean:
    """Return the mean of an arm's conversations.

    Args:
        values: `(n,)`, NaN where a conversation has none.
        unit: Unit of each, `(n,)`.

    Example:
        >>> mean = arm_mean(np.array([1.0, 0.0, 1.0, 1.0, np.nan]), np.array([0, 0, 1, 2, 2]))
        >>> mean.value, round(mean.se, 3), mean.n_units, mean.n
        (0.75, 0.188, 3, 4)
    """
    known = np.isfinite(values)
    values = values[known]
    if not len(values):
        return ArmMean(math.nan, math.nan, 0, 0, math.nan)
    _, place = np.unique(unit[known], return_inverse=True)
    total, count = np.bincount(place, weights=values), np.bincount(place)
    m, n = len(count), len(values)
    value = float(total.sum() / n)
    deviation = total - value * count
    deviation[np.abs(deviation) <= 1e-12 * np.abs(total)] = 0.0  # what summation leaves behind is no spread
    se = math.sqrt(m / (m - 1) * float(deviation @ deviation)) / n if m > 1 else math.nan
    scale = value if float(values.min()) >= 0 else math.sqrt(float(values @ values) / n)
    return ArmMean(value, se, m, n, scale)
