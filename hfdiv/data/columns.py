"""Plain tables: a column of prompts, a column of replies, and numbers beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hfdiv.data.entry import Entry, Layout, is_number, names, prompt_of, reply_of, shown
from hfdiv.data.records import DataError
from hfdiv.text import Response, is_chat


ONE = ("response", "completion", "text")
"""Names of a column that holds one reply a row."""

MANY = ("responses", "generations", "completions")
"""Names of a column that holds a list of replies a row."""

PROMPT = "prompt"

# NoveltyBench's score of each class of like replies: as long as the list of replies only where none are alike.
_NOT_A_REPLY = {"partition_scores"}


@dataclass(frozen=True)
class Columns:
    """A table whose rows hold `prompt` and one reply, or a list of them.

    Of TRL's completions tables, the replies to one prompt at one step are a group: those of another step come from
    another policy.

    Attributes:
        prompt: Name of the column of prompts.
        reply: Name of the column of replies.
        many: Whether a row holds a list of replies, and so is a group.
        has_prompts: Whether the rows have prompts.
        by_step: Whether rows of one prompt make a group only within one `step`: so they do in the tables that TRL's
            trainers write, which have the columns `step`, `prompt` and `completion`.
        named: Whether the column of replies was named by the user.
        untyped: Whether numbers come as text, as in CSV.
    """

    prompt: str
    reply: str
    many: bool
    has_prompts: bool
    by_step: bool = False
    named: bool = False
    untyped: bool = False

    def __str__(self) -> str:
        replies = f"{'lists of replies' if self.many else 'replies'} in {self.reply!r}"
        return f"{replies}{'' if self.has_prompts else ' without prompts'}{' by step' * self.by_step}"

    @property
    def layout(self) -> Layout:
        """One group a row, or rows of one prompt, or one corpus."""
        return "whole" if self.many else "scattered" if self.has_prompts else "flat"

    def entries(self, row: Mapping[str, Any]) -> list[Entry]:
        """Return what a row says."""
        replies = [reply_of(reply) for reply in self._replies(row)]
        prompt = row.get(self.prompt)
        if not self.many and (prompt is not None) != self.has_prompts:
            lacks = "no" if self.has_prompts else "a"
            raise DataError(f"this row has {lacks} {self.prompt!r}, unlike the rows before it.")
        text = "" if prompt is None else prompt_of(prompt)
        key = f"{row.get('step')}\n{text}" if self.by_step else text
        return [Entry(key, text, replies, self._numbers(row, len(replies)))]

    def _replies(self, row: Mapping[str, Any]) -> list[Response]:
        value = row.get(self.reply)
        if value is None:
            other = None if self.named else _reply_column(row)
            if other is None:
                raise _no_reply(row, (self.reply,) if self.named else ONE + MANY)
            raise DataError(f"this row holds {other!r} and the rows before it {self.reply!r}; use one name in a file.")
        if not self.many:
            return [value]
        if not isinstance(value, list) or is_chat(value):
            raise DataError(f"{self.reply!r} must be a list of replies, got {shown(value)}.")
        return value

    def _numbers(self, row: Mapping[str, Any], n: int) -> dict[str, list[float]]:
        found = {}
        for name, value in row.items():
            if name in _NAMES or name == self.reply or name == self.prompt:
                continue
            if not self.many:
                value = _typed(value) if self.untyped else value
                if isinstance(value, (int, float)):
                    found[name] = [float(value)]
            elif isinstance(value, list) and len(value) == n and all(map(is_number, value)):
                if any(item is not None for item in value):
                    found[name] = [math.nan if item is None else float(item) for item in value]
        return found


_NAMES = {*ONE, *MANY, PROMPT, *_NOT_A_REPLY}


def columns_of(
    row: Mapping[str, Any], prompt_column: str | None = None, response_column: str | None = None, untyped: bool = False
) -> Columns:
    """Return the shape of a table from its first row: the columns that the user names, or those of known names.

    Raises:
        DataError: If a named column is not there, or no column holds a reply.
    """
    for name in (prompt_column, response_column):
        if name is not None and name not in row:
            raise DataError(f"there is no column {name!r}; the columns are {names(row)}.{closest(name, row)}")
    reply = _reply_column(row, besides=prompt_column) if response_column is None else response_column
    if reply is None:
        raise _no_reply(row, ONE + MANY)
    if response_column is not None and row[reply] is None:
        raise _no_reply(row, (reply,))
    prompt = PROMPT if prompt_column is None else prompt_column
    named = response_column is not None
    many = isinstance(row[reply], list) and not is_chat(row[reply]) if named else reply in MANY
    return Columns(
        prompt=prompt,
        reply=reply,
        many=many,
        has_prompts=many or row.get(prompt) is not None,
        by_step=not many and (prompt, reply) == (PROMPT, "completion") and "step" in row,
        named=named,
        untyped=untyped,
    )


def _reply_column(row: Mapping[str, Any], besides: str | None = None) -> str | None:
    return next((name for name in ONE + MANY if name != besides and row.get(name) is not None), None)


def _no_reply(row: Mapping[str, Any], wanted: tuple[str, ...]) -> DataError:
    advice = "." if len(wanted) == 1 else "; if one of them is the reply, name it as the response column."
    one_of = "" if len(wanted) == 1 else "one of "
    return DataError(f"no reply: a row needs {one_of}{', '.join(wanted)}; this one has {names(row)}{advice}")


def closest(name: str, row: Mapping[str, Any]) -> str:
    """Return the end of an error message: the column of a row whose name looks most like `name`, if one does."""
    close = get_close_matches(name, map(str, row), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _typed(cell: str) -> float | str | None:
    """Return the number that a cell of text holds; an empty one is missing."""
    if not cell.strip():
        return None
    if cell.strip().lower() in ("true", "false"):
        return cell.strip().lower() == "true"
    try:
        return float(cell)
    except ValueError:
        return cell
