"""A JSON file that somebody may have touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hfdiv.data.records import DataError


def load_json(path: str | Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what the file holds.

    Raises:
        DataError: If it cannot be read, is not UTF-8 or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: byte {error.start} is invalid; save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}.") from error
