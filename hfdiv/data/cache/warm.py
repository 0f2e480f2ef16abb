"""Replies in files to answers in a cache: it serves from the first request on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from hfdiv.data.cache.cache import ResponseCache
from hfdiv.data.conversations import Logs, Rejected, Reply
from hfdiv.data.conversations.feedback import as_number
from hfdiv.data.entry import shown
from hfdiv.data.records import DataError


def warm(
    cache: ResponseCache,
    paths: Iterable[str | Path],
    *,
    quality_column: str | None = None,
    where: str | None = None,
    skip_bad: bool = False,
    prompt_column: str | None = None,
    response_column: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Counter[str]:
    r"""Offer all replies in files to a cache; return what came of them, and of how many.

    A row is a prompt and a reply or a list of them, as `hfdiv generate` and `hfdiv cache export` write them, or a
    conversation: all that [`~hfdiv.data.conversations.Logs`] reads. Answers are stored as they are read: what an
    interrupted run stored stays, and to run it again does no harm.

    Args:
        cache: The cache.
        paths: Files and folders.
        quality_column: Column of numbers, higher = better. A reply without one is left out.
        where: Offer only replies whose column of this name is true, such as `finished`.
        skip_bad: Go on after a row that cannot be read. Else the first is an error.
        prompt_column: Name of the column of prompts, where it is not `prompt`.
        response_column: Name of the column of replies, where it has no usual name.
        progress: Called with the bytes read so far and in all.

    Raises:
        DataError: If a file or a row cannot be read, or no reply has a named column.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "replies.jsonl").write_text('{"prompt": "Hi", "responses": ["Hello!", "hello!"]}\n')
        >>> warm(ResponseCache(folder / "answers.db", "demo"), [folder / "replies.jsonl"])
        Counter({'it is the first': 1, 'it was stored already': 1})
    """
    logs = Logs(paths, prompt_column, response_column)
    done: Counter[str] = Counter()
    seen: set[str] = set()
    for row in logs:
        if not isinstance(row, Rejected):
            for reply in row:
                seen.update(reply.columns)
                done[_offer(cache, reply, quality_column, where)] += 1
        elif skip_bad:
            done["its row cannot be read"] += 1
        else:
            raise DataError(f"{row.path}, {row.unit} {row.number}: {row.reason}")
        if progress is not None:
            progress(logs.position, logs.total_bytes)
    for name in (quality_column, where):
        if name is not None and name not in seen:
            raise DataError(f"No reply has a column {name!r}; the columns are {sorted(seen)}.")
    return done


def _offer(cache: ResponseCache, reply: Reply, quality_column: str | None, where: str | None) -> str:
    """Offer a reply, and return what came of it."""
    quality = None
    if where is not None and not _is_true(where, reply.columns.get(where)):
        return f"`{where}` is not true"
    if quality_column is not None:
        quality = as_number(reply.columns.get(quality_column))
        if not math.isfinite(quality):
            return f"no `{quality_column}`"
    return cache.add(reply.prompt, reply.response, quality=quality).reason.partition(" (")[0]


def _is_true(name: str, value: object) -> bool:
    """Tell whether a value is true; in CSV it is a word."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in _TRUTHS:
            raise DataError(f"`{name}` must be true or false, got {shown(value)}.")
        return _TRUTHS[word]
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


_TRUTHS = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}
