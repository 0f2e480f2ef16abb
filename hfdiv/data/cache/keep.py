"""Which answers to a prompt are kept: good ones that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from hfdiv.data.cache.config import CacheConfig
from hfdiv.data.cache.key import sentence_hash
from hfdiv.selection import Method, select
from hfdiv.similarity import Similarity


@dataclass(frozen=True)
class Added:
    """What came of an answer that was offered to a cache. True where it is stored.

    Attributes:
        kept: Whether it is stored.
        reason: Why, or why not; the numbers of this answer stand in brackets at the end.
    """

    kept: bool
    reason: str

    def __bool__(self) -> bool:
        return self.kept


class Stored(NamedTuple):
    """An answer that is in the cache."""

    id: int
    sentence: int
    quality: float
    text: str


class Verdict(NamedTuple):
    """What is to be done about an answer that is offered.

    Attributes:
        kept: Whether it is to be stored.
        reason: Why, or why not.
        dropped: Ids of the answers that make room for it; its own, where it was stored and is not good enough now.
        same: Id of the answer that is the same sentence already.
    """

    kept: bool
    reason: str
    dropped: tuple[int, ...] = ()
    same: int | None = None


def judge(
    stored: Sequence[Stored], text: str, quality: float | None, config: CacheConfig, similarity: Similarity
) -> Verdict:
    """Decide about an answer to a prompt whose answers `stored` are.

    It must reach the least quality; one that is stored, and does no more, is dropped. Of answers that are too alike,
    the better stays, and of equals the first. Of more than k that differ, `config.method` chooses k
    ([`~hfdiv.selection.select`]).

    Raises:
        ValueError: If `config.min_quality` is set and there is no quality, or the similarity returns another shape.

    Example:
        >>> from hfdiv.similarity import NgramSimilarity
        >>> stored = [Stored(7, sentence_hash("I am so sorry."), 0.5, "I am so sorry.")]
        >>> judge(stored, "I am so sorry!", 0.4, CacheConfig(), NgramSimilarity()).reason
        'too like one that is stored (0.60)'
        >>> judge(stored, "I am so sorry!", 0.6, CacheConfig(), NgramSimilarity()).dropped
        (7,)
    """
    if config.min_quality is not None and quality is None:
        raise ValueError(f"`min_quality` is {config.min_quality:g}, so that each answer needs a `quality`: give it.")
    worth = 0.0 if quality is None else quality
    if not text.strip():
        return Verdict(False, "it is empty")
    sentence = sentence_hash(text)
    same = [answer.id for answer in stored if answer.sentence == sentence]
    if config.min_quality is not None and worth < config.min_quality:
        return Verdict(False, f"its quality is below {config.min_quality:g} ({worth:g})", tuple(same))
    if same:
        return Verdict(True, "it was stored already", same=same[0])
    return _among(stored, text, worth, config, similarity) if stored else Verdict(True, "it is the first")


def _among(
    stored: Sequence[Stored], text: str, quality: float, config: CacheConfig, similarity: Similarity
) -> Verdict:
    alike = _kernel([*(answer.text for answer in stored), text], similarity)
    nearest = np.maximum(alike[-1, :-1], alike[:-1, -1])
    copies = [answer for answer, near in zip(stored, nearest, strict=True) if near >= config.max_similarity]
    if any(answer.quality >= quality for answer in copies):
        return Verdict(False, f"too like one that is stored ({nearest.max():.2f})")
    if copies:
        return Verdict(True, "it is better than its copies", tuple(answer.id for answer in copies))
    room = max(config.k, len(stored))  # a process of a smaller k removes nothing of what others keep
    if len(stored) < room:
        return Verdict(True, "it is different")
    texts = [*(answer.text for answer in stored), text]
    chosen = select(
        texts,
        room,
        cast("Method", config.method),
        lambda _: alike,
        [*(answer.quality for answer in stored), quality],
        config.trade_off,
    )
    (left_out,) = set(range(room + 1)) - set(chosen)
    if left_out == room:
        return Verdict(False, f"{room} better or more different ones are stored")
    return Verdict(True, "it is better or more different than another", (stored[left_out].id,))


def _kernel(texts: Sequence[str], similarity: Similarity) -> NDArray[np.float64]:
    """Return the similarities of texts; those that cannot be compared, such as single words, count as different."""
    kernel = np.asarray(similarity(texts), dtype=np.float64)
    if kernel.shape != (len(texts), len(texts)):
        raise ValueError(f"The similarity must return ({len(texts)}, {len(texts)}), got {kernel.shape}.")
    kernel = np.nan_to_num(kernel, nan=0.0)
    np.fill_diagonal(kernel, 1.0)
    return kernel
