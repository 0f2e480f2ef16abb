"""A comparison as one HTML page that opens offline: it loads nothing and runs nothing."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from hfdiv._extras import require
from hfdiv.report.comparison import FEWEST_PROMPTS, Comparison, Row
from hfdiv.report.significance import Estimate


_ARROWS = {"more varied": "↑", "less varied": "↓", "higher": "↑", "lower": "↓"}
_CAPTIONS = {
    "diversity": "Each diversity measure before and after, with its 95% interval. Where the arrow points, replies are "
    "more varied. Bars that overlap do not mean that nothing changed: the difference in the table is taken within "
    "prompts, and its interval is often narrower.",
    "quality": "Each quality column before and after, with its 95% interval. Scales differ from panel to panel.",
    "prompts": "Distinct-2 of the replies to each prompt, one dot a prompt. Above the dashed line: more varied after.",
}
_WORDS = {
    "diversity": ("more varied", "less varied", "no clear change", "too few prompts to tell", "undefined"),
    "quality": ("higher", "lower", "no clear change", "too few prompts to tell", "undefined"),
}
_MOST_DECIMALS = 8
_LARGE = 1e9


def render(comparison: Comparison, figures: Mapping[str, bytes]) -> str:
    """Return the page.

    Every text is escaped and set apart from the page's own direction of writing; the page's policy forbids scripts
    and every request.

    Args:
        comparison: What to show.
        figures: PNG images by name, as [`~hfdiv.report.plots.draw`] names them.

    Raises:
        ImportError: If jinja2 is not installed.

    Example:
        >>> page = render(Comparison(("<old>", "new"), [], [], [], {}), {})
        >>> "<old>" in page, "&lt;old&gt;" in page
        (False, True)
    """
    page: str = template("hfdiv.report").render(
        comparison=comparison,
        arrows=_ARROWS,
        decimals=decimals,
        summaries={kind: summarise(comparison.rows_of(kind), _WORDS[kind]) for kind in ("diversity", "quality")},
        figures=[(name, _CAPTIONS.get(name, name), data_uri(image)) for name, image in figures.items()],
        fewest_prompts=FEWEST_PROMPTS,
        has_yardstick=any(math.isfinite(row.yardstick) for row in comparison.rows),
    )
    return page


def template(package: str) -> Any:  # noqa: ANN401 - a class of an optional package
    """Return the template `page.html.j2` of a package, which escapes what it is given, with the style of all reports.

    Raises:
        ImportError: If jinja2 is not installed.
    """
    jinja2 = require("jinja2", "report")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(estimate=format_estimate, number=format_number, collapse=collapse)
    style = resources.files("hfdiv.report").joinpath("page.css").read_text("utf-8")
    environment.globals["style"] = require("markupsafe", "report").Markup(style)  # the only text that is not escaped
    return environment.from_string(resources.files(package).joinpath("page.html.j2").read_text("utf-8"))


def summarise(rows: Sequence[Row], words: Sequence[str]) -> str:
    """Count the rows by what happened to them, in the order of `words`.

    Example:
        >>> row = Row("quality", "reward", "response", Estimate(1), Estimate(1), Estimate(0, -1, 1), 9, "")
        >>> summarise([row], ["higher", "no clear change"])
        '1 no clear change'
    """
    counts = Counter(row.change for row in rows)
    return ", ".join(f"{counts[word]} {word}" for word in words if counts[word])


def collapse(replies: Sequence[str]) -> list[tuple[str, int]]:
    """Return each different reply once, with how often it came, in the order of the first time.

    Example:
        >>> collapse(["Hi", "Hello", "Hi"])
        [('Hi', 2), ('Hello', 1)]
    """
    return list(Counter(replies).items())


def decimals(row: Row) -> int:
    """Return how many decimals the row's numbers need: two digits of the difference's margin.

    Example:
        >>> decimals(Row("quality", "reward", "response", Estimate(1), Estimate(2), Estimate(1, 0.97, 1.03), 9, ""))
        3
    """
    margin = (row.difference.high - row.difference.low) / 2
    scales = [margin, abs(row.difference.value) / 10, abs(row.before.value) / 10]
    scale = next((scale for scale in scales if math.isfinite(scale) and scale > 0), 1.0)
    return min(max(1 - math.floor(math.log10(scale)), 0), _MOST_DECIMALS)


def format_estimate(estimate: Estimate, places: int, signed: bool = False) -> tuple[str, str]:
    """Return the value and its interval as text, with `–` for what is undefined.

    Example:
        >>> format_estimate(Estimate(0.25, -0.1, 0.6), 2, signed=True)
        ('+0.25', '[−0.10, +0.60]')
        >>> format_estimate(Estimate(0.25), 2)
        ('0.25', '')
    """
    value, low, high = (
        format_number(number, places, signed) for number in (estimate.value, estimate.low, estimate.high)
    )
    has_interval = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    return value, f"[{low}, {high}]" if has_interval else ""


def format_number(number: float, places: int, signed: bool = False) -> str:
    """Return a number as text, with a true minus. What is not 0 is not shown as 0.

    Example:
        >>> format_number(-0.5, 2), format_number(0.001, 2, signed=True), format_number(0, 2)
        ('−0.50', '+0.001', '0.00')
    """
    if not math.isfinite(number):
        return "–"
    style = f".{places}f"
    if abs(number) >= _LARGE:
        style = ".4g"
    elif 0 < abs(number) < 0.5 * 10**-places:
        style = ".1g"  # an end that is close to 0 decides the verdict: it must look so
    sign = "+" if signed and number else ""
    return f"{number:{sign}{style}}".replace("-", "−")


def data_uri(image: bytes) -> str:
    """Return a PNG image as an address that a page can hold.

    Example:
        >>> data_uri(b"PNG")
        'data:image/png;base64,UE5H'
    """
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")
