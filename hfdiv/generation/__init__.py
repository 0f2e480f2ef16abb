"""Which token next? Sampling, logits processors and decoding strategies for `model.generate`.

Names are loaded on first use: the processors need torch and transformers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


_PROCESSORS = (
    "DRY_BREAKERS",
    "SENTENCE_ENDS",
    "ArithmeticSamplingLogitsProcessor",
    "ContrastiveDecodingLogitsProcessor",
    "DRYLogitsProcessor",
    "FrequencyPresencePenaltyLogitsProcessor",
    "HistoryPenaltyLogitsProcessor",
    "LZPenaltyLogitsProcessor",
    "SiblingPenaltyLogitsProcessor",
    "TopNSigmaLogitsProcessor",
    "WindowedRepetitionPenaltyLogitsProcessor",
    "XTCLogitsProcessor",
    "assistant_replies",
    "breaker_ids",
    "check_same_vocabulary",
)
_HOMES = dict.fromkeys(_PROCESSORS, "hfdiv.generation.processors") | {
    "DecodingConfig": "hfdiv.generation.config",
    "Replies": "hfdiv.generation.replies",
    "Sampled": "hfdiv.generation.sampling",
    "VerbalizedFormatError": "hfdiv.generation.verbalized",
    "VerbalizedReplies": "hfdiv.generation.verbalized",
    "VerbalizedSampling": "hfdiv.generation.verbalized",
    "contrastive_search": "hfdiv.generation.contrastive",
    "generate_replies": "hfdiv.generation.replies",
    "mean_log_probabilities": "hfdiv.generation.log_probability",
    "sample": "hfdiv.generation.sampling",
}

if TYPE_CHECKING:
    from hfdiv.generation.config import DecodingConfig
    from hfdiv.generation.contrastive import contrastive_search
    from hfdiv.generation.log_probability import mean_log_probabilities
    from hfdiv.generation.processors import (
        DRY_BREAKERS,
        SENTENCE_ENDS,
        ArithmeticSamplingLogitsProcessor,
        ContrastiveDecodingLogitsProcessor,
        DRYLogitsProcessor,
        FrequencyPresencePenaltyLogitsProcessor,
        HistoryPenaltyLogitsProcessor,
        LZPenaltyLogitsProcessor,
        SiblingPenaltyLogitsProcessor,
        TopNSigmaLogitsProcessor,
        WindowedRepetitionPenaltyLogitsProcessor,
        XTCLogitsProcessor,
        assistant_replies,
        breaker_ids,
        check_same_vocabulary,
    )
    from hfdiv.generation.replies import Replies, generate_replies
    from hfdiv.generation.sampling import Sampled, sample
    from hfdiv.generation.verbalized import VerbalizedFormatError, VerbalizedReplies, VerbalizedSampling

__all__ = [
    "DRY_BREAKERS",
    "SENTENCE_ENDS",
    "ArithmeticSamplingLogitsProcessor",
    "ContrastiveDecodingLogitsProcessor",
    "DRYLogitsProcessor",
    "DecodingConfig",
    "FrequencyPresencePenaltyLogitsProcessor",
    "HistoryPenaltyLogitsProcessor",
    "LZPenaltyLogitsProcessor",
    "Replies",
    "Sampled",
    "SiblingPenaltyLogitsProcessor",
    "TopNSigmaLogitsProcessor",
    "VerbalizedFormatError",
    "VerbalizedReplies",
    "VerbalizedSampling",
    "WindowedRepetitionPenaltyLogitsProcessor",
    "XTCLogitsProcessor",
    "assistant_replies",
    "breaker_ids",
    "check_same_vocabulary",
    "contrastive_search",
    "generate_replies",
    "mean_log_probabilities",
    "sample",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name not in _HOMES:
        raise AttributeError(f"module 'hfdiv.generation' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
