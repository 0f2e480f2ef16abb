"""What people did with a reply: one name and one form for what logs call and write in many ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from hfdiv.data.entry import shown
from hfdiv.data.records import DataError


_WORDS = {
    **dict.fromkeys(("up", "thumbs_up", "thumbsup", "like", "liked", "good", "positive", "👍", "true", "yes"), 1),
    **dict.fromkeys(("down", "thumbs_down", "thumbsdown", "dislike", "disliked", "bad", "negative", "👎"), -1),
    **dict.fromkeys(("false", "no"), -1),
}


def feedback(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns with feedback under its usual name and as a number or a truth, and all others as they are.

    | column | also called | becomes |
    |---|---|---|
    | `rating` | `stars` | a number |
    | `thumbs` | `thumb` | 1 for up, −1 for down, 0 for neither |
    | `dwell_time` | `dwell`, `dwell_seconds` | a number, at least 0 |
    | `click` | `clicked` | true or false |
    | `abandoned` | | true or false |

    They may stand in a mapping `feedback`; a word there, such as `"thumbs_up"`, is `thumbs`. An empty value is none.

    Raises:
        DataError: If a value cannot be understood, or one thing is said twice and differently.

    Example:
        >>> feedback({"stars": "4", "feedback": {"thumb": "down"}, "clicked": 1, "id": "007"})
        {'rating': 4.0, 'click': True, 'id': '007', 'thumbs': -1}
    """
    given = dict(columns)
    inner = given.pop("feedback", None)
    nested = inner if isinstance(inner, Mapping) else {} if _missing(inner) else {"thumbs": inner}
    found: dict[str, Any] = {}
    for name, value in [*given.items(), *nested.items()]:
        usual, read = _NAMES.get(name, (name, None))
        if read is None:
            found.setdefault(name, value)
        elif not _missing(value):
            understood = read(name, value)
            if found.setdefault(usual, understood) != understood:
                raise DataError(f"`{usual}` is both {found[usual]!r} and {understood!r} here.")
    return found


def of_reply(columns: Mapping[str, Any], is_last: bool) -> dict[str, Any]:
    """Return what a conversation's own feedback says about one of its replies.

    All of it, but that the user left: they left after the last reply, and no other.
    """
    if "abandoned" not in columns or is_last:
        return dict(columns)
    return {**columns, "abandoned": False}


def as_number(value: object) -> float:
    """Return a number, from one in a cell of text too; NaN where there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return math.nan
    if isinstance(value, (int, float, str)):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise DataError(f"it must be a number, got {shown(value)}.")


def _missing(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _number(name: str, value: Any) -> float:  # noqa: ANN401 - whatever a log holds
    number = math.nan
    if not isinstance(value, bool) and isinstance(value, (int, float, str)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
    if not math.isfinite(number):
        raise DataError(f"`{name}` must be a number, got {shown(value)}.")
    return number


def _seconds(name: str, value: Any) -> float:  # noqa: ANN401 - whatever a log holds
    seconds = _number(name, value)
    if seconds < 0:
        raise DataError(f"`{name}` must be at least 0, got {seconds:g}.")
    return seconds


def _thumbs(name: str, value: Any) -> int:  # noqa: ANN401 - whatever a log holds
    if isinstance(value, bool):
        return 1 if value else -1
    thumbs = _WORDS.get(value.strip().lower()) if isinstance(value, str) else None
    number = float(thumbs) if thumbs is not None else _number(name, value)
    if number not in (-1, 0, 1):
        raise DataError(f"`{name}` must be up or down, or 1, 0 or -1, got {shown(value)}.")
    return int(number)


def _truth(name: str, value: Any) -> bool:  # noqa: ANN401 - whatever a log holds
    word = str(value).strip().lower()
    if word in ("true", "yes", "1", "1.0"):
        return True
    if word in ("false", "no", "0", "0.0"):
        return False
    raise DataError(f"`{name}` must be true or false, got {shown(value)}.")


_NAMES: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "rating": ("rating", _number),
    "stars": ("rating", _number),
    "thumbs": ("thumbs", _thumbs),
    "thumb": ("thumbs", _thumbs),
    "dwell_time": ("dwell_time", _seconds),
    "dwell": ("dwell_time", _seconds),
    "dwell_seconds": ("dwell_time", _seconds),
    "click": ("click", _truth),
    "clicked": ("click", _truth),
    "abandoned": ("abandoned", _truth),
}
