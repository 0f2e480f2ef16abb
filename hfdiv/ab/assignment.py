"""Which arm a user is in: the same answer on every machine, without a table of users."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate

from hfdiv.data import DataError


_BITS = 53  # what a float holds exactly, so that every language computes the same number


def assign(
    unit_id: str | int,
    experiment: str,
    arms: Sequence[str] = ("control", "treatment"),
    weights: Sequence[float] | None = None,
    holdout: float = 0.0,
) -> str | None:
    r"""Return the arm of a unit (a user, as a rule), or `None` where it takes no part.

    A unit has two numbers in [0, 1): the first 53 bits of the SHA-256 of `experiment`, `"arm"` or `"holdout"`, and the
    unit, joined by `"\0"` and encoded as UTF-8, over 2⁵³. The unit takes no part if the one of `"holdout"` is below
    `holdout`; its arm is the first whose cumulative share of the weights is above the one of `"arm"`. So a greater
    holdout only takes units out and never moves one to another arm, and the arms of two experiments are independent.

    Args:
        unit_id: Name or number of the unit; 7 and `"7"` are the same.
        experiment: Name of the experiment.
        arms: Names of the arms, at least two, in an order that must not change while the experiment runs.
        weights: Share of each arm, of any sum. Defaults to equal shares.
        holdout: Share of the units that take no part, in [0, 1).

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> assign("user-17", "endings"), assign("user-17", "endings", holdout=0.99)
        ('treatment', None)
    """
    shares = check_arms(arms, weights)
    if not 0 <= holdout < 1:
        raise ValueError(f"`holdout` must be a share in [0, 1), got {holdout!r}.")
    name, unit = _text(experiment, "experiment"), _text(unit_id, "unit_id")
    if position(name, "holdout", unit) < holdout:
        return None
    place = position(name, "arm", unit)
    ends = accumulate(shares)
    return next((arm for arm, end in zip(arms, ends, strict=True) if place < end), arms[-1])


def check_arms(arms: Sequence[str], weights: Sequence[float] | None = None) -> list[float]:
    """Return the share of each arm.

    Raises:
        ValueError: If there are fewer than two arms, one is named twice or empty, or the weights do not fit.

    Example:
        >>> check_arms(["a", "b"], [3, 1])
        [0.75, 0.25]
    """
    if isinstance(arms, str) or len(arms) < 2 or len(set(arms)) < len(arms):
        raise ValueError(f"`arms` must be at least two different names, got {arms!r}.")
    if not all(isinstance(arm, str) and arm for arm in arms):
        raise ValueError(f"`arms` must be names, got {list(arms)!r}.")
    given = [1.0] * len(arms) if weights is None else [float(weight) for weight in weights]
    if len(given) != len(arms) or not all(math.isfinite(weight) and weight > 0 for weight in given):
        raise ValueError(f"`weights` must be one positive number for each of {list(arms)}, got {weights!r}.")
    total = math.fsum(given)
    return [weight / total for weight in given]


def parse_arms(text: str) -> dict[str, float]:
    """Return the weight of each arm of a text such as `control=1,varied=1`; without a number, it is 1.

    Raises:
        DataError: If it is no such text.

    Example:
        >>> parse_arms("control=3, varied")
        {'control': 3.0, 'varied': 1.0}
    """
    arms: dict[str, float] = {}
    try:
        for part in text.split(","):
            name, _, weight = part.rpartition("=") if "=" in part else (part, "", "1")
            if name.strip() in arms:
                raise ValueError(f"{name.strip()!r} is there twice.")
            arms[name.strip()] = float(weight)
        check_arms(list(arms), list(arms.values()))
    except ValueError as error:
        raise DataError(f"Arms are given as `control=1,varied=1`, got {text!r}: {error}") from error
    return arms


def position(experiment: str, purpose: str, unit: str) -> float:
    """Return the number in [0, 1) that a unit has in an experiment for a purpose.

    Example:
        >>> round(position("endings", "arm", "user-17"), 6)
        0.737552
    """
    digest = sha256("\0".join((experiment, purpose, unit)).encode("utf-8")).digest()
    return float((int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / 2**_BITS)


def assignments(
    unit_ids: Iterable[str | int], experiment: str, arms: Mapping[str, float], holdout: float = 0.0
) -> Iterable[tuple[str | int, str | None]]:
    """Yield each unit with its arm.

    Args:
        unit_ids: The units.
        experiment: Name of the experiment.
        arms: Weight of each arm.
        holdout: As in [`assign`].

    Example:
        >>> dict(assignments(["u1", "u2"], "endings", {"control": 1, "varied": 1}))
        {'u1': 'control', 'u2': 'varied'}
    """
    names, weights = list(arms), list(arms.values())
    for unit in unit_ids:
        yield unit, assign(unit, experiment, names, weights, holdout)


def _text(value: object, name: str) -> str:
    """Return a name as text that can be hashed without two names being taken for one."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError(f"`{name}` must be a text or a whole number, got {value!r}.")
    text = str(value)
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError(f"`{name}` must hold no NUL and no half of a surrogate pair, got {value!r}.")
    return text
