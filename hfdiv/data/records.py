"""Files of replies: JSON Lines or Parquet in, groups by prompt out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hfdiv._extras import require
from hfdiv.text import Response, is_chat, prompt_text, response_text


ONE = ("response", "completion", "text")
"""Names of a column that holds one reply a row."""

MANY = ("responses", "generations", "completions")
"""Names of a column that holds a list of replies a row."""


class DataError(ValueError):
    """A file that cannot be read as replies: the message says where, what and what to do."""


@dataclass(frozen=True)
class Records:
    """Replies grouped by prompt, with the numbers that came beside them.

    Attributes:
        prompts (`list[str]`): One a group.
        groups (`list[list[str]]`): The replies to each prompt.
        columns (`dict[str, list[list[float]]]`): One number a reply (NaN where missing), by column name and in the
            shape of `groups`; booleans are 0 and 1.
        has_prompts (`bool`): False for a plain list of texts, which is one corpus and no groups.

    Example:
        >>> records = Records(["Hi"], [["Hello", "Hey"]], {"finished": [[1.0, 0.0]]})
        >>> records.where("finished").groups
        [['Hello']]
    """

    prompts: list[str]
    groups: list[list[str]]
    columns: dict[str, list[list[float]]] = field(default_factory=dict)
    has_prompts: bool = True

    @property
    def n_responses(self) -> int:
        """Number of replies."""
        return sum(map(len, self.groups))

    @property
    def texts(self) -> list[str] | list[list[str]]:
        """What to measure: the groups, or the flat list where the file had no prompts."""
        return self.groups if self.has_prompts else self.groups[0]

    def where(self, column: str) -> Records:
        """Return the replies whose `column` is true (not 0, not missing). Prompts stay, also with no reply left.

        Raises:
            DataError: If there is no such column.
        """
        if column not in self.columns:
            raise DataError(f"There is no column {column!r} to select by; the columns are {sorted(self.columns)}.")
        kept = [[bool(value) and not math.isnan(value) for value in values] for values in self.columns[column]]

        def select(nested: Sequence[Sequence[Any]]) -> list[list[Any]]:
            return [
                [item for item, keep in zip(items, keeps, strict=True) if keep]
                for items, keeps in zip(nested, kept, strict=True)
            ]

        columns = {name: select(values) for name, values in self.columns.items()}
        return Records(self.prompts, select(self.groups), columns, self.has_prompts)


def read_records(path: str | Path) -> Records:
    """Read a file of replies.

    A row holds `prompt` and one reply (`response`, `completion` or `text`; rows of the same prompt make a group), or
    `prompt` and a list of replies (`responses`, `generations` or `completions`; the row is the group). Prompts and
    replies are strings or chat messages. Further columns that hold a number a reply (in a list of the same
    length, where the replies are a list) are kept as [`Records.columns`]; all others are ignored. A file of single
    replies without any prompt is one corpus.

    Args:
        path: `.jsonl` or `.parquet`; any other name is read as JSON Lines.

    Raises:
        DataError: If the file cannot be read, is empty, or a row is not as above. The message names the row.
        ImportError: If a Parquet file is given and `pyarrow` is not installed.
    """
    path = Path(path)
    rows = _parquet_rows(path) if path.suffix.lower() == ".parquet" else _json_rows(path)
    builder = _Builder()
    where = "The file"
    for where, row in rows:
        try:
            builder.add(row)
        except (DataError, TypeError, OverflowError) as error:
            raise DataError(f"{where}: {error}") from error
    if not builder.prompts:
        raise DataError(f"{path} holds no rows: there is nothing to measure.")
    return builder.build(path)


def write_records(path: str | Path, records: Records) -> None:
    """Write records as JSON Lines: `prompt`, `responses` and each column as a list, one group a line.

    Records without prompts are written as `text` and each column's number, one reply a line.
    """
    rows: list[dict[str, Any]] = []
    for index, (prompt, group) in enumerate(zip(records.prompts, records.groups, strict=True)):
        # JSON has no NaN: a number that is missing is written as null
        columns = {
            name: [None if math.isnan(value) else value for value in values[index]]
            for name, values in records.columns.items()
        }
        if records.has_prompts:
            rows.append({"prompt": prompt, "responses": group, **columns})
        else:
            rows.extend({"text": text, **{name: columns[name][i] for name in columns}} for i, text in enumerate(group))
    Path(path).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


class _Builder:
    """Collects rows into groups, holding every row to the shape of the first."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.groups: list[list[str]] = []
        self.columns: dict[str, list[list[float]]] = {}
        self.key: str | None = None
        self.has_prompts = True
        self._group_of: dict[str, int] = {}

    def add(self, row: object) -> None:
        if not isinstance(row, Mapping):
            raise DataError(f"a row must be a JSON object with a prompt and a reply, got {_shown(row)}.")
        key, replies = self._replies(row)
        if self.key is None:
            self.key = key
            self.has_prompts = key in MANY or row.get("prompt") is not None
        if key != self.key:
            raise DataError(f"this row holds {key!r} and the rows before it {self.key!r}; use one name in a file.")
        index = self._group(row)
        before = len(self.groups[index])
        self.groups[index].extend(_checked(response_text(reply)) for reply in replies)
        for name, values in self._numbers(row, key, len(replies)).items():
            column = self.columns.setdefault(name, [])
            column.extend([] for _ in range(len(self.groups) - len(column)))
            column[index].extend([math.nan] * (before - len(column[index])))
            column[index].extend(values)

    def build(self, path: Path) -> Records:
        if not any(self.groups):
            raise DataError(f"{path} holds no replies: every list of replies is empty.")
        for column in self.columns.values():
            column.extend([] for _ in range(len(self.groups) - len(column)))
            for values, group in zip(column, self.groups, strict=True):
                values.extend([math.nan] * (len(group) - len(values)))
        return Records(self.prompts, self.groups, self.columns, self.has_prompts)

    def _replies(self, row: Mapping[str, Any]) -> tuple[str, list[Response]]:
        present = [name for name in ONE + MANY if row.get(name) is not None]
        if not present:
            raise DataError(f"no reply: a row needs one of {', '.join(ONE + MANY)}; this one has {sorted(row)}.")
        key = self.key if self.key in present else present[0]
        value = row[key]
        if key in ONE:
            return key, [value]
        if not isinstance(value, list) or is_chat(value):
            raise DataError(f"{key!r} must be a list of replies, got {_shown(value)}.")
        return key, value

    def _group(self, row: Mapping[str, Any]) -> int:
        prompt = row.get("prompt")
        if self.key in ONE and (prompt is not None) != self.has_prompts:
            raise DataError(f"this row has {'no' if self.has_prompts else 'a'} 'prompt', unlike the rows before it.")
        text = "" if prompt is None else _checked(prompt_text(prompt))
        if self.key in ONE and text in self._group_of:
            return self._group_of[text]
        self._group_of[text] = len(self.groups)
        self.prompts.append(text)
        self.groups.append([])
        return len(self.groups) - 1

    @staticmethod
    def _numbers(row: Mapping[str, Any], key: str, n: int) -> dict[str, list[float]]:
        found = {}
        for name, value in row.items():
            if name in (*ONE, *MANY, "prompt"):
                continue
            values = value if key in MANY else [value]
            if isinstance(values, list) and len(values) == n and all(_is_number(item) for item in values):
                if any(item is not None for item in values):
                    found[name] = [math.nan if item is None else float(item) for item in values]
        return found


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: byte {error.start} is invalid; save it as UTF-8.") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # ValueError alone: a number of thousands of digits
            reason = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            raise DataError(f"{path}, line {number}: not a JSON object on one line ({reason}).") from error
        yield f"{path}, line {number}", row


def _parquet_rows(path: Path) -> Iterable[tuple[str, Any]]:
    parquet = require("pyarrow.parquet", "data")
    arrow = require("pyarrow", "data")
    try:
        with path.open("rb") as file:  # by hand, for Python's own words about a file that is missing or a folder
            rows = parquet.read_table(file).to_pylist()
    except (OSError, arrow.ArrowException, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"Cannot read {path} as Parquet: {reason or error}.") from error
    return ((f"{path}, row {number}", row) for number, row in enumerate(rows, start=1))


def _checked(text: str) -> str:
    """Refuse half a surrogate pair: it can be neither written nor shown, and comes from text cut inside an emoji."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"the text holds half of a surrogate pair at character {error.start}: it was cut inside a character."
        ) from error
    return text


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)))


def _shown(value: object) -> str:
    return f"{type(value).__name__} {value!r:.60}"
