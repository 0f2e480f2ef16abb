"""Optional dependencies: an import that, when it fails, says which extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra of hfdiv brings it.

    Raises:
        ImportError: If the module is not installed.

    Example:
        >>> require("json", "data").__name__
        'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise  # the module is there and something that it needs is not: its own message says more
        raise ImportError(
            f'`{module}` is needed here and is not installed. Install it with: pip install "hfdiv[{extra}]"'
        ) from error
