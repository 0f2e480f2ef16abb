"""A file to which entries are appended as they come, each whole or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hfdiv.data.records import DataError
from hfdiv.data.write import write_whole


class Journal:
    """JSON Lines that outlive a kill: an entry is on disk when `append` returns.

    Safe to use from several threads of one process.

    Args:
        path: The file. It is there only while it holds entries.

    Example:
        >>> import tempfile
        >>> journal = Journal(Path(tempfile.mkdtemp(), "unfinished.jsonl"))
        >>> journal.append({"prompt": 3, "responses": ["Hello"]})
        >>> journal.entries()
        [{'prompt': 3, 'responses': ['Hello']}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_appended = 0  # since the file was last made anew
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add an entry."""
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line)
            self.n_appended += 1

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries, and cut off one that was not written to its end.

        Raises:
            DataError: If a line before the last is no entry.
        """
        with self._lock:
            return self._entries()

    def keep(self, is_kept: Callable[[dict[str, Any]], bool]) -> None:
        """Drop the other entries; the file changes at once or not at all, and goes when it would be empty."""
        with self._lock:
            kept = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in self._entries() if is_kept(entry)]
            if kept:
                write_whole(self.path, kept)
            else:
                self.path.unlink(missing_ok=True)
            self.n_appended = 0

    def _entries(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        whole, newline, rest = self.path.read_bytes().rpartition(b"\n")
        if rest:
            with self.path.open("r+b") as file:
                file.truncate(len(whole + newline))
        return [self._entry(number, line) for number, line in enumerate(whole.split(b"\n"), 1) if line]

    def _entry(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise DataError(f"{self.path}, line {number}: this is not what this command writes: {line!r:.60}.")
        return entry
