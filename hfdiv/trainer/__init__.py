"""TRL's trainers with a diversity term. Loaded on first use: `trl` takes seconds to import."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hfdiv._extras import require


if TYPE_CHECKING:
    from hfdiv.trainer.grpo import DiverseGRPOConfig, DiverseGRPOTrainer

_HOMES = {"DiverseGRPOConfig": "hfdiv.trainer.grpo", "DiverseGRPOTrainer": "hfdiv.trainer.grpo"}

__all__ = ["DiverseGRPOConfig", "DiverseGRPOTrainer"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'hfdiv.trainer' has no attribute {name!r}")
    require("trl", "trainer")
    return getattr(importlib.import_module(_HOMES[name]), name)
