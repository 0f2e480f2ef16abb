"""TRL's trainers with a diversity term. Loaded on first use: `trl` takes seconds to import."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hfdiv._extras import require


if TYPE_CHECKING:
    from hfdiv.trainer.cpo import DiverseCPOConfig, DiverseCPOTrainer
    from hfdiv.trainer.dpo import DiverseDPOConfig, DiverseDPOTrainer
    from hfdiv.trainer.grpo import DiverseGRPOConfig, DiverseGRPOTrainer
    from hfdiv.trainer.orpo import DiverseORPOConfig, DiverseORPOTrainer
    from hfdiv.trainer.rloo import DiverseRLOOConfig, DiverseRLOOTrainer
    from hfdiv.trainer.target import DiversityTargetCallback, TargetController
    from hfdiv.trainer.watch import DiversityCallback

_HOMES = {
    "DiverseCPOConfig": "hfdiv.trainer.cpo",
    "DiverseCPOTrainer": "hfdiv.trainer.cpo",
    "DiverseDPOConfig": "hfdiv.trainer.dpo",
    "DiverseDPOTrainer": "hfdiv.trainer.dpo",
    "DiverseGRPOConfig": "hfdiv.trainer.grpo",
    "DiverseGRPOTrainer": "hfdiv.trainer.grpo",
    "DiverseORPOConfig": "hfdiv.trainer.orpo",
    "DiverseORPOTrainer": "hfdiv.trainer.orpo",
    "DiverseRLOOConfig": "hfdiv.trainer.rloo",
    "DiverseRLOOTrainer": "hfdiv.trainer.rloo",
    "DiversityCallback": "hfdiv.trainer.watch",
    "DiversityTargetCallback": "hfdiv.trainer.target",
    "TargetController": "hfdiv.trainer.target",
}

__all__ = [
    "DiverseCPOConfig",
    "DiverseCPOTrainer",
    "DiverseDPOConfig",
    "DiverseDPOTrainer",
    "DiverseGRPOConfig",
    "DiverseGRPOTrainer",
    "DiverseORPOConfig",
    "DiverseORPOTrainer",
    "DiverseRLOOConfig",
    "DiverseRLOOTrainer",
    "DiversityCallback",
    "DiversityTargetCallback",
    "TargetController",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'hfdiv.trainer' has no attribute {name!r}")
    require("trl", "trainer")
    return getattr(importlib.import_module(_HOMES[name]), name)
