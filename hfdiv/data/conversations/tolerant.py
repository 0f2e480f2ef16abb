"""Rows of text files that go on after one that cannot be read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from gzip import GzipFile
from io import BufferedReader
from typing import Any, NamedTuple

from hfdiv.data.files import CsvPart, JsonPart, Part, TsvPart
from hfdiv.data.records import DataError


class BadRow(NamedTuple):
    r"""A row that cannot be read.

    Attributes:
        reason: What is wrong with it.
        content: The row as far as it can be shown; broken bytes as `\xff`.
    """

    reason: str
    content: Any


class TolerantJson(JsonPart):
    """JSON Lines of which a bad line is yielded as a [`BadRow`]. A JSON array is read or refused as a whole."""

    def _objects(self, file: BufferedReader | GzipFile) -> Iterator[tuple[int, Any]]:
        for number, line in enumerate(file, start=1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield number, _parsed(line)


class TolerantCsv(CsvPart):
    """Comma-separated values of which a bad row is yielded as a [`BadRow`].

    A quote that is never closed is an error of the whole file, for what follows cannot be told from the cell.
    """

    def rows(self) -> Iterator[tuple[int, Any]]:
        """Yield each row by the names on top, its cells as text."""
        csv.field_size_limit(2**31 - 1)
        with self._open() as file:
            # broken bytes pass as half surrogates, which no UTF-8 holds, and are found in the cells again
            lines = (line.decode("utf-8", errors="surrogateescape") for line in file)
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            header: list[str] | None = None
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if "unexpected end" in str(error) or header is None:
                        raise DataError(f"{self.path}, line {reader.line_num}: {error}; is a quote open?") from error
                    yield reader.line_num, BadRow(f"not a row of the table ({error}).", None)
                    continue
                if header is None:
                    cells = [cell.removeprefix("\ufeff") for cell in cells]
                    header = self._header(cells) if cells else None
                elif cells:
                    yield reader.line_num, _row(header, cells)


class TolerantTsv(TolerantCsv):
    """Tab-separated values, as [`TolerantCsv`]."""

    delimiter = "\t"


def tolerant(part: Part) -> Part:
    """Return a reader of the same file that goes on after a bad row, where its kind allows that."""
    kinds: dict[type[Part], type[Part]] = {JsonPart: TolerantJson, CsvPart: TolerantCsv, TsvPart: TolerantTsv}
    kind = kinds.get(type(part))
    return part if kind is None else kind(part.path)


def _parsed(line: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return BadRow(f"not UTF-8: byte {error.start} of the line is invalid.", _shown(line))
    except (ValueError, RecursionError) as error:
        at = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        return BadRow(f"not a JSON object on one line ({at}).", _shown(line))


def _row(header: list[str], cells: list[str]) -> dict[str, str] | BadRow:
    raw = [cell.encode("utf-8", errors="surrogateescape") for cell in cells]
    content = [cell.decode("utf-8", errors="backslashreplace") for cell in raw]
    if content != cells:
        return BadRow("not UTF-8: a cell holds invalid bytes.", content)
    if len(cells) != len(header):
        return BadRow(f"{len(cells)} cells, and {len(header)} names on top.", content)
    return dict(zip(header, cells, strict=True))


def _shown(text: bytes) -> str:
    return text.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
