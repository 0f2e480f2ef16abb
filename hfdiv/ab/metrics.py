"""What is measured of a conversation, and what counts as better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from hfdiv.data import DataError


Kind: TypeAlias = Literal["mean", "skewed", "proportion"]
"""How a metric is tested; see [`~hfdiv.ab.contrast`]."""

Role: TypeAlias = Literal["primary", "guardrail", "secondary"]
"""What a metric is for: to decide by, to be kept, or to be looked at."""

_NAMES = {"count": "mean", "mean": "mean", "skewed": "skewed", "proportion": "proportion"}


@dataclass(frozen=True)
class Margin:
    """How much worse a guardrail may become.

    Attributes:
        size (`float`): The margin, above 0.
        is_relative (`bool`): Whether it is a share of the control's value.

    Example:
        >>> str(Margin(0.05, True)), str(Margin(0.02, False))
        ('5%', '0.02')
    """

    size: float
    is_relative: bool

    def __str__(self) -> str:
        return f"{100 * self.size:g}%" if self.is_relative else f"{self.size:g}"


@dataclass(frozen=True)
class Metric:
    """One metric of an experiment.

    Attributes:
        name (`str`): The column of the log; `conversations` counts those of a unit.
        kind (`str`): `"mean"` for counts and ratings, `"skewed"` for times and amounts, `"proportion"` for what
            happens or not.
        higher_is_better (`bool`): Which way is good.
        role (`str`): `"primary"`, `"guardrail"` or `"secondary"`.
        margin (`Margin`): Of a guardrail.
        cap (`float`): Greater values are taken for this one.
    """

    name: str
    kind: Kind
    higher_is_better: bool = True
    role: Role = "secondary"
    margin: Margin | None = None
    cap: float | None = None


KNOWN = (
    Metric("turns", "mean"),
    Metric("dwell_time", "skewed"),
    Metric("click", "proportion"),
    Metric("abandoned", "proportion", higher_is_better=False),
    Metric("conversations", "mean"),
)
"""What is always measured, where the log says it."""


def choose_metrics(
    primary: str,
    guardrails: Sequence[str] = (),
    *,
    more: Sequence[str] = (),
    lower_is_better: Sequence[str] = (),
    higher_is_better: Sequence[str] = (),
    caps: Sequence[str] = (),
) -> list[Metric]:
    """Return the metrics of an experiment, the primary one first.

    Args:
        primary: Name of the metric that decides.
        guardrails: `name=margin` each, such as `dwell_time=5%` (of the control's value) or `click=0.01`.
        more: `name=kind` each: further columns, the kind being count, mean, skewed or proportion.
        lower_is_better: Names of metrics that should fall.
        higher_is_better: Names of metrics that should rise.
        caps: `name=value` each: greater values are taken for this one.

    Raises:
        DataError: If a metric is unknown, or is given twice what it can be once.

    Example:
        >>> [(metric.name, metric.role) for metric in choose_metrics("abandoned", ["dwell_time=5%"])][:3]
        [('abandoned', 'primary'), ('turns', 'secondary'), ('dwell_time', 'guardrail')]
    """
    known = {metric.name: metric for metric in KNOWN}
    for name, kind in _pairs(more, "more"):
        if name in known or kind not in _NAMES:
            said = "it is measured anyway" if name in known else f"the kind must be one of {sorted(_NAMES)}"
            raise DataError(f"`{name}={kind}` is no further metric: {said}.")
        known[name] = Metric(name, _NAMES[kind])  # type: ignore[arg-type]
    for better, names in ((False, lower_is_better), (True, higher_is_better)):
        for name in names:
            known[name] = replace(_of(known, name), higher_is_better=better)
    for name, value in _pairs(caps, "caps"):
        known[name] = replace(_of(known, name), cap=_positive(name, value))
    for name, margin in _pairs(guardrails, "guardrails"):
        known[name] = replace(_of(known, name), role="guardrail", margin=parse_margin(name, margin))
    if _of(known, primary).role == "guardrail":
        raise DataError(f"`{primary}` is both the primary metric and a guardrail: it can be one.")
    first = replace(known.pop(primary), role="primary")
    return [first, *known.values()]


def parse_margin(name: str, text: str) -> Margin:
    """Return a margin of a text such as `5%` or `0.02`.

    Raises:
        DataError: If it is no such text.

    Example:
        >>> parse_margin("dwell_time", "5%")
        Margin(size=0.05, is_relative=True)
    """
    is_relative = text.strip().endswith("%")
    size = _positive(name, text.strip().removesuffix("%"))
    if is_relative and size >= 100:
        raise DataError(f"The margin of {name!r} must be below 100%, got {text!r}.")
    return Margin(size / 100 if is_relative else size, is_relative)


def _pairs(texts: Sequence[str], name: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        column, equals, value = text.rpartition("=")
        if not equals or not column or not value:
            raise DataError(f"`{name}` are given as `name=value`, got {text!r}.")
        pairs.append((column.strip(), value.strip()))
    names = [column for column, _ in pairs]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError(f"`{name}` name {twice} twice.")
    return pairs


def _of(known: dict[str, Metric], name: str) -> Metric:
    if name not in known:
        raise DataError(f"There is no metric {name!r}; there are {sorted(known)}. Another column is `{name}=mean`.")
    return known[name]


def _positive(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise DataError(f"The number of {name!r} must be above 0, got {text!r}.")
    return value
