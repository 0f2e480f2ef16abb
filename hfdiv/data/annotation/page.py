"""One HTML page to annotate with: it opens offline, loads nothing, and saves to a file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

from hfdiv.data.annotation.answers import Answer
from hfdiv.data.annotation.tasks import TaskSet
from hfdiv.data.records import DataError


_FORMAT = "hfdiv-annotations-1"
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(tasks: TaskSet) -> str:
    """Return the page.

    Its policy allows one script and one style, by their hashes, and no request. Texts travel as JSON in which no
    character can end the element that holds them, and the script shows them as text and never as HTML.

    Example:
        >>> html = page(TaskSet("rating", "</script><b>How good?", 5, []))
        >>> "</script><b>" in html, "How good?" in html
        (False, True)
    """
    style, script = _file("page.css"), _file("page.js")
    parts = {
        "POLICY": f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'",
        "STYLE": style,
        "DATA": _embedded(
            {
                "format": _FORMAT,
                "set": tasks.id,
                "kind": tasks.kind,
                "question": tasks.question,
                "scale": tasks.scale,
                "tasks": [task.shown for task in tasks.tasks],
            }
        ),
        "SCRIPT": script,
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda match: parts[match[1]], _file("page.html"))


def page_answers(content: Any, path: Path, tasks: TaskSet) -> list[Answer]:  # noqa: ANN401 - whatever the file holds
    """Read the answers that the page saved.

    Raises:
        DataError: If it is no such file, or that of another export.
    """
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DataError(
            f"{path} holds no answers: it must be CSV, Label Studio's export in the format "
            '"JSON", or what the page `annotate.html` saved.'
        )
    if content.get("set") != tasks.id:
        raise DataError(f"{path} answers the tasks of another export. Give the key of the same export.")
    annotator = str(content.get("annotator", "")).strip()
    answers = []
    items = content.get("answers")
    if not isinstance(items, list):
        raise DataError(f"{path}: `answers` must be a list, got {type(items).__name__}.")
    for number, item in enumerate(items, start=1):
        place = f"{path}, answer {number}"
        try:
            task, value = item["task"], item["answer"]
        except (KeyError, TypeError) as error:
            raise DataError(f"{place}: not an answer with its `task` and `answer` ({error!r}).") from error
        answers.append(Answer(str(task), annotator, str(value), place))
    return answers


def _file(name: str) -> str:
    return resources.files("hfdiv.data.annotation").joinpath(name).read_text("utf-8")


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _embedded(content: dict[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False)
    return re.sub("[<>&\u2028\u2029]", lambda match: _ESCAPES[match[0]], text)
