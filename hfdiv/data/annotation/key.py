"""The key: what the annotators must not see, and all that is needed to read their answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hfdiv.data.annotation.json_file import load_json
from hfdiv.data.annotation.tasks import Reply, Task, TaskSet, named
from hfdiv.data.records import DataError
from hfdiv.data.write import write_whole


_FORMAT = "hfdiv-annotation-key-1"


def write_key(path: str | Path, tasks: TaskSet) -> None:
    """Write the key as JSON, whole or not at all.

    Example:
        >>> import tempfile
        >>> from hfdiv.data import Records
        >>> from hfdiv.data.annotation import rating_tasks
        >>> tasks = rating_tasks([Records(["Hi"], [["Hello", "Hey"]])], ["replies.jsonl"])
        >>> file = Path(tempfile.mkdtemp(), "key.json")
        >>> write_key(file, tasks)
        >>> read_key(file) == tasks
        True
    """
    content = {
        "format": _FORMAT,
        "set": tasks.id,
        "kind": tasks.kind,
        "question": tasks.question,
        "scale": tasks.scale,
        "tasks": [
            {
                "task": task.id,
                "prompt": task.prompt,
                "swapped": task.swapped,
                "replies": [
                    {"text": reply.text, "source": reply.source, "numbers": reply.numbers} for reply in task.replies
                ],
            }
            for task in tasks.tasks
        ],
    }
    write_whole(path, [json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False), "\n"])


def read_key(path: str | Path) -> TaskSet:
    """Read a key.

    Raises:
        DataError: If the file cannot be read, is no key, or was changed since it was written.
    """
    content = load_json(path)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise DataError(f"{path} is not a key that `hfdiv annotate export` wrote: it is called `key.json`.")
    try:
        tasks = TaskSet(
            content["kind"], content["question"], content["scale"], [_task(task) for task in content["tasks"]]
        )
        whole = tasks.id == content["set"] and named(tasks.tasks) == tasks.tasks
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: the key is damaged ({error!r}). Take the file as it was written.") from error
    if not whole:
        raise DataError(f"{path}: the key was changed: its tasks are not those it was written with.")
    return tasks


def _task(content: dict[str, Any]) -> Task:
    replies = tuple(Reply(reply["text"], reply["source"], reply["numbers"]) for reply in content["replies"])
    return Task(content["task"], content["prompt"], replies, content["swapped"])
