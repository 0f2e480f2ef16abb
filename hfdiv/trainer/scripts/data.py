"""The datasets that a recipe names: files, folders, or names on the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset, DatasetDict, IterableDatasetDict, load_dataset

from hfdiv.trainer.scripts.arguments import RunArguments


BUILDERS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
"""Local files, by the `datasets` builder that reads them."""


def load(name: str | None, script: RunArguments, argument: str) -> DatasetDict | IterableDatasetDict:
    """Load a dataset by the path of its file or folder, or by its name on the Hub.

    Args:
        name: What the recipe says.
        script: Its arguments.
        argument: Name of the argument that says so.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is no name, or the dataset has no such config.
    """
    if name is None:
        raise ValueError(f"There is no data: give `{argument}`, a file or the name of a dataset on the Hub.")
    path = Path(name)
    if path.suffix in BUILDERS:
        if not path.is_file():
            raise FileNotFoundError(f"`{argument}`: there is no file {name}.")
        return load_dataset(BUILDERS[path.suffix], data_files=str(path), streaming=script.dataset_streaming)
    return load_dataset(name, name=script.dataset_config, streaming=script.dataset_streaming)


def split_of(data: DatasetDict | IterableDatasetDict, split: str) -> Dataset:
    """Return a split.

    Raises:
        ValueError: If there is none of this name.
    """
    if split not in data:
        raise ValueError(f"The dataset has no split {split!r}; it has {sorted(data)}.")
    return data[split]


def with_prompts(rows: Dataset, column: str) -> Dataset:
    """Return rows with their prompts in the column `prompt`.

    Raises:
        ValueError: If they have no column of that name.
    """
    columns = rows.column_names
    if column not in columns:
        raise ValueError(
            f"The dataset has no column {column!r} of prompts; its columns are {columns}. Name yours with "
            "`prompt_column`."
        )
    if column == "prompt":
        return rows
    if "prompt" in columns:
        rows = rows.remove_columns("prompt")
    return rows.rename_column(column, "prompt")


def check_columns(rows: Dataset, choices: Sequence[Sequence[str]], what: str) -> None:
    """Refuse rows that have the columns of none of the choices.

    Raises:
        ValueError: With the columns that there are.
    """
    columns = rows.column_names
    if columns is not None and not any(set(choice) <= set(columns) for choice in choices):
        wanted = " or ".join(" and ".join(f"`{name}`" for name in choice) for choice in choices)
        raise ValueError(f"The dataset has no {what}: it needs {wanted}; its columns are {columns}.")
