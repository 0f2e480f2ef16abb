"""One row of a log: one conversation, with its arm and what the user did."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from hfdiv.data import DataError
from hfdiv.data.columns import MANY, ONE, PROMPT
from hfdiv.data.conversations.feedback import as_number, feedback
from hfdiv.data.conversations.shapes import TALK, replies_of
from hfdiv.data.conversations.turns import SPOKEN, Reply, Turn, replies_in, turns_of
from hfdiv.data.entry import names, reply_of, shown
from hfdiv.data.shapes import as_row
from hfdiv.text import is_chat


NAMED = ("experiment", "arm", "unit_id", "conversation_id", "time")
"""Columns that every row has."""

_SUMS = ("dwell_time",)
_ANY = ("click",)


class Conversation(NamedTuple):
    """One conversation of an experiment.

    Attributes:
        experiment: Name of the experiment.
        arm: Its arm; `None` where the unit takes no part.
        unit: Who was assigned.
        id: The conversation's name.
        time: When it began, in seconds since 1970.
        values: What was measured, by name; NaN where it was not.
        turns: What was said, as far as the log has it.
        replies: The replies, as far as the log has them.
    """

    experiment: str
    arm: str | None
    unit: str
    id: str
    time: float
    values: dict[str, float]
    turns: list[Turn]
    replies: list[str]


def read_row(row: object, columns: tuple[str, ...] = (), untyped: bool = False) -> Conversation:
    """Return the conversation in a row of a log.

    `turns` is the column of that name, else the number of replies in the conversation. What is said about single
    replies is put together: their dwell times are summed, a click on any is a click, of other numbers it is the mean.

    Args:
        row: A conversation (`messages`), or a `prompt` and its `response`, as `hfdiv data import` reads it, with the
            columns [`NAMED`]. It may hold no texts, and then counts for all but diversity.
        columns: Names of further numbers to read.
        untyped: Whether every cell is text, as in CSV.

    Raises:
        DataError: If a column is missing or cannot be understood.

    Example:
        >>> row = {"experiment": "endings", "arm": "control", "unit_id": 7, "conversation_id": "c1",
        ...        "time": "2025-03-01T09:00:00Z", "dwell_time": 41.5, "abandoned": False}
        >>> read_row(row).unit, read_row(row).values
        ('7', {'dwell_time': 41.5, 'abandoned': 0.0})
    """
    cells = {str(name): None if untyped and value == "" else value for name, value in as_row(row).items()}
    lacking = [name for name in NAMED if name not in cells]
    if lacking:
        raise DataError(f"a row needs {', '.join(f'`{name}`' for name in lacking)}; this one has {names(cells)}.")
    turns, replies = _said(cells, untyped)
    return Conversation(
        experiment=_name(cells, "experiment"),
        arm=None if cells["arm"] is None else _name(cells, "arm"),
        unit=_name(cells, "unit_id"),
        id=_name(cells, "conversation_id"),
        time=_seconds(cells["time"]),
        values=_values(cells, replies, columns),
        turns=turns,
        replies=[reply.response for reply in replies],
    )


def _said(cells: Mapping[str, Any], untyped: bool) -> tuple[list[Turn], list[Reply]]:
    """Return the turns and the replies; none of a log that holds no texts."""
    if any(all(isinstance(cells.get(key), str) for key in pair) for pair in SPOKEN):
        raise DataError("a message alone: the log of an experiment has one conversation a row, in `messages`.")
    talk = next((name for name in TALK if cells.get(name) is not None), None)
    if talk is not None:
        turns = turns_of(_parsed(talk, cells[talk]) if untyped else cells[talk])
        for turn in turns:
            reply_of(turn.content)  # refuses half of a surrogate pair, which no file can hold
        return turns, [reply._replace(columns=feedback(reply.columns)) for reply in replies_in(turns)]
    many = next((name for name in MANY if cells.get(name) is not None), None)
    if many is not None:
        raise DataError(f"`{many}` holds several replies to choose from: a row is one conversation, as it went.")
    if cells.get(PROMPT) is None:
        return [], []
    try:
        (reply,) = replies_of({name: cells[name] for name in (PROMPT, *ONE) if name in cells}, untyped=untyped)
    except TypeError as error:
        raise DataError(str(error)) from error
    said = turns_of(reply.prompt) if is_chat(reply.prompt) else [Turn("user", str(reply.prompt), {})]
    return [*said, Turn("assistant", reply.response, {})], [reply]


def _parsed(name: str, cell: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise DataError(f"`{name}` must hold a JSON list in its cell ({error}).") from error


def _values(cells: Mapping[str, Any], replies: list[Reply], columns: tuple[str, ...]) -> dict[str, float]:
    """Return the numbers of a conversation: its own, else those of its replies put together."""
    own = feedback({name: value for name, value in cells.items() if name not in (*NAMED, *TALK, PROMPT, *ONE)})
    found = {}
    for name in dict.fromkeys(("dwell_time", "click", "abandoned", *columns)):
        if own.get(name) is not None:
            found[name] = _number(name, own[name])
        elif name != "abandoned":
            found[name] = _together(name, [_number(name, reply.columns.get(name)) for reply in replies])
    if own.get("turns") is not None:
        found["turns"] = _number("turns", own["turns"])
        if found["turns"] < 0:
            raise DataError(f"`turns` must be at least 0, got {found['turns']:g}.")
    elif any(cells.get(name) is not None for name in (*TALK, PROMPT)):
        found["turns"] = float(len(replies))
    return {name: value for name, value in found.items() if not math.isnan(value)}


def _together(name: str, values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan
    if name in _SUMS:
        return math.fsum(known)
    return max(known) if name in _ANY else math.fsum(known) / len(known)


def _number(name: str, value: object) -> float:
    try:
        number = as_number(value)
    except DataError as error:
        raise DataError(f"`{name}`: {error}") from error
    if math.isinf(number):
        raise DataError(f"`{name}` must be finite, got {number}.")
    return number


def _name(cells: Mapping[str, Any], name: str) -> str:
    value = cells[name]
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise DataError(f"`{name}` must be a name or a whole number, got {shown(value)}.")
    return reply_of(str(value))


def _seconds(time: object) -> float:
    """Return seconds since 1970 of an ISO 8601 time, UTC where it names no zone, or of a number of seconds."""
    try:
        if isinstance(time, (int, float)) and not isinstance(time, bool):
            return datetime.fromtimestamp(time, timezone.utc).timestamp()  # refuses milliseconds
        moment = datetime.fromisoformat(str(time).replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise DataError(
            f"`time` must be ISO 8601, as in 2025-03-01T09:00:00Z, or seconds, got {shown(time)}."
        ) from error
