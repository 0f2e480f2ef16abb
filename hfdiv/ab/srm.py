"""Are the arms as large as they should be? Where they are not, nothing else can be believed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hfdiv._extras import require


ALARM = 0.001
"""p-value of sample ratio mismatch below which an experiment is not to be trusted."""


@dataclass(frozen=True)
class RatioCheck:
    """The test for sample ratio mismatch.

    Attributes:
        units (`list[int]`): Units of each arm.
        expected (`list[float]`): As many as the weights let expect.
        p (`float`): p-value of the chi-square test.
    """

    units: list[int]
    expected: list[float]
    p: float

    @property
    def is_mismatch(self) -> bool:
        """Whether chance does not explain the sizes."""
        return self.p < ALARM

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {**vars(self), "p": self.p if math.isfinite(self.p) else None, "is_mismatch": self.is_mismatch}


def ratio_check(units: Sequence[int], shares: Sequence[float]) -> RatioCheck:
    """Compare the numbers of units with the shares that were assigned.

    *Diagnosing sample ratio mismatch in online controlled experiments* (Fabijan et al., 2019): in practice the causes
    are broken assignment, lost logs, or a treatment that decides who is logged.

    Args:
        units: Units of each arm.
        shares: Weight of each arm, of any sum.

    Example:
        >>> ratio_check([5000, 5100], [1, 1]).is_mismatch, ratio_check([5000, 5600], [1, 1]).is_mismatch
        (False, True)
    """
    total = sum(shares)
    expected = [sum(units) * share / total for share in shares]
    p = float(require("scipy.stats", "ab").chisquare(list(units), expected).pvalue)
    return RatioCheck(list(units), expected, p)
