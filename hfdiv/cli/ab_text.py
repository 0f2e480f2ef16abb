"""What `hfdiv ab` prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text


if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from hfdiv.ab import Analysis
    from hfdiv.ab.effect import Effect
    from hfdiv.ab.plan import Baseline, Plan

_STYLES = {"ship": "bold green", "do not ship": "bold red", "keep running": "bold yellow"}


def print_analysis(console: Console, analysis: Analysis, page: Path) -> None:
    """Print the table, the notes, the decisions, and where the report page is."""
    console.print(effects_table(analysis))
    for note in analysis.notes:
        console.print(f"· {note}", style="dim", highlight=False, markup=False)
    for decision in analysis.decisions:
        console.print(Text(f"{decision.arm}: {decision.action}", style=_STYLES[decision.action]))
        for reason in decision.reasons:
            console.print(f"  {reason}", highlight=False, markup=False)
    console.print(f"Report: {page}", highlight=False, markup=False, soft_wrap=True)


def effects_table(analysis: Analysis) -> Table:
    """Return a table of all effects: values, the relative effect with its interval, and the verdict."""
    sure = f"{100 * (1 - analysis.settings.alpha):g}%"
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    table.add_column("metric", no_wrap=True)
    table.add_column("arm")
    for heading in (analysis.arms[0], "value", f"relative [{sure}]", "p"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    table.add_column("reading")
    role = None
    for effect in analysis.effects_by_role():
        if role not in (None, effect.metric.role):
            table.add_section()
        role = effect.metric.role
        table.add_row(
            Text(effect.metric.name),
            Text(effect.arm),
            f"{effect.control.value:.4g}",
            f"{effect.treatment.value:.4g}",
            _relative(effect),
            "–" if math.isnan(effect.adjusted_p) else f"{effect.adjusted_p:.2g}",
            _reading(effect),
        )
    return table


def _relative(effect: Effect) -> Text:
    value, low, high = effect.relative.value, effect.relative.low, effect.relative.high
    if math.isnan(value):
        return Text("–")
    interval = "–" if math.isnan(low) else f"{low:+.1%}, {high:+.1%}"
    return Text(f"{value:+.1%} [{interval}]")


def _reading(effect: Effect) -> str:
    return effect.verdict if effect.guard is None else f"{effect.guard}, margin {effect.metric.margin}"


def plan_text(found: Plan, baseline: Baseline, power: float, units: int | None) -> str:
    """Return a plan in words."""
    what = f"{found.effect:+.4g} from {baseline.value:.4g} ({found.relative:+.1%})".replace("-", "−")
    lines = [f"Effect {what}, alpha {found.alpha:.3g} a test, power {power:g}."]
    days = "" if math.isnan(found.days) else f", {found.days:,.0f} days"
    sizes = f"{found.control:,} units in the control, {found.treatment:,} in each other arm"
    lines.append(f"One look at the end: {sizes}{days}.")
    if units is None:
        control, other = (math.ceil(found.factor * n) for n in (found.control, found.treatment))
        days = "" if math.isnan(found.days) else f", {found.peeking_days:,.0f} days"
        lines.append(f"Looks at any time: at most {control:,} and {other:,}, {found.factor:.2f} times as many{days}.")
    else:
        lines.append(f"Looks at any time: with as many units, an effect of {abs(found.peeking_effect):.4g}.")
    return "\n".join(lines)
