"""hfdiv: measure, train for and decode with diversity, inside the Hugging Face stack.

Public names are loaded on first use, so that `import hfdiv` loads neither torch nor transformers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


__version__ = "0.1.0"

_HOMES = {
    "Accumulator": "hfdiv.diversity",
    "CacheConfig": "hfdiv.data.cache",
    "DecodingConfig": "hfdiv.generation",
    "DiverseCPOConfig": "hfdiv.trainer",
    "DiverseCPOTrainer": "hfdiv.trainer",
    "DiverseDPOConfig": "hfdiv.trainer",
    "DiverseDPOTrainer": "hfdiv.trainer",
    "DiverseGRPOConfig": "hfdiv.trainer",
    "DiverseGRPOTrainer": "hfdiv.trainer",
    "DiverseORPOConfig": "hfdiv.trainer",
    "DiverseORPOTrainer": "hfdiv.trainer",
    "DiverseRLOOConfig": "hfdiv.trainer",
    "DiverseRLOOTrainer": "hfdiv.trainer",
    "DiversityCallback": "hfdiv.trainer",
    "ResponseCache": "hfdiv.data.cache",
    "Score": "hfdiv.diversity",
    "chamfer": "hfdiv.diversity",
    "class_entropy": "hfdiv.diversity",
    "compression_ratio": "hfdiv.diversity",
    "coverage": "hfdiv.diversity",
    "distinct_k": "hfdiv.diversity",
    "distinct_n": "hfdiv.diversity",
    "expectation_adjusted_distinct": "hfdiv.diversity",
    "generate_replies": "hfdiv.generation",
    "hdd": "hfdiv.diversity",
    "homogenization": "hfdiv.diversity",
    "load_rewards": "hfdiv.rewards",
    "log_determinant": "hfdiv.diversity",
    "mean_pairwise_distance": "hfdiv.diversity",
    "measure": "hfdiv.diversity",
    "metric_path": "hfdiv.hub",
    "mtld": "hfdiv.diversity",
    "ngram_diversity": "hfdiv.diversity",
    "ngram_entropy": "hfdiv.diversity",
    "pairwise_bleu": "hfdiv.diversity",
    "register_reward": "hfdiv.rewards",
    "remote_clique": "hfdiv.diversity",
    "repetition_rate": "hfdiv.diversity",
    "response_length": "hfdiv.diversity",
    "select": "hfdiv.selection",
    "self_bleu": "hfdiv.diversity.self_bleu",
    "self_repetition": "hfdiv.diversity",
    "sentence_length": "hfdiv.diversity",
    "seq_rep_n": "hfdiv.diversity",
    "simctg_diversity": "hfdiv.diversity",
    "type_token_ratio": "hfdiv.diversity",
    "unique_n": "hfdiv.diversity",
    "utility_k": "hfdiv.diversity",
    "vendi_score": "hfdiv.diversity",
}

if TYPE_CHECKING:
    from hfdiv.data.cache import CacheConfig, ResponseCache
    from hfdiv.diversity import (
        Accumulator,
        Score,
        chamfer,
        class_entropy,
        compression_ratio,
        coverage,
        distinct_k,
        distinct_n,
        expectation_adjusted_distinct,
        hdd,
        homogenization,
        log_determinant,
        mean_pairwise_distance,
        measure,
        mtld,
        ngram_diversity,
        ngram_entropy,
        pairwise_bleu,
        remote_clique,
        repetition_rate,
        response_length,
        self_repetition,
        sentence_length,
        seq_rep_n,
        simctg_diversity,
        type_token_ratio,
        unique_n,
        utility_k,
        vendi_score,
    )
    from hfdiv.diversity.self_bleu import self_bleu
    from hfdiv.generation import DecodingConfig, generate_replies
    from hfdiv.hub import metric_path
    from hfdiv.rewards import load_rewards, register_reward
    from hfdiv.selection import select
    from hfdiv.trainer import (
        DiverseCPOConfig,
        DiverseCPOTrainer,
        DiverseDPOConfig,
        DiverseDPOTrainer,
        DiverseGRPOConfig,
        DiverseGRPOTrainer,
        DiverseORPOConfig,
        DiverseORPOTrainer,
        DiverseRLOOConfig,
        DiverseRLOOTrainer,
        DiversityCallback,
    )

__all__ = [
    "Accumulator",
    "CacheConfig",
    "DecodingConfig",
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
    "ResponseCache",
    "Score",
    "__version__",
    "chamfer",
    "class_entropy",
    "compression_ratio",
    "coverage",
    "distinct_k",
    "distinct_n",
    "expectation_adjusted_distinct",
    "generate_replies",
    "hdd",
    "homogenization",
    "load_rewards",
    "log_determinant",
    "mean_pairwise_distance",
    "measure",
    "metric_path",
    "mtld",
    "ngram_diversity",
    "ngram_entropy",
    "pairwise_bleu",
    "register_reward",
    "remote_clique",
    "repetition_rate",
    "response_length",
    "select",
    "self_bleu",
    "self_repetition",
    "sentence_length",
    "seq_rep_n",
    "simctg_diversity",
    "type_token_ratio",
    "unique_n",
    "utility_k",
    "vendi_score",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'hfdiv' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
