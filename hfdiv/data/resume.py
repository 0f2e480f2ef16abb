"""A file of replies that grows as they are written, and goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hfdiv.data.records import DataError
from hfdiv.data.write import write_whole
from hfdiv.text import Response


class GrowingReplies:
    r"""`replies.jsonl` in a folder, one prompt a line, with `generate.json` beside it that says how they were made.

    A folder in which replies to the same prompts, made with the same settings, were begun is gone on with: a line
    that was not written to its end is dropped, and whole ones stay.

    Args:
        folder: The folder. Nothing in it is made or replaced before the first reply.
        prompts: What is replied to, in order.
        settings: What decides about the replies, as JSON values.
        versions: Versions of the packages, noted down but not compared.
        overwrite: Begin anew, whatever is there.
        noted: More to be noted down by name, and not compared.

    Attributes:
        path (`Path`): The file of replies.
        begun (`bool`): Whether there is such a file of these settings.
        n_done (`int`): How many prompts have a line.
        failed (`list[int]`): Places of the prompts whose line holds an `error`.

    Raises:
        DataError: If the folder holds replies that were made otherwise. The message says what differs.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> GrowingReplies(folder, ["Hi", "Bye"], {"seed": 0}).add({"responses": ["Hello"]})
        >>> replies = GrowingReplies(folder, ["Hi", "Bye"], {"seed": 0})
        >>> replies.n_done, replies.path.read_text()
        (1, '{"prompt": "Hi", "responses": ["Hello"]}\n')
    """

    def __init__(
        self,
        folder: str | Path,
        prompts: Sequence[Response],
        settings: Mapping[str, Any],
        versions: Mapping[str, str] | None = None,
        overwrite: bool = False,
        noted: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = Path(folder, "replies.jsonl")
        self._about_path = Path(folder, "generate.json")
        self._prompts = prompts
        # As it will be read: JSON knows no tuples.
        self._about = json.loads(json.dumps({"settings": settings, "versions": versions or {}, **(noted or {})}))
        self.begun = not overwrite and self._about_path.exists()
        self.n_done = 0
        self.failed: list[int] = []
        if self.begun:
            self._check(self._about["settings"])
            self.n_done = self._whole_lines()
        elif self.path.exists() and not overwrite:
            raise DataError(f"{self.path} is there, without a {self._about_path.name} that says what it is. {_ANEW}")

    def begin(self) -> None:
        """Make the folder and say in it how the replies are made, if this is not done yet."""
        if not self.begun:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            write_whole(self._about_path, [json.dumps(self._about, indent=2, ensure_ascii=False), "\n"])
            self.begun = True

    def add(self, row: Mapping[str, Any]) -> None:
        """Append what was replied to the next prompt: `responses` and further columns."""
        self.begin()
        line = self._line(self.n_done, row)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line)
        self.n_done += 1

    def replace(self, rows: Mapping[int, Mapping[str, Any]]) -> None:
        """Put rows in place of those of the same prompts, by place; the file changes at once or not at all."""
        with self.path.open(encoding="utf-8", newline="\n") as before:
            lines = (self._line(place, rows[place]) if place in rows else line for place, line in enumerate(before))
            write_whole(self.path, lines)

    def _line(self, place: int, row: Mapping[str, Any]) -> str:
        return json.dumps({"prompt": self._prompts[place], **row}, ensure_ascii=False, allow_nan=False) + "\n"

    def _check(self, settings: dict[str, Any]) -> None:
        try:
            before = json.loads(self._about_path.read_text(encoding="utf-8"))["settings"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{self._about_path} is not what this command writes. {_ANEW}") from error
        if changes := list(_changes(before, settings)):
            raise DataError(f"The replies in {self.path.parent} were made otherwise: {'; '.join(changes)}. {_ANEW}")

    def _whole_lines(self) -> int:
        """Count the lines, and cut off what was not written to its end."""
        if not self.path.exists():
            return 0
        n, end = 0, 0
        with self.path.open("r+b") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                row = self._row(line)
                if n == len(self._prompts) or row.get("prompt") != self._prompts[n]:
                    raise DataError(f"{self.path}, line {n + 1}: these are no replies to prompt {n + 1}. {_ANEW}")
                if "error" in row:
                    self.failed.append(n)
                n, end = n + 1, end + len(line)
            file.truncate(end)
        return n

    @staticmethod
    def _row(line: bytes) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError:
            return {}
        return row if isinstance(row, dict) else {}


_ANEW = "Give another folder, or begin anew with `--overwrite`."


def _changes(before: Any, now: Any, name: str = "") -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    """Say what differs, setting by setting."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            yield from _changes(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif before != now:
        yield f"`{name}` was {before!r} and is {now!r}"
