r"""Intervals that stay valid however often one looks.

An interval that is right once is wrong when it is looked at again and again until it says something. These are
confidence sequences: the chance that one of them ever leaves out the true value is at most alpha. They come from
Robbins' normal mixture, in its asymptotic form for estimates whose variance is estimated (*Time-uniform central limit
theory and asymptotic confidence sequences*, Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2021,
https://huggingface.co/papers/2103.06476; as a test it is the mixture SPRT of *Always valid inference*,
Johari, Pekelis and Walsh, 2015, https://huggingface.co/papers/1512.04922).

With t observations of variance σ² and a constant ρ, their Gaussian mixture interval is the mean
± σ √(2 (tρ² + 1) / (t²ρ²) · log(√(tρ² + 1) / α)). In units of the standard error σ / √t, and with r = tρ², it is

    z(r) = √((1 + 1/r) · log((1 + r) / α²)).

Here r is the information so far, 1 / se², times τ², the square of the effect that the sequence is tuned for: the
mixture is over effects that are normal with standard deviation τ. Any τ that is fixed beforehand is valid, and the
interval is narrowest, against others, about when the data can just detect an effect of this size. Counting information
and not conversations keeps the clock right when users come back.
"""

from __future__ import annotations

import math

from hfdiv._extras import require


def critical_value(alpha: float, r: float) -> float:
    """Return how many standard errors wide, to each side, the interval of a confidence sequence is.

    Args:
        alpha: Chance that any interval of the sequence leaves out the truth, in (0, 1).
        r: Information so far × τ², above 0.

    Example:
        >>> round(critical_value(0.05, 8.0), 3), round(critical_value(0.05, 0.01), 1)
        (3.035, 24.6)
    """
    if not r > 0:
        return math.inf
    return math.sqrt((1 + 1 / r) * (math.log1p(r) - 2 * math.log(alpha)))


def always_valid_p(z: float, r: float) -> float:
    """Return the least alpha at which the interval would leave out 0: a p-value for whenever one looks.

    Args:
        z: The estimate in standard errors.
        r: Information so far × τ², above 0.

    Example:
        >>> round(always_valid_p(critical_value(0.05, 8.0), 8.0), 6)
        0.05
    """
    if math.isnan(z) or math.isnan(r):
        return math.nan
    if not r > 0:
        return 1.0
    return min(1.0, math.sqrt(1 + r) * math.exp(-(z**2) * r / (2 * (1 + r))))


def fixed_critical_value(alpha: float, df: float) -> float:
    """Return the quantile of t for an interval that is looked at once.

    Example:
        >>> round(fixed_critical_value(0.05, math.inf), 3), round(fixed_critical_value(0.05, 10), 3)
        (1.96, 2.228)
    """
    special = require("scipy.special", "ab")
    return float(-(special.ndtri(alpha / 2) if math.isinf(df) else special.stdtrit(df, alpha / 2)))


def fixed_p(z: float, df: float) -> float:
    """Return the two-sided p-value of a t statistic.

    Example:
        >>> round(fixed_p(1.96, math.inf), 3)
        0.05
    """
    special = require("scipy.special", "ab")
    return float(2 * (special.ndtr(-abs(z)) if math.isinf(df) else special.stdtr(df, -abs(z))))


def as_t(z: float, df: float) -> float:
    """Return the quantile of t that leaves as much in its tail as `z` does in that of the normal distribution.

    Example:
        >>> round(as_t(3.0, 20), 2), as_t(3.0, math.inf)
        (3.42, 3.0)
    """
    if math.isinf(df) or math.isinf(z):
        return z
    special = require("scipy.special", "ab")
    t = float(-special.stdtrit(df, special.ndtr(-z)))
    return t if math.isfinite(t) else math.inf  # so far out, scipy's answer may have either sign


def from_t(t: float, df: float) -> float:
    """Return the normal quantile that leaves as much in its tail as `t` does: undoes [`as_t`], for t of at least 0.

    Example:
        >>> round(from_t(as_t(3.0, 20), 20), 6)
        3.0
    """
    if math.isinf(df) or math.isnan(t):
        return t
    special = require("scipy.special", "ab")
    return float(-special.ndtri(special.stdtr(df, -t)))
