"""The folder that an export makes: tasks for three tools, and the key."""

from __future__ import annotations

from pathlib import Path

from hfdiv.data.annotation.key import read_key, write_key
from hfdiv.data.annotation.label_studio import label_studio_config, label_studio_tasks
from hfdiv.data.annotation.page import page
from hfdiv.data.annotation.sheet import sheet
from hfdiv.data.annotation.tasks import TaskSet
from hfdiv.data.records import DataError
from hfdiv.data.write import write_whole


def write_tasks(tasks: TaskSet, output_dir: str | Path, *, overwrite: bool = False) -> dict[str, Path]:
    """Write the tasks for every tool, each file whole or not at all, and the key first.

    Args:
        tasks: The tasks.
        output_dir: Folder, made if it is not there.
        overwrite: Replace the key of another export, without which answers to that cannot be read.

    Returns:
        Paths by name: `key` (key.json), `page` (annotate.html), `csv` (tasks.csv), `label_studio` (tasks.json) and
        `config` (labeling.xml).

    Raises:
        DataError: If the folder holds the key of another export.
        OSError: If a file cannot be written.
    """
    folder = Path(output_dir)
    names = {
        "key": "key.json",
        "page": "annotate.html",
        "csv": "tasks.csv",
        "label_studio": "tasks.json",
        "config": "labeling.xml",
    }
    paths = {name: folder / file for name, file in names.items()}
    if paths["key"].exists() and not overwrite and read_key(paths["key"]).id != tasks.id:
        raise DataError(
            f"{paths['key']} is the key of another export, and answers to that need it. Give another folder, or "
            "`--overwrite` if nobody is to answer it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_key(paths["key"], tasks)
    texts = {
        "page": page(tasks),
        "csv": sheet(tasks),
        "label_studio": label_studio_tasks(tasks) + "\n",
        "config": label_studio_config(tasks),
    }
    for name, text in texts.items():
        write_whole(paths[name], [text])
    return paths
