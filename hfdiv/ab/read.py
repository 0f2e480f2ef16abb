"""The conversations in logs, with what is wrong with each row that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hfdiv.ab.row import Conversation, read_row
from hfdiv.data import DataError
from hfdiv.data.conversations.tolerant import BadRow, tolerant
from hfdiv.data.files import JsonPart, Part
from hfdiv.data.folder import parts_of


class BadConversation(NamedTuple):
    """A row that cannot be read.

    Attributes:
        place: The file and the line.
        reason: What is wrong.
        unfinished: Whether it is a last line that is still being written, or was when its writer was killed.
    """

    place: str
    reason: str
    unfinished: bool = False


class Numbered(NamedTuple):
    """A conversation, and where it stands.

    Attributes:
        path: The file.
        number: The row.
        conversation: What it says.
    """

    path: str
    number: int
    conversation: Conversation


def read_log(paths: Iterable[str | Path], columns: Iterable[str] = ()) -> Iterator[Numbered | BadConversation]:
    r"""Yield each conversation of logs: JSON Lines, CSV, TSV, Parquet, Arrow, or folders of one kind.

    Args:
        paths: Files and folders.
        columns: Names of further numbers to read.

    Raises:
        DataError: If a file cannot be read.
        ImportError: If a file needs `pyarrow` and it is not installed.

    Example:
        >>> import tempfile
        >>> log = Path(tempfile.mkdtemp(), "log.jsonl")
        >>> _ = log.write_text('{"arm": "control"}\n{"experim')
        >>> [row.unfinished for row in read_log([log])]
        [False, True]
    """
    wanted = tuple(columns)
    for path in paths:
        for part in map(tolerant, parts_of(Path(path))):
            yield from _rows(part, wanted)


def _rows(part: Part, columns: tuple[str, ...]) -> Iterator[Numbered | BadConversation]:
    broken: BadConversation | None = None
    for number, row in part.rows():
        if broken is not None:
            yield broken
        broken = None
        place = f"{part.path}, {part.unit} {number}"
        if isinstance(row, BadRow):
            broken = BadConversation(place, row.reason)
            continue
        try:
            yield Numbered(str(part.path), number, read_row(row, columns, part.untyped))
        except DataError as error:
            yield BadConversation(place, str(error))
    if broken is not None:
        yield broken._replace(unfinished=_is_cut_off(part))


def _is_cut_off(part: Part) -> bool:
    """Tell whether a file of JSON Lines does not end with a line's end."""
    if not isinstance(part, JsonPart) or not part.path.is_file() or part.path.suffix == ".gz":
        return False
    with part.path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) != b"\n"
