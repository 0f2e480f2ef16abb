"""An analysis as one HTML page that opens offline: it loads nothing and runs nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hfdiv import __version__
from hfdiv.ab.analysis import Analysis
from hfdiv.ab.effect import FEWEST_UNITS
from hfdiv.ab.row import Conversation
from hfdiv.ab.srm import ALARM
from hfdiv.report.page import data_uri, format_estimate, template
from hfdiv.report.significance import Estimate


_CAPTIONS = {
    "effects": "The relative effect on each metric, with its interval.",
    "looks": "How the effect on the primary metric went while conversations came in. The band is right at all looks "
    "together; the dotted lines would be right if there had been only one.",
}
_CLASSES = {"better": "more", "worse": "less", "pass": "more", "fail": "less"}
_MOST_MESSAGES = 12


def render(analysis: Analysis, figures: Mapping[str, bytes]) -> str:
    """Return the page.

    Every text is escaped and set apart from the page's own direction of writing; the page's policy forbids scripts
    and every request.

    Args:
        analysis: What to show.
        figures: PNG images by name, as [`~hfdiv.ab.plots.draw`] names them.

    Raises:
        ImportError: If jinja2 is not installed.
    """
    page: str = template("hfdiv.ab").render(
        analysis=analysis,
        figures=[(name, _CAPTIONS.get(name, name), data_uri(image)) for name, image in figures.items()],
        confidence=f"{100 * (1 - analysis.settings.alpha):g}%",
        classes=_CLASSES,
        places=places,
        percent=percent,
        p_value=p_value,
        outcome=outcome,
        most_messages=_MOST_MESSAGES,
        fewest_units=FEWEST_UNITS,
        alarm=ALARM,
        version=__version__,
    )
    return page


def places(estimate: Estimate, value: float) -> int:
    """Return how many decimals a number needs beside an interval: two digits of its margin.

    Example:
        >>> places(Estimate(0.2, 0.1, 0.3), 4.0), places(Estimate(0.0), 40.0)
        (2, 1)
    """
    scales = [(estimate.high - estimate.low) / 2, abs(estimate.value) / 10, abs(value) / 10]
    rounding = 1e-9 * abs(value)  # a margin below is what summation leaves behind
    scale = next((scale for scale in scales if math.isfinite(scale) and scale > rounding), 1.0)
    return min(max(1 - math.floor(math.log10(scale)), 0), 8)


def percent(estimate: Estimate) -> tuple[str, str]:
    """Return a relative effect as text, in percent.

    Example:
        >>> percent(Estimate(-0.126, -0.2, -0.05))
        ('−12.6%', '[−20.0%, −5.0%]')
    """
    value, interval = format_estimate(
        Estimate(*(100 * x for x in (estimate.value, estimate.low, estimate.high))), 1, signed=True
    )
    shown = f"{value}%" if math.isfinite(estimate.value) else value
    return shown, interval.replace(",", "%,").replace("]", "%]")


def p_value(p: float) -> str:
    """Return a p-value as text.

    Example:
        >>> p_value(0.0421), p_value(1e-12), p_value(float("nan"))
        ('0.042', '< 0.0001', '–')
    """
    if math.isnan(p):
        return "–"
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def outcome(talk: Conversation) -> str:
    """Return what a user did, in words.

    Example:
        >>> outcome(Conversation("e", "a", "u", "c", 0.0, {"turns": 2.0, "abandoned": 1.0}, [], []))
        'turns 2 · abandoned'
    """
    said = []
    for name, value in talk.values.items():
        if name in ("abandoned", "click"):
            said.append(name if value else f"not {name}" if name == "abandoned" else "no click")
        else:
            said.append(f"{name} {value:g}")
    return " · ".join(said)
