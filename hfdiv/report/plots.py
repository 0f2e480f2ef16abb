"""A comparison as figures: diversity, quality, and every prompt. No other file here loads matplotlib."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfdiv._extras import require
from hfdiv.report.comparison import Comparison, Row
from hfdiv.report.significance import Estimate


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
"""Dots per inch of the images."""

SCATTER = "distinct_2"
"""The measure that is shown prompt by prompt."""

MOST_COLUMNS = 12
"""Quality columns that fit into one figure; the table has them all."""

# Blue and vermillion of Okabe and Ito's palette, which every kind of colour vision tells apart; the markers differ.
_SIDES = (("before", "#0072B2", "o"), ("after", "#D55E00", "D"))
_GREY = "#767676"
_PANELS = (
    (("distinct",), "Distinct-n", "unique share of n-grams · more varied →", True),
    (("ngram_entropy",), "N-gram entropy", "nats · more varied →", False),
    (("self_bleu",), "Self-BLEU", "overlap between replies · ← more varied", True),
    (("seq_rep", "repetition_rate"), "Repetition", "share of n-grams repeated · ← more varied", False),
)
_LONGEST_LABEL = 28


def draw(comparison: Comparison) -> dict[str, Figure]:
    """Draw the figures of a comparison.

    Returns:
        `"diversity"`, `"quality"` and `"prompts"`: figures that belong to no display and no global state.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:
        >>> sorted(draw(Comparison(("a", "b"), [], [], [], {})))
        ['diversity', 'prompts', 'quality']
    """
    return {
        "diversity": diversity_figure(comparison),
        "quality": quality_figure(comparison),
        "prompts": prompts_figure(comparison),
    }


def diversity_figure(comparison: Comparison) -> Figure:
    """Draw each diversity measure before and after with its interval, one panel for each kind."""
    rows = comparison.rows_of("diversity")
    figure = new_figure(10, 7.2)
    for axes, (families, title, label, is_share) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        members = [row for row in rows if row.name.startswith(families)]
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
        axes.set_xlabel(label)
        _draw_rows(axes, members, [row.name for row in members])
        if is_share:
            axes.set_xlim(-0.02, 1.02)
    _legend(figure, rows)
    return figure


def quality_figure(comparison: Comparison) -> Figure:
    """Draw each quality column before and after with its interval, each on its own axis."""
    rows = comparison.rows_of("quality")[:MOST_COLUMNS]
    n_columns = max(1, min(3, len(rows)))
    n_lines = max(1, math.ceil(len(rows) / n_columns))
    figure = new_figure(10, 0.9 + 1.5 * n_lines)
    panels = figure.subplots(n_lines, n_columns, squeeze=False).flat
    for axes, row, number in zip(panels, rows, range(1, len(rows) + 1), strict=False):
        axes.set_title(plain_label(row.name, f"column {number}"), loc="left", fontsize=11, parse_math=False)
        axes.set_xlabel("mean over replies")
        _draw_rows(axes, [row], [""])
    for axes in list(figure.axes)[len(rows) :]:
        axes.set_axis_off()
    _legend(figure, rows)
    return figure


def prompts_figure(comparison: Comparison) -> Figure:
    """Draw Distinct-2 of each prompt after against before; above the diagonal, the replies became more varied."""
    pairs = [pair for row in comparison.rows if row.name == SCATTER for pair in row.pairs]
    pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
    figure = new_figure(5.2, 5.2)
    axes = figure.subplots()
    axes.set_title(f"{SCATTER} of each prompt's replies", loc="left", fontsize=11, fontweight="bold")
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", zorder=1)
    # Before and after are on axes of their own here, so a third colour keeps them apart from those of the two sides.
    axes.scatter(*_columns(pairs), s=36, color="#009E73", edgecolor="white", linewidth=0.6, alpha=0.75, zorder=2)
    axes.text(0.03, 0.96, "more varied after", color=_GREY, va="top", transform=axes.transAxes)
    axes.text(0.97, 0.04, "less varied after", color=_GREY, ha="right", transform=axes.transAxes)
    if not pairs:
        axes.text(0.5, 0.5, "no prompt can be measured on both sides", ha="center", transform=axes.transAxes)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel="before", ylabel="after")
    axes.grid(color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG image.

    Example:
        >>> png(prompts_figure(Comparison(("a", "b"), [], [], [], {})))[1:4]
        b'PNG'
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A column name may hold letters that the font lacks: they come out as boxes, and the table has the name.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches that belongs to no display and no global state.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure: Figure = require("matplotlib.figure", "report").Figure(figsize=(width, height), layout="constrained")
    return figure


def _draw_rows(axes: Axes, rows: Sequence[Row], labels: Sequence[str]) -> None:
    """One line a row, the first on top: before above after, a bar for each interval."""
    for position, row in enumerate(rows):
        for (_, colour, marker), estimate, shift in zip(_SIDES, (row.before, row.after), (-0.16, 0.16), strict=True):
            _draw_estimate(axes, estimate, position + shift, colour, marker)
        if math.isfinite(row.yardstick):
            axes.plot([row.yardstick], [position], color=_GREY, marker="|", markersize=13, markeredgewidth=2, zorder=1)
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_estimate(axes: Axes, estimate: Estimate, y: float, colour: str, marker: str) -> None:
    if not math.isfinite(estimate.value):
        return
    if math.isfinite(estimate.low) and math.isfinite(estimate.high):
        axes.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([estimate.value], [y], color=colour, marker=marker, markersize=5, markeredgecolor="white")


def _legend(figure: Figure, rows: Sequence[Row]) -> None:
    """Name the sides as the axes of the scatter do: names given by the user may not be in the font."""
    line = require("matplotlib.lines", "report").Line2D
    handles = [line([], [], color=colour, marker=marker, linewidth=2, label=side) for side, colour, marker in _SIDES]
    if any(math.isfinite(row.yardstick) for row in rows):
        mark = {"marker": "|", "markersize": 12, "markeredgewidth": 2, "linestyle": "none"}
        handles.append(line([], [], color=_GREY, label="yardstick", **mark))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), frameon=False)


def plain_label(name: str, fallback: str) -> str:
    """Return the name where the font has its letters, shortened; otherwise `fallback`.

    Example:
        >>> plain_label("click", "metric 1"), plain_label("点击", "metric 1")
        ('click', 'metric 1')
    """
    if not all(letter.isprintable() and letter < "\u0250" for letter in name):
        return fallback
    return name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
