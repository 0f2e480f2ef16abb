"""From a [`~hfdiv.generation.DecodingConfig`] to its logits processors, in the order in which they must run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from hfdiv.generation.end import pad_id, special_ids
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
    breaker_ids,
)
from hfdiv.generation.processors.history import ending


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from hfdiv.generation.config import DecodingConfig, Histories


def chain(
    config: DecodingConfig,
    tokenizer: PreTrainedTokenizerBase,
    histories: Histories | None,
    amateur: PreTrainedModel | None,
    end_ids: Collection[int],
) -> LogitsProcessorList:
    """Return the processors that `config` asks for; see [`~hfdiv.generation.DecodingConfig.processors`]."""
    ends = frozenset(end_ids) | special_ids(tokenizer)
    pad = pad_id(tokenizer)
    return LogitsProcessorList(
        [
            *_repetition(config, tokenizer, ends, pad),
            *_across_replies(config, tokenizer, ends, histories),
            *_contrast(config, amateur, pad),
            *_truncation(config, tokenizer, ends),
            *_arithmetic(config),
        ]
    )


@lru_cache(maxsize=8)
def _breakers(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], n_tokens: int) -> frozenset[int]:
    """Decode the whole vocabulary once, not for each batch. `n_tokens` tells when tokens were added."""
    return breaker_ids(tokenizer, texts)


def _repetition(
    config: DecodingConfig, tokenizer: PreTrainedTokenizerBase, ends: frozenset[int], pad: int
) -> Iterator[LogitsProcessor]:
    if config.repetition_penalty != 1:
        # transformers' own counts the padding of a batch as text in some of its versions.
        window = 1 << 40 if config.repetition_window is None else config.repetition_window
        yield WindowedRepetitionPenaltyLogitsProcessor(config.repetition_penalty, window, pad)
    if config.no_repeat_ngram_size:
        yield NoRepeatNGramLogitsProcessor(config.no_repeat_ngram_size)
    if config.frequency_penalty or config.presence_penalty:
        yield FrequencyPresencePenaltyLogitsProcessor(config.frequency_penalty, config.presence_penalty)
    if config.dry_multiplier:
        yield DRYLogitsProcessor(
            config.dry_multiplier,
            config.dry_base,
            config.dry_allowed_length,
            _breakers(tokenizer, DRY_BREAKERS, len(tokenizer)) | ends,
            pad_token_id=pad,
        )
    if config.lz_strength:
        yield LZPenaltyLogitsProcessor(config.lz_strength, pad_token_id=pad)


def _across_replies(
    config: DecodingConfig,
    tokenizer: PreTrainedTokenizerBase,
    ends: frozenset[int],
    histories: Histories | None,
) -> Iterator[LogitsProcessor]:
    if config.history_multiplier:
        if histories is None:
            raise ValueError(
                "`history_multiplier` is set, so `histories` must hold the earlier replies of each conversation: "
                "an empty list for one that has none."
            )
        # How an earlier reply closed is told from where the sentence before it ends: no sentence end breaks that.
        closing = config.history_scope == "ending"
        breakers = frozenset() if closing else _breakers(tokenizer, SENTENCE_ENDS, len(tokenizer))
        yield HistoryPenaltyLogitsProcessor(
            [[_ids(reply, tokenizer, closing) for reply in replies] for replies in histories],
            config.history_multiplier,
            config.history_base,
            config.history_allowed_length,
            breakers | ends,
        )
    if config.sibling_multiplier:
        yield SiblingPenaltyLogitsProcessor(
            config.num_return_sequences,
            config.sibling_multiplier,
            config.sibling_base,
            config.sibling_allowed_length,
            ends,
        )


def _ids(reply: str | Sequence[int], tokenizer: PreTrainedTokenizerBase, closing: bool) -> Sequence[int]:
    if closing:
        reply = ending(reply if isinstance(reply, str) else tokenizer.decode(reply, skip_special_tokens=True))
    if isinstance(reply, str):
        ids: list[int] = tokenizer(reply, add_special_tokens=False)["input_ids"]
        return ids
    return reply


def _contrast(config: DecodingConfig, amateur: PreTrainedModel | None, pad: int) -> Iterator[LogitsProcessor]:
    if (config.amateur is None) != (amateur is None):
        missing = "model" if amateur is None else "name"
        raise ValueError(
            f"The {missing} of the amateur is missing: `config.amateur` and the loaded `amateur` come together, see "
            "`DecodingConfig.load_amateur`."
        )
    if amateur is not None:
        yield ContrastiveDecodingLogitsProcessor(amateur, config.amateur_weight, config.amateur_plausibility, pad)


def _truncation(
    config: DecodingConfig, tokenizer: PreTrainedTokenizerBase, ends: frozenset[int]
) -> Iterator[LogitsProcessor]:
    if config.top_n_sigma is not None:
        yield TopNSigmaLogitsProcessor(config.top_n_sigma)
    if config.xtc_probability:
        protected = _breakers(tokenizer, ("\n",), len(tokenizer)) | ends
        yield XTCLogitsProcessor(config.xtc_probability, config.xtc_threshold, protected, config.seed)


def _arithmetic(config: DecodingConfig) -> Iterator[LogitsProcessor]:
    if not config.arithmetic_sampling:
        return
    # It takes the token itself, so what transformers would do after it is done before, in transformers' order.
    if config.temperature != 1:
        yield TemperatureLogitsWarper(float(config.temperature))
    if config.top_k:
        yield TopKLogitsWarper(config.top_k)
    if config.top_p < 1:
        yield TopPLogitsWarper(float(config.top_p))
    if config.min_p:
        yield MinPLogitsWarper(float(config.min_p))
    yield ArithmeticSamplingLogitsProcessor(config.num_return_sequences, seed=config.seed)
