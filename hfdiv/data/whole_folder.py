"""To a folder, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from hfdiv.data.records import DataError


@contextlib.contextmanager
def whole_folder(path: str | Path, names: Collection[str], overwrite: bool = False) -> Iterator[Path]:
    """Give a folder to write into that takes its place at `path` when all went well, and is deleted otherwise.

    Args:
        path: Where the folder is to be: nothing, an empty folder, or with `overwrite` one written so before.
        names: Names of the files that may be in it. A folder with any other is never replaced.
        overwrite: Replace a folder that holds such files.

    Raises:
        DataError: If something stands at `path` that must not be replaced.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp(), "out")
        >>> with whole_folder(target, {"a.txt"}) as folder:
        ...     _ = (folder / "a.txt").write_text("whole")
        ...     target.exists()
        False
        >>> (target / "a.txt").read_text()
        'whole'
    """
    target = Path(path).resolve()
    _check(target, names, overwrite)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        _replace(target, unfinished)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check(target: Path, names: Collection[str], overwrite: bool) -> None:
    if target.exists() and not target.is_dir():
        raise DataError(f"{target} is a file: give a folder.")
    inside = sorted(entry.name for entry in target.iterdir()) if target.exists() else []
    others = [name for name in inside if name not in names]
    if others:
        raise DataError(f"{target} holds {others[:5]}, which this command does not write: give another folder.")
    if inside and not overwrite:
        raise DataError(f"{target} holds {inside[:5]}: give another folder, or replace it with `--overwrite`.")


def _replace(target: Path, unfinished: Path) -> None:
    if not target.exists():
        unfinished.rename(target)
        return
    before = target.with_name(f".{target.name}.{os.getpid()}.old")
    target.rename(before)
    try:
        unfinished.rename(target)
    except BaseException:
        before.rename(target)
        raise
    shutil.rmtree(before, ignore_errors=True)
