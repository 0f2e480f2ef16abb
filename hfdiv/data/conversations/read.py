"""The replies in logs of conversations, row by row."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hfdiv.data.conversations.gathered import gathered
from hfdiv.data.conversations.shapes import replies_of
from hfdiv.data.conversations.tolerant import BadRow, tolerant
from hfdiv.data.conversations.turns import Reply
from hfdiv.data.files import Part
from hfdiv.data.folder import parts_of
from hfdiv.data.records import DataError


class Rejected(NamedTuple):
    """A row of a log that is not read.

    Attributes:
        path: The file.
        unit: What its number counts.
        number: Where it stands.
        reason: What is wrong with it.
        content: The row as far as it can be shown.
    """

    path: str
    unit: str
    number: int
    reason: str
    content: Any


class Logs:
    r"""The replies in files of conversations. Iterate over it once; rows are read as they are asked for.

    A row is a conversation (`messages` in OpenAI's form, `conversations` in ShareGPT's), one message of it (`role`,
    `content` and `conversation_id`; see [`~hfdiv.data.conversations.gathered.gathered`]), or a prompt and one reply or
    a list of them, as [`~hfdiv.data.read_records`] takes it, TRL's completions tables included. Files may be JSON
    Lines, a JSON array, CSV, TSV, Parquet, Arrow, or a folder of one of them, such as a dataset saved by `datasets`.

    Args:
        paths: Files and folders.
        prompt_column: Name of the column of prompts, where it is not `prompt`.
        response_column: Name of the column of replies, where it has no usual name.

    Attributes:
        n_rows (`int`): Rows read so far; of a table with one message a row, conversations.
        total_bytes (`int`): Size of all files.

    Raises:
        DataError: If a file cannot be read.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "log.jsonl")
        >>> _ = file.write_text('{"prompt": "Hi", "response": "Hello"}\n{"prompt": "Hi"}\n', encoding="utf-8")
        >>> (reply,), rejected = Logs([file])
        >>> reply.response, rejected.number, rejected.reason[:30]
        ('Hello', 2, 'no reply: a row needs `respons')
    """

    def __init__(
        self, paths: Iterable[str | Path], prompt_column: str | None = None, response_column: str | None = None
    ) -> None:
        self._parts = [tolerant(part) for path in paths for part in parts_of(Path(path))]
        self.total_bytes = sum(part.size for part in self._parts)
        self.n_rows = 0
        self._named = (prompt_column, response_column)
        self._behind = 0
        self._part: Part | None = None

    @property
    def position(self) -> int:
        """Bytes read so far, nearly."""
        return self._behind + (0 if self._part is None else self._part.position)

    def __iter__(self) -> Iterator[list[Reply] | Rejected]:
        """Yield for each row its replies, or why it has none."""
        for part in self._parts:
            self._part = part
            for number, row in part.rows() if any(self._named) else gathered(part.rows()):
                self.n_rows += 1
                yield self._read(part, number, row)
            self._part = None
            self._behind += part.size

    def replies(self) -> Iterator[Reply]:
        """Yield each reply.

        Raises:
            DataError: At the first row that cannot be read.
        """
        for row in self:
            if isinstance(row, Rejected):
                raise DataError(f"{row.path}, {row.unit} {row.number}: {row.reason}")
            yield from row

    def _read(self, part: Part, number: int, row: object) -> list[Reply] | Rejected:
        content: Any = row
        try:
            if isinstance(row, BadRow):
                content = row.content
                raise DataError(row.reason)
            replies = replies_of(row, *self._named, untyped=part.untyped)
            for reply in replies:
                line_of(reply)
            return replies
        except (DataError, TypeError, RecursionError) as error:
            return Rejected(str(part.path), part.unit, number, str(error), content)


def line_of(reply: Reply) -> str:
    """Return a reply as a line of JSON.

    Raises:
        DataError: If something in it cannot be written: half a character, or a name that stands for the reply itself.

    Example:
        >>> line_of(Reply([], "Hi", "Hello", {"rating": 5}))
        '{"history": [], "prompt": "Hi", "response": "Hello", "rating": 5}'
    """
    row = {"history": reply.history, "prompt": reply.prompt, "response": reply.response}
    if taken := sorted(row.keys() & reply.columns.keys()):
        raise DataError(f"the columns {taken} have the names that the reply itself is written under: rename them.")
    line = json.dumps({**row, **_plain(reply.columns)}, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError("the row holds half of a surrogate pair: it was cut inside a character.") from error
    return line


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a log holds
    """Return a value as JSON has it: no number for NaN, text for a date."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, int, float)) else str(value)
