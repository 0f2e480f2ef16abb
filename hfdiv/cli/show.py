"""What all commands print with: tables and numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text


if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from hfdiv.diversity import Score
    from hfdiv.report import Comparison
    from hfdiv.report.significance import Estimate


def scores_table(scores: dict[str, Score]) -> Table:
    """Return a table of scores, one a row."""
    table = Table("measure", "level", box=None, header_style="bold")
    table.add_column("value", justify="right")
    table.add_column("counted", justify="right")
    for score in scores.values():
        table.add_row(score.name, score.level, number(score.value), f"{score.n_counted}/{score.n_total}")
    return table


def comparison_table(comparison: Comparison) -> Table:
    """Return a table of what changed: before, after and difference, each with its 95% interval."""
    before, after = comparison.names
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    table.add_column("measure", no_wrap=True)
    for heading in (before, after, "difference [95%]"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    table.add_column("reading")
    has_yardstick = any(not math.isnan(row.yardstick) for row in comparison.rows)
    if has_yardstick:
        table.add_column("yardstick", justify="right")
    kind = None
    for row in comparison.rows:
        if kind not in (None, row.kind):
            table.add_section()
        kind = row.kind
        numbers = number(row.before.value), number(row.after.value), _interval(row.difference)
        yardstick = [number(row.yardstick)] if has_yardstick else []
        table.add_row(Text(row.name), *numbers, row.change, *yardstick)
    return table


def print_comparison(console: Console, comparison: Comparison, page: Path | None = None) -> None:
    """Print the table, the notes, and where the report page is."""
    console.print(comparison_table(comparison))
    for note in comparison.notes:
        console.print(f"· {note}", style="dim", highlight=False, markup=False)
    if page is not None:
        console.print(f"Report: {page}", highlight=False, markup=False, soft_wrap=True)


def number(value: float) -> str:
    """Return a number to three places, and a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def _interval(estimate: Estimate) -> Text:
    if math.isnan(estimate.value):
        return Text("–")
    interval = "–" if math.isnan(estimate.low) else f"{estimate.low:+.3f}, {estimate.high:+.3f}"
    return Text(f"{estimate.value:+.3f} [{interval}]")
