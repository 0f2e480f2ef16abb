"""The two pictures of `headline_exact.py`: Distinct-2 against steps, and validity against Distinct-2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from exact_run import ARMS, CONTROL, NO_QUALITY, TARGETS
from exact_summary import TOLERANCE, intervals, measures, moving_mean
from experiment import Run
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measured import of_arm


# Okabe and Ito's palette, which every kind of colour vision tells apart; the markers differ too.
STYLES = {
    CONTROL: ("#555555", "o"),
    "additive": ("#E69F00", "^"),
    "multiplicative": ("#CC79A7", "v"),
    "adjustment": ("#56B4E9", "P"),
    "frequency": ("#7A5C00", "X"),
    "advantage": ("#009E73", "s"),
    "set_marginal": ("#8A5BD6", "p"),
    "target 0.35": ("#0072B2", "D"),
    "target 0.50": ("#003A5C", "D"),
    NO_QUALITY: ("#D55E00", "*"),
}
SMOOTH = 10
"""Steps of the running mean in the picture."""
NEAR = (0.88, 1.0)
"""Shares of valid replies that are seen from near."""


def draw_steps(runs: Sequence[Run], path: Path) -> None:
    """Draw Distinct-2 against steps, one panel an arm: its seeds, and their mean in bold."""
    figure = Figure(figsize=(13, 5.6), layout="constrained")
    panels = figure.subplots(2, 5, sharex=True, sharey=True).flat
    for axes, arm in zip(panels, ARMS, strict=True):
        draw_arm(axes, of_arm(runs, arm), arm)
    figure.supxlabel(f"GRPO step (running means over {SMOOTH} steps)", fontsize=10)
    figure.supylabel("in-group Distinct-2 of 8 replies", fontsize=10)
    figure.savefig(path, dpi=130)


def draw_arm(axes: Axes, runs: Sequence[Run], arm: str) -> None:
    """Draw one panel."""
    color = STYLES[arm][0]
    curves = [moving_mean(run["distinct"], SMOOTH) for run in runs]
    for curve in curves:
        axes.plot(np.arange(len(curve)) + SMOOTH, curve, color=color, linewidth=0.8, alpha=0.45)
    shortest = min(len(curve) for curve in curves)
    mean = np.mean([curve[:shortest] for curve in curves], axis=0)
    axes.plot(np.arange(shortest) + SMOOTH, mean, color=color, linewidth=2.2)
    if arm in TARGETS:
        axes.axhspan(TARGETS[arm] - TOLERANCE, TARGETS[arm] + TOLERANCE, color=color, alpha=0.15, linewidth=0)
    valid = intervals(runs, arm)["valid"].mean
    axes.set_title(f"{arm} ({len(runs)} seed{'s' * (len(runs) > 1)})\nvalidity at the end {valid:.3f}", fontsize=9)
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.25)


def draw_frontier(runs: Sequence[Run], path: Path) -> None:
    """Draw validity against Distinct-2: all arms, and from near those that kept it; in training and held out."""
    figure = Figure(figsize=(13, 9), layout="constrained")
    for row, (prefix, where) in zip(
        figure.subplots(2, 2, width_ratios=(1, 1.6)),
        (("", "training topics, last 80 steps"), ("held_out_", "held-out topics, after training")),
        strict=True,
    ):
        for axes, near in zip(row, (False, True), strict=True):
            draw_points(axes, runs, prefix, near)
            axes.set_title(where + (", from near" if near else ""), fontsize=10, loc="left")
            axes.set_xlabel("in-group Distinct-2 of 8 replies · more varied →", fontsize=9)
            axes.set_ylabel("share of valid replies", fontsize=9)
            axes.grid(alpha=0.25)
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    figure.suptitle("Every arm with its 95% interval over seeds; small points are seeds", fontsize=11)
    figure.savefig(path, dpi=130)


def draw_points(axes: Axes, runs: Sequence[Run], prefix: str, near: bool) -> None:
    """Draw the points of one panel; `near` leaves out the arm without quality, and its emptiness below."""
    for arm in ARMS:
        if near and arm == NO_QUALITY:
            continue
        color, marker = STYLES[arm]
        of_the_arm = intervals(runs, arm)
        x, y = of_the_arm[f"{prefix}distinct"], of_the_arm[f"{prefix}valid"]
        for run in of_arm(runs, arm):
            seen = measures(run)
            axes.plot(seen[f"{prefix}distinct"], seen[f"{prefix}valid"], ".", color=color, markersize=4, alpha=0.5)
        axes.errorbar(
            x.mean, y.mean, xerr=x.bars, yerr=y.bars, fmt=marker, color=color, label=arm, markersize=8,
            elinewidth=1, capsize=2, markeredgecolor="white", markeredgewidth=0.7,
        )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(*(NEAR if near else (-0.03, 1.03)))
    control = intervals(runs, CONTROL)[f"{prefix}valid"]
    axes.axhspan(control.low, control.high, color=STYLES[CONTROL][0], alpha=0.15, linewidth=0)
