"""The log of an experiment: one row a conversation, appended by the service while it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hfdiv.ab.row import read_row
from hfdiv.data import DataError


def log_conversation(
    path: str | Path,
    *,
    experiment: str,
    arm: str | None,
    unit_id: str | int,
    conversation_id: str | int,
    messages: Sequence[Mapping[str, Any]] | None = None,
    time: str | float | None = None,
    **feedback: Any,  # noqa: ANN401 - whatever JSON holds
) -> None:
    """Append a conversation to a log, whole or not at all.

    Several processes and threads may append to one file. A process that is killed leaves all rows that were appended
    before; what it wrote of a last one is cut off by whoever appends next. The row is with the operating system when
    this returns: it outlives the process, not a power cut.

    Args:
        path: The log, JSON Lines. Made if it is not there; its folder must be.
        experiment: Name of the experiment.
        arm: What [`~hfdiv.ab.assign`] said; `None` for a unit that takes no part.
        unit_id: Who was assigned: the user, as a rule.
        conversation_id: Tells the conversations of a unit apart.
        messages: The conversation, `{"role": ..., "content": ...}` each, perhaps with feedback on that reply.
        time: When it began: ISO 8601, or seconds since 1970. Defaults to now.
        feedback: `turns`, `dwell_time` (seconds), `click`, `abandoned`, `rating`, and any other column.

    Raises:
        DataError: If the row could not be read back.
        OSError: If the file cannot be written.
        ImportError: Where the system has no `fcntl`, as on Windows.

    Example:
        >>> import tempfile
        >>> log = Path(tempfile.mkdtemp(), "log.jsonl")
        >>> log_conversation(log, experiment="endings", arm="control", unit_id="u1", conversation_id="c1",
        ...     time="2025-03-01T09:00:00Z", dwell_time=41.5, abandoned=False)
        >>> print(log.read_text(), end="")
        {"experiment": "endings", "arm": "control", "unit_id": "u1", "conversation_id": "c1", \
"time": "2025-03-01T09:00:00Z", "dwell_time": 41.5, "abandoned": false}
    """
    row = {
        "experiment": experiment,
        "arm": arm,
        "unit_id": unit_id,
        "conversation_id": conversation_id,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds") if time is None else time,
        **({} if messages is None else {"messages": list(messages)}),
        **feedback,
    }
    read_row(row)
    try:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False)
        line.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise DataError(f"The row cannot be written as JSON: {error}.") from error
    append_line(path, line)


def append_line(path: str | Path, line: str) -> None:
    r"""Append a line to a file while no one else does; cut off what was not written to its end before.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "log.jsonl")
        >>> _ = file.write_text('{"a": 1}\n{"a":')
        >>> append_line(file, '{"a": 2}')
        >>> file.read_text()
        '{"a": 1}\n{"a": 2}\n'
    """
    import fcntl

    data = line.encode("utf-8") + b"\n"
    with open(path, "a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # freed when the file is closed, also by a kill
        end = _end_of_whole_lines(file)
        if end != file.seek(0, os.SEEK_END):
            file.truncate(end)
        elif end and not _ends_line(file, end):
            data = b"\n" + data
        written = 0
        while written < len(data):
            written += file.write(data[written:]) or 0


def _ends_line(file: Any, end: int) -> bool:  # noqa: ANN401 - a raw file
    file.seek(end - 1)
    return bool(file.read(1) == b"\n")


def _end_of_whole_lines(file: Any) -> int:  # noqa: ANN401 - a raw file
    """Return where the last whole line ends. A last line without its end is whole if it is JSON: an editor left it."""
    end: int = file.seek(0, os.SEEK_END)
    if not end or _ends_line(file, end):
        return end
    start, tail = end, b""
    while start and b"\n" not in tail:
        step = min(start, 1 << 16)
        start -= step
        file.seek(start)
        tail = file.read(step) + tail
    last = tail.rpartition(b"\n")[2]
    try:
        json.loads(last)
    except ValueError:
        return end - len(last)
    return end
