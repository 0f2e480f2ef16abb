"""The picture of `headline_endings.py`: replies that end alike against relevance and fluency, a row a base."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from endings_arms import ARMS, BASES
from endings_summary import ASKED_ALIKE, ASKED_BELOW, MEASURES
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measured import Interval
from real_arms import CONTROL


# Okabe and Ito's palette, which every kind of colour vision tells apart; the markers differ too.
FAMILIES = {
    "": ("#E69F00", "v", "decoding alone"),
    CONTROL: ("#555555", "o", "GRPO for quality only"),
    "target": ("#0072B2", "D", "GRPO with a target"),
    "history": ("#009E73", "s", "GRPO with a target, the history penalty and the history in the prompt"),
}


def draw(seen: Mapping[str, Mapping[str, Interval]], path: Path) -> None:
    """Draw a row of panels for each base, and the arms' names by number."""
    figure = Figure(figsize=(14, 9.5), layout="constrained")
    rows = figure.subplots(len(BASES), 3)
    for row, base in zip(rows, BASES, strict=True):
        of_base = {arm: seen[f"{base}: {arm}"] for arm in ARMS if f"{base}: {arm}" in seen}
        for axes, measure in zip(row, ("relevance", "below", "logprob"), strict=True):
            panel(axes, of_base, measure)
            axes.set_title(f"{base} base", fontsize=10, loc="left")
            axes.set_xlabel("share of replies that end like an earlier one", fontsize=9)
            axes.set_ylabel(MEASURES[measure], fontsize=9)
            axes.grid(alpha=0.25)
    handles, labels = rows[0][0].get_legend_handles_labels()  # every family starts from the first base
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=9, frameon=False)
    named = [f"{place} {arm}" for place, arm in enumerate(ARMS, 1)]
    figure.supxlabel("\n".join((", ".join(named[:6]), ", ".join(named[6:]))), fontsize=8.5)
    figure.savefig(path, dpi=130)


def panel(axes: Axes, seen: Mapping[str, Mapping[str, Interval]], measure: str) -> None:
    """Draw one panel; under 10% alike is shaded, and no more than 10% below where that is the measure."""
    drawn = set()
    for place, arm in enumerate(ARMS, 1):
        if arm not in seen:
            continue
        color, marker, label = FAMILIES[ARMS[arm].training]
        x, y = seen[arm]["alike_encoder"], seen[arm][measure]
        axes.errorbar(
            x.mean, y.mean, xerr=x.bars, yerr=y.bars, fmt=marker, color=color, elinewidth=0.6, markersize=7,
            alpha=0.85, markeredgecolor="white", markeredgewidth=0.6, label=None if color in drawn else label,
        )  # fmt: skip
        drawn.add(color)
        axes.annotate(str(place), (x.mean, y.mean), (4, 4), textcoords="offset points", fontsize=8, color=color)
    axes.set_xlim(-0.02, 1)
    axes.axvspan(-0.02, ASKED_ALIKE, ymax=1, color="#009E73", alpha=0.1, linewidth=0)
    if measure == "below":
        axes.axhline(ASKED_BELOW, color="#555555", linewidth=0.8, linestyle="--")
