"""A file of answers, whichever tool wrote it."""

from __future__ import annotations

from pathlib import Path

from hfdiv.data.annotation.answers import Answer
from hfdiv.data.annotation.json_file import load_json
from hfdiv.data.annotation.label_studio import label_studio_answers
from hfdiv.data.annotation.page import page_answers
from hfdiv.data.annotation.sheet import sheet_answers
from hfdiv.data.annotation.tasks import TaskSet


def read_answers(path: str | Path, tasks: TaskSet) -> list[Answer]:
    """Read a file of answers: CSV or TSV, Label Studio's JSON export, or what the HTML page saved.

    An answer without a name is that of an annotator called like the file, without its suffix.

    Raises:
        DataError: If the file is none of these, cannot be read, or answers other tasks.
    """
    path = Path(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        answers = sheet_answers(path, tasks)
    else:
        content = load_json(path)
        if isinstance(content, list):
            answers = label_studio_answers(content, path, tasks)
        else:
            answers = page_answers(content, path, tasks)
    return [answer if answer.annotator else answer._replace(annotator=path.stem) for answer in answers]
