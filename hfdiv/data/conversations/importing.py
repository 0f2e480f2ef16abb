"""Logs of conversations to one file of replies, each with what led to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from hfdiv import __version__
from hfdiv.data.conversations.read import Logs, Rejected, line_of
from hfdiv.data.conversations.turns import Reply
from hfdiv.data.duplicates import Duplicates
from hfdiv.data.records import DataError
from hfdiv.data.whole_folder import whole_folder
from hfdiv.text import prompt_text


ROWS, REJECTED, REPORT = "rows.jsonl", "rejected.jsonl", "import.json"

Progress = Callable[[str, int, int], None]
"""Called with the replies written so far in words, and how many bytes of how many are read."""

_OFTEN = 200  # rows from one call of it to the next


@dataclass
class Import:
    """What came of an import.

    Attributes:
        n_rows: Rows in the logs.
        n_replies: Replies written.
        n_duplicates: Rows left out because nearly the same was read before.
        n_rejected: Rows left out because they could not be read.
        columns: How many of the replies written have each column.
    """

    n_rows: int = 0
    n_replies: int = 0
    n_duplicates: int = 0
    n_rejected: int = 0
    columns: Counter[str] = field(default_factory=Counter)


def import_logs(
    paths: Iterable[str | Path],
    output_dir: str | Path,
    *,
    skip_bad: bool = False,
    dedup: float | None = None,
    prompt_column: str | None = None,
    response_column: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Import:
    r"""Write the replies in logs to a folder: `rows.jsonl`, `rejected.jsonl` and `import.json`.

    A row of `rows.jsonl` is `history` (what the assistant said before), `prompt` (the conversation so far, as chat
    messages; a text where the log has texts), `response`, and all that the log says about the reply, with feedback
    under its usual names. Rows are read and written one at a time. The folder appears when all is written; an import
    that fails or is interrupted leaves what was there before.

    Args:
        paths: Files and folders that [`Logs`] reads.
        output_dir: The folder to write.
        skip_bad: Write rows that cannot be read to `rejected.jsonl`, with the reason, and go on. Else the first is an
            error.
        dedup: Leave out a row, a whole conversation or a prompt with its replies, that is nearly the same as one
            before, from this Jaccard similarity on ([`~hfdiv.data.duplicates.Duplicates`]). Defaults to keeping all.
        prompt_column: Name of the column of prompts, where it is not `prompt`.
        response_column: Name of the column of replies, where it has no usual name.
        overwrite: Replace a folder that an import wrote before.
        progress: Called as it goes on.

    Raises:
        DataError: If a file or, without `skip_bad`, a row cannot be read, or there is no reply at all.
        ImportError: If a file or `dedup` needs a package that is not installed.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "log.csv").write_text("prompt,response,stars\nHi,Hello,5\n", encoding="utf-8")
        >>> import_logs([folder / "log.csv"], folder / "out").n_replies
        1
        >>> (folder / "out" / "rows.jsonl").read_text()
        '{"history": [], "prompt": "Hi", "response": "Hello", "rating": 5.0}\n'
    """
    logs = Logs(paths, prompt_column, response_column)
    duplicates = None if dedup is None else Duplicates(dedup)
    done = Import()
    with whole_folder(output_dir, {ROWS, REJECTED, REPORT}, overwrite) as folder:
        with (folder / ROWS).open("w", encoding="utf-8", newline="\n") as rows:
            with (folder / REJECTED).open("w", encoding="utf-8", newline="\n") as rejected:
                for row in logs:
                    if isinstance(row, Rejected):
                        _reject(row, skip_bad, rejected)
                        done.n_rejected += 1
                    elif row and duplicates is not None and duplicates.seen(_whole(row)):
                        done.n_duplicates += 1
                    else:
                        rows.writelines(line_of(reply) + "\n" for reply in row)
                        done.n_replies += len(row)
                        done.columns.update(name for reply in row for name in reply.columns)
                    if progress is not None and logs.n_rows % _OFTEN == 0:
                        progress(f"{done.n_replies:,} replies", logs.position, logs.total_bytes)
        done.n_rows = logs.n_rows
        if not done.n_replies:
            raise DataError(f"There is no reply to import: {done.n_rows} rows, {done.n_rejected} of them unreadable.")
        report = {**vars(done), "dedup": duplicates and duplicates.signature, "hfdiv": __version__}
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return done


def _whole(row: Sequence[Reply]) -> str:
    """Return all that is said in a row: the last prompt holds a conversation but for its last reply."""
    return "\n".join([prompt_text(row[-1].prompt), *(reply.response for reply in row)])


def _reject(row: Rejected, skip_bad: bool, file: IO[str]) -> None:
    place = f"{row.path}, {row.unit} {row.number}"
    if not skip_bad:
        raise DataError(f"{place}: {row.reason} Give `--skip-bad` to leave such rows out and count them.")
    about = {"file": row.path, row.unit: row.number, "reason": row.reason}
    file.write(_dumped({**about, "row": row.content}) or _dumped({**about, "row": None}))
    file.write("\n")


def _dumped(value: dict[str, Any]) -> str:
    """Return JSON in plain ASCII, so that half characters are kept, too; "" where it cannot be written."""
    try:
        return json.dumps(value, default=str)
    except (ValueError, RecursionError):
        return ""
