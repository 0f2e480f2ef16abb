"""Something from a Python file of the user's own, by the path that the user gave."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from hfdiv.rewards.form import nearest


def load_from_file(path: str | Path, name: str) -> Any:  # noqa: ANN401 - whatever the file defines
    """Run a Python file, once a process, and return what it defines under `name`.

    Args:
        path: The file, from the working directory.
        name: Name of a function, class or object in it.

    Raises:
        ImportError: If there is no such file, it fails, or it defines no such name.
    """
    module = _module(Path(path))
    if not hasattr(module, name):
        own = [known for known, value in vars(module).items() if callable(value) and not known.startswith("_")]
        raise ImportError(f"{path} defines no {name!r}. {nearest(name, own)}")
    return getattr(module, name)


def _module(path: Path) -> ModuleType:
    whole = path.resolve()
    if not whole.is_file():
        raise ImportError(f"There is no file {str(path)!r} in {str(Path.cwd())!r}.")
    name = f"hfdiv_user_{whole.stem}_{hashlib.sha256(str(whole).encode()).hexdigest()[:8]}"
    if name in sys.modules:  # a second function of the same file
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None:
        raise ImportError(f"{str(path)!r} is no Python file: its name must end in .py.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]  # so that the next attempt runs the mended file
        if not isinstance(error, Exception):
            raise
        said = f"{type(error).__name__}: {error}"
        raise ImportError(f"{path}, line {_line(error, whole)}, could not be run: {said}") from error
    return module


def _line(error: Exception, path: Path) -> int | str:
    """Return the line of a file in which an error arose."""
    if isinstance(error, SyntaxError):
        return error.lineno or "?"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return (lines or [None])[-1] or "?"
