"""Tasks as a table for spreadsheet programs, which must never take a reply for a formula."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from hfdiv.data.annotation.answers import Answer
from hfdiv.data.annotation.tasks import TaskSet, shown_names
from hfdiv.data.files import CsvPart, TsvPart
from hfdiv.data.records import DataError


_GUARDED = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
_ANSWER = {"pairwise": "preference", "rating": "rating"}


class _SemicolonPart(CsvPart):
    """What spreadsheet programs save as CSV where the comma marks decimals."""

    delimiter = ";"


def guard(text: str) -> str:
    """Prefix a text that a spreadsheet program could run as a formula with an apostrophe.

    The characters are those of OWASP's page on CSV injection, and the apostrophe itself, so that [`unguard`] gives
    back exactly the text.

    Example:
        >>> guard("=1+1"), guard("1+1"), unguard(guard("'tis"))
        ("'=1+1", '1+1', "'tis")
    """
    return "'" + text if text.startswith(_GUARDED) else text


def unguard(text: str) -> str:
    """Take away the apostrophe that [`guard`] put."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_GUARDED) else text


def sheet(tasks: TaskSet) -> str:
    r"""Return the tasks as CSV with columns for the answer (`preference` or `rating`) and the `annotator`.

    The text starts with a byte order mark, without which spreadsheet programs misread Chinese. The character NUL,
    which they cannot hold, becomes U+FFFD.

    Example:
        >>> print(sheet(TaskSet("pairwise", "Which?", 0, [])).removeprefix("\ufeff"), end="")
        "task","prompt","left","right","preference","annotator"
    """
    columns = ["task", "prompt", *shown_names(2 if tasks.kind == "pairwise" else 1)]
    table = StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator="\n")  # a bare `;` may part cells, too
    writer.writerow([*columns, _ANSWER[tasks.kind], "annotator"])
    for task in tasks.tasks:
        shown = task.shown
        writer.writerow([*(guard(shown[name].replace("\0", "\ufffd")) for name in columns), "", ""])
    return "\ufeff" + table.getvalue()


def sheet_answers(path: Path, tasks: TaskSet) -> list[Answer]:
    """Read the answers of a filled table; rows without one are skipped.

    Only `task` and the answer's column are needed. Where the texts are still there, they must be those of the task:
    somebody may have sorted one column and not the others.

    Raises:
        DataError: If a column is missing, or a row's texts are not those of its task.
    """
    shown = {task.id: task.shown for task in tasks.tasks}
    column = _ANSWER[tasks.kind]
    answers = []
    for line, row in _part(path).rows():
        place = f"{path}, line {line}"
        for name in ("task", column):
            if name not in row:
                raise DataError(f"{place}: there is no column {name!r}; the columns are {sorted(row)[:20]}.")
        value = row[column].strip()
        if not value:
            continue
        task = row["task"].strip()
        for name, text in shown.get(task, {}).items():
            if name in row and _words(unguard(row[name])) != _words(text):
                raise DataError(
                    f"{place}: the column {name!r} does not hold the text of task {task}: was one column sorted "
                    "without the others? If a program only changed the texts, delete their columns."
                )
        answers.append(Answer(task, unguard(row.get("annotator", "")).strip(), value.lower(), place))
    return answers


def _part(path: Path) -> CsvPart:
    if path.suffix.lower() == ".tsv":
        return TsvPart(path)
    part = CsvPart(path)
    with part.reading(), path.open("rb") as file:
        head = file.readline(4096)
    return _SemicolonPart(path) if head.count(b";") > head.count(b",") else part


def _words(text: str) -> list[str]:
    """What is left of a text when a program has changed its line ends."""
    return text.replace("\0", "\ufffd").split()
