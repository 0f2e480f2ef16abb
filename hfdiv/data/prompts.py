"""A file of prompts: what a model is to reply to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hfdiv.data.columns import closest
from hfdiv.data.entry import names, prompt_of, reply_of, shown
from hfdiv.data.folder import parts_of
from hfdiv.data.records import DataError
from hfdiv.data.shapes import as_row
from hfdiv.text import Response, is_chat


_NAMES = ("prompt", "messages", "text")  # of a text file's lines, the last
_HISTORY = "history"


@dataclass(frozen=True)
class Prompts:
    """Prompts, and what was replied before each.

    Attributes:
        prompts (`list[str | list[dict]]`): Strings or chat messages, in the order of the file.
        histories (`list[list[str]]`): From the column `history`, earlier replies for each prompt; often none.
    """

    prompts: list[Response]
    histories: list[list[str]]

    @property
    def fingerprint(self) -> str:
        """A hash of the content, the same whatever kind of file it came from."""
        content = json.dumps([self.prompts, self.histories], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def read_prompts(path: str | Path, *, prompt_column: str | None = None, limit: int | None = None) -> Prompts:
    r"""Read a file of prompts, or a folder of such files, of any kind that [`read_records`] reads.

    A row holds `prompt` (or `messages`), a string or chat messages, and perhaps `history`: earlier replies, as a list
    of strings or as chat messages, of which the assistant's count. A text file has one prompt a line.

    Args:
        path: The file or folder.
        prompt_column: Name of the column of prompts, where it is neither `prompt` nor `messages`.
        limit: Read the first so many. Defaults to all.

    Raises:
        DataError: If the file cannot be read, has no rows, or a row is not as above. The message names the row.
        ImportError: If the file is Parquet or Arrow and `pyarrow` is not installed.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "prompts.txt")
        >>> _ = file.write_text("Tell me a joke.\nName a bird.\n", encoding="utf-8")
        >>> read_prompts(file, limit=1).prompts
        ['Tell me a joke.']
    """
    prompts: list[Response] = []
    histories: list[list[str]] = []
    for part in parts_of(Path(path)):
        for number, row in islice(part.rows(), None if limit is None else limit - len(prompts)):
            try:
                prompts.append(_prompt(as_row(row), prompt_column))
                histories.append(_history(row.get(_HISTORY)))
            except (DataError, TypeError) as error:
                raise DataError(f"{part.path}, {part.unit} {number}: {error}") from error
    if not prompts:
        raise DataError(f"{path} holds no prompts.")
    return Prompts(prompts, histories)


def _prompt(row: Mapping[str, Any], column: str | None) -> Response:
    wanted = _NAMES if column is None else (column,)
    name = next((name for name in wanted if row.get(name) is not None), None)
    if name is None:
        asked = "`prompt` or `messages`" if column is None else f"{column!r}"
        raise DataError(
            f"no prompt: a row needs {asked}; this one has {names(row)}.{closest(column or 'prompt', row)}"
        )
    prompt: Response = row[name]
    prompt_of(prompt)  # checks it
    return prompt


def _history(value: Any) -> list[str]:  # noqa: ANN401 - whatever a file holds
    if value is None:
        return []
    if is_chat(value):
        return [reply_of([message]) for message in value if message["role"] == "assistant"]
    if isinstance(value, list) and all(isinstance(reply, str) for reply in value):
        return [reply_of(reply) for reply in value]
    raise DataError(f"`history` must be a list of earlier replies or chat messages, got {shown(value)}.")
