"""The picture of `decoding_curves.py`: every strategy beside the curve of temperatures, and how far above it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


# Okabe and Ito's palette, which every kind of colour vision tells apart; the markers differ too.
STYLES = {
    "arithmetic sampling": ("#0072B2", "s"),
    "sibling penalty": ("#D55E00", "D"),
    "selection": ("#009E73", "^"),
    "XTC": ("#CC79A7", "v"),
    "top-nσ": ("#56B4E9", "P"),
    "DRY": ("#E69F00", "X"),
    "frequency penalty": ("#7A5C00", "*"),
}
GREY = "#555555"
LINE = {"elinewidth": 1, "capsize": 2, "alpha": 0.9}


def draw(rows: Sequence[dict[str, Any]], conditions: dict[str, Any], path: Path) -> None:
    """Draw the rows of the table into a PNG."""
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    draw_curve(left, rows)
    draw_differences(right, [row for row in rows if row.get("above_temperature", [None])[0] is not None])
    figure.suptitle(
        f"{conditions['model']}: {conditions['n_prompts']} prompts × {conditions['replies']} replies, at most "
        f"{conditions['max_new_tokens']} tokens; bars are 95% intervals over prompts",
        fontsize=11,
    )
    figure.savefig(path, dpi=150)


def draw_curve(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Draw Distinct-2 against log-probability."""
    temperatures = sorted((row for row in rows if row["family"] == "temperature"), key=lambda row: row["logprob"][0])
    x, y = ([row[name][0] for row in temperatures] for name in ("logprob", "distinct_2"))
    axes.plot(x, y, "-", color=GREY, linewidth=1.5, zorder=1)
    for row in temperatures:
        point(axes, row, GREY, "o", "temperature alone")
        x_of_row, number = row["logprob"][0], row["label"].removeprefix("T ")
        axes.axvline(x_of_row, 0.06, color=GREY, linewidth=0.7, linestyle=":", zorder=0)
        axes.text(x_of_row, 0.02, number, fontsize=8, color=GREY, ha="center", transform=axes.get_xaxis_transform())
    for row in rows:
        if row["family"] in STYLES:
            point(axes, row, *STYLES[row["family"]], row["family"])
    handles, labels = axes.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    axes.legend(unique.values(), unique.keys(), fontsize=9, loc=(0.12, 0.1), frameon=False)
    axes.set_xlabel("mean log-probability of a token under the plain model (nats) · more probable →")
    axes.set_ylabel("in-group Distinct-2 · more varied →")
    axes.set_title("Diversity and its price (grey numbers below: temperature)", fontsize=10, loc="left")
    axes.margins(y=0.08)
    tidy(axes)


def point(axes: Axes, row: dict[str, Any], colour: str, marker: str, label: str) -> None:
    """Draw one setting with the interval of its Distinct-2."""
    value, low, high = row["distinct_2"]
    axes.errorbar(
        row["logprob"][0],
        value,
        yerr=[[value - low], [high - value]],
        fmt=marker,
        color=colour,
        markersize=6,
        label=label,
        zorder=2,
        **{**LINE, "alpha": 0.5 if label == "temperature alone" else 0.9},
    )


def draw_differences(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """Draw how far each setting lies above the curve at its own log-probability."""
    axes.axvline(0, color=GREY, linewidth=1)
    for place, row in enumerate(rows):
        value, low, high = row["above_temperature"]
        colour, marker = STYLES[row["family"]]
        axes.errorbar(
            value, place, xerr=[[value - low], [high - value]], fmt=marker, color=colour, markersize=6, **LINE
        )
    axes.set_yticks(range(len(rows)), [row["label"] for row in rows], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel("Distinct-2 above temperature sampling, at equal log-probability")
    axes.set_title("Difference at equal price", fontsize=10, loc="left")
    tidy(axes)


def tidy(axes: Axes) -> None:
    """Take the frame away, and put a light grid behind."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.7)
    axes.set_axisbelow(True)
