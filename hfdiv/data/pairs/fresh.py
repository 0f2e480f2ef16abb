"""Pairs of a fresh reply and a stale one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hfdiv.data.pairs.candidates import Candidate
from hfdiv.data.pairs.pair import Pair, paired
from hfdiv.similarity import NgramSimilarity, Similarity, similarity_signature
from hfdiv.text import sentences


Scope: TypeAlias = Literal["last_sentence", "response"]
"""What is compared: the last sentences, or the whole replies."""

_BLOCK = 512  # earlier replies compared at a time with those of a group


@dataclass(frozen=True)
class Fresh:
    """A reply that does not repeat the conversation is preferred to one that does, if it is not worse.

    A reply is stale where its last sentence (or all of it) has a similarity above the threshold to that of an earlier
    reply of its conversation. Preferred to it is the best other reply to the same prompt that is not stale *in that
    conversation*, whose quality is known and at least that of the stale one. Equals go by the lower similarity.

    Args:
        threshold: Similarity above which a reply is stale, in [0, 1).
        scope: `"last_sentence"` or `"response"`.
        max_pairs: At most so many pairs a prompt. Defaults to one for each stale reply.
        similarity: How alike two texts are. Defaults to shared words.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> from hfdiv.data.conversations import Reply
        >>> history = ["It is on its way. Anything else?"]
        >>> replies = [Reply(history, "And?", text, {}) for text in ("Done! Anything else?", "Done! Good luck.")]
        >>> (pair,) = Fresh()([Candidate(reply, 1.0) for reply in replies])
        >>> pair.chosen, pair.numbers["rejected_history_similarity"]
        ('Done! Good luck.', 1.0)
    """

    threshold: float = 0.8
    scope: Scope = "last_sentence"
    max_pairs: int | None = None
    similarity: Similarity = field(default_factory=lambda: NgramSimilarity(1))
    columns: ClassVar[tuple[str, ...]] = (
        "chosen_quality",
        "rejected_quality",
        "chosen_history_similarity",
        "rejected_history_similarity",
    )

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise ValueError(f"`threshold` must be at least 0 and below 1, got {self.threshold!r}.")
        if self.scope not in ("last_sentence", "response"):
            raise ValueError(f'`scope` must be "last_sentence" or "response", got {self.scope!r}.')
        if self.max_pairs is not None and self.max_pairs < 1:
            raise ValueError(f"`max_pairs` must be at least 1, got {self.max_pairs!r}.")

    @property
    def signature(self) -> str:
        """Method, threshold, scope and similarity."""
        at_most = "" if self.max_pairs is None else f",pairs={self.max_pairs}"
        return f"fresh,{self.scope}>{self.threshold}{at_most},sim={similarity_signature(self.similarity)}"

    def __call__(self, candidates: list[Candidate]) -> list[Pair] | str:
        """Return a pair for each stale reply to one prompt that has a fresh one, or why there are none."""
        if not any(candidate.reply.history for candidate in candidates):
            return "no history"
        part: Callable[[str], str] = _last_sentence if self.scope == "last_sentence" else str
        texts = [part(candidate.reply.response) for candidate in candidates]
        histories = [tuple(map(part, candidate.reply.history)) for candidate in candidates]
        near = _nearest(texts, histories, self.similarity)
        stale = [row for row in range(len(texts)) if near[histories[row]][row] > self.threshold]
        found = [self._pair(candidates, near[histories[row]], row) for row in stale]
        pairs = [pair for pair in found if pair is not None]
        if not stale:
            return "no stale reply"
        return pairs[: self.max_pairs] or "no fresh reply that is as good"

    def _pair(self, candidates: list[Candidate], near: NDArray[np.float64], stale: int) -> Pair | None:
        floor = candidates[stale].quality
        fresh = [
            row
            for row, candidate in enumerate(candidates)
            if near[row] <= self.threshold
            and not candidate.refused
            and not math.isnan(candidate.quality)
            and not candidate.quality < floor
        ]
        if not fresh:
            return None
        best = max(fresh, key=lambda row: (candidates[row].quality, -near[row]))
        values = (candidates[best].quality, floor, float(near[best]), float(near[stale]))
        return paired(candidates[best].reply, candidates[stale].reply, dict(zip(self.columns, values, strict=True)))


def _nearest(
    texts: Sequence[str], histories: Sequence[tuple[str, ...]], similarity: Similarity
) -> dict[tuple[str, ...], NDArray[np.float64]]:
    """Return for each history the similarity of each text to the nearest of it; NaN where none can be compared."""
    different = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    rows = [different[text] for text in texts]
    near = {history: np.full(len(different), -math.inf) for history in histories}
    holders: dict[str, list[tuple[str, ...]]] = {}
    for history in near:
        for earlier in dict.fromkeys(history):
            holders.setdefault(earlier, []).append(history)
    said = list(holders)
    for start in range(0, len(said), _BLOCK):
        block = said[start : start + _BLOCK]
        found = np.asarray(similarity([*different, *block]))[: len(different), len(different) :]
        found = np.where(np.isnan(found), -math.inf, found)
        for earlier, column in zip(block, found.T, strict=True):
            for history in holders[earlier]:
                np.maximum(near[history], column, out=near[history])
    return {history: np.where(np.isneginf(values), np.nan, values)[rows] for history, values in near.items()}


def _last_sentence(text: str) -> str:
    return (sentences(text) or [""])[-1]
