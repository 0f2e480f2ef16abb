"""An analysis as figures: every effect with its interval, and how the primary one went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from hfdiv.ab.analysis import Analysis
from hfdiv.ab.effect import Effect
from hfdiv.ab.looks import Look
from hfdiv.report.plots import new_figure, plain_label
from hfdiv.report.significance import Estimate


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which every kind of colour vision tells apart; the markers differ.
_ARMS = (("#D55E00", "D"), ("#0072B2", "o"), ("#009E73", "s"), ("#CC79A7", "^"), ("#56B4E9", "v"), ("#E69F00", "P"))
_GREY, _LINES, _MARGIN = "#767676", "#e4e4e4", "#000000"


def draw(analysis: Analysis) -> dict[str, Figure]:
    """Draw the figures of an analysis: `"effects"` and `"looks"`.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    return {"effects": effects_figure(analysis), "looks": looks_figure(analysis)}


def effects_figure(analysis: Analysis) -> Figure:
    """Draw the relative effect on each metric with its interval, one line a metric, and margins of guardrails."""
    names = list(dict.fromkeys(effect.metric.name for effect in analysis.effects_by_role()))
    arms = analysis.arms[1:]
    figure = new_figure(10, 1.4 + len(names) * (0.3 + 0.22 * len(arms)))
    axes = figure.subplots()
    axes.axvline(0, color=_GREY, linewidth=1, zorder=1)
    for effect in analysis.effects:
        place, line = arms.index(effect.arm), names.index(effect.metric.name)
        shift = 0.0 if len(arms) == 1 else 0.45 * (place / (len(arms) - 1) - 0.5)
        _draw_estimate(axes, _in_percent(effect.relative), line + shift, place)
        _draw_margin(axes, effect, line)
    axes.set_yticks(
        range(len(names)), [_metric_label(analysis.effects, name, line) for line, name in enumerate(names)]
    )
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.set_xlabel("relative effect against the control in %")
    _tidy(axes)
    axes.tick_params(axis="y", length=0)
    _name_arms(figure, arms)
    return figure


def looks_figure(analysis: Analysis) -> Figure:
    """Draw how the effect on the primary metric went, with both kinds of interval, one panel an arm."""
    arms = analysis.arms[1:]
    figure = new_figure(10, 0.8 + 2.6 * len(arms))
    for place, (axes, arm) in enumerate(zip(figure.subplots(len(arms), 1, squeeze=False).flat, arms, strict=True)):
        looks = [look for look in analysis.looks if look.arm == arm and math.isfinite(look.always.low)]
        axes.set_title(plain_label(arm, f"arm {place + 1}"), loc="left", fontsize=11, parse_math=False)
        axes.axhline(0, color=_GREY, linewidth=1, zorder=1)
        _draw_looks(axes, looks, _ARMS[place % len(_ARMS)][0])
        axes.set_ylabel(_scale(analysis))
        _tidy(axes)
    return figure


def _draw_looks(axes: Axes, looks: Sequence[Look], colour: str) -> None:
    times = [datetime.fromtimestamp(look.time, timezone.utc) for look in looks]
    if not looks:
        axes.text(0.5, 0.5, "no look has an interval yet", ha="center", transform=axes.transAxes)
        return
    axes.fill_between(
        times,  # type: ignore[arg-type]
        [look.always.low for look in looks],
        [look.always.high for look in looks],
        color=colour,
        alpha=0.2,
        linewidth=0,
        label="valid at any look",
    )
    for end, label in (("low", "valid at one look alone"), ("high", None)):
        ends = [getattr(look.once, end) for look in looks]
        axes.plot(times, ends, color=_GREY, linewidth=1, linestyle=":", label=label)  # type: ignore[arg-type]
    axes.plot(times, [look.always.value for look in looks], color=colour, linewidth=2, marker="o", markersize=4)  # type: ignore[arg-type]
    last = looks[len(looks) // 4 :]  # the first intervals are so wide that nothing else could be seen
    low, high = min(look.always.low for look in last), max(look.always.high for look in last)
    axes.set_ylim(min(low, 0) - 0.1 * (high - low or 1), max(high, 0) + 0.1 * (high - low or 1))
    axes.tick_params(axis="x", labelsize=8)
    axes.legend(loc="upper right", frameon=False, fontsize=9)


def _scale(analysis: Analysis) -> str:
    is_ratio = any(effect.metric.role == "primary" and effect.tested == "ratio" for effect in analysis.effects)
    name = plain_label(analysis.settings.primary.name, "the primary metric")
    return f"{name}, {'relative effect' if is_ratio else 'difference'}"


def _draw_estimate(axes: Axes, estimate: Estimate, y: float, place: int) -> None:
    colour, marker = _ARMS[place % len(_ARMS)]
    if not math.isfinite(estimate.value):
        return
    if math.isfinite(estimate.low) and math.isfinite(estimate.high):
        axes.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([estimate.value], [y], color=colour, marker=marker, markersize=6, markeredgecolor="white")


def _draw_margin(axes: Axes, effect: Effect, y: float) -> None:
    """Mark how far a guardrail may go the wrong way."""
    margin = effect.metric.margin
    if margin is None or not effect.control.value > 0:
        return
    share = margin.size if margin.is_relative else margin.size / effect.control.value
    place = -100 * share if effect.metric.higher_is_better else 100 * share
    axes.plot([place, place], [y - 0.35, y + 0.35], color=_MARGIN, linewidth=1.5, linestyle="--", zorder=1)


def _in_percent(estimate: Estimate) -> Estimate:
    return Estimate(100 * estimate.value, 100 * estimate.low, 100 * estimate.high)


def _metric_label(effects: Sequence[Effect], name: str, line: int) -> str:
    metric = next(effect.metric for effect in effects if effect.metric.name == name)
    return f"{plain_label(name, f'metric {line + 1}')}\n{'higher' if metric.higher_is_better else 'lower'} is better"


def _name_arms(figure: Figure, arms: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=2, label=plain_label(arm, f"arm {place + 1}"))
        for place, (arm, (colour, marker)) in enumerate(zip(arms, _ARMS * len(arms), strict=False))
    ]
    handles.append(Line2D([], [], color=_MARGIN, linestyle="--", linewidth=1.5, label="margin of a guardrail"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), frameon=False)


def _tidy(axes: Axes) -> None:
    axes.grid(color=_LINES, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
