"""hfdiv: measure, train for and decode with diversity, inside the Hugging Face stack.

Public names are loaded on first use, so that `import hfdiv` loads neither torch nor transformers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


__version__ = "0.1.0"

_HOMES = {
    "DiverseGRPOConfig": "hfdiv.trainer",
    "DiverseGRPOTrainer": "hfdiv.trainer",
    "Score": "hfdiv.diversity",
    "distinct_n": "hfdiv.diversity",
    "measure": "hfdiv.diversity",
    "ngram_entropy": "hfdiv.diversity",
    "self_bleu": "hfdiv.diversity.self_bleu",
    "seq_rep_n": "hfdiv.diversity",
}

if TYPE_CHECKING:
    from hfdiv.diversity import Score, distinct_n, measure, ngram_entropy, seq_rep_n
    from hfdiv.diversity.self_bleu import self_bleu
    from hfdiv.trainer import DiverseGRPOConfig, DiverseGRPOTrainer

__all__ = [
    "DiverseGRPOConfig",
    "DiverseGRPOTrainer",
    "Score",
    "__version__",
    "distinct_n",
    "measure",
    "ngram_entropy",
    "self_bleu",
    "seq_rep_n",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'hfdiv' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
