"""Pairs by quality and by distance to the other replies: DivPO, and ratings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hfdiv.data.pairs.candidates import Candidate
from hfdiv.data.pairs.pair import Pair, paired
from hfdiv.diversity import novelty
from hfdiv.similarity import NgramSimilarity, Similarity, similarity_signature


_COLUMNS = ("chosen_quality", "rejected_quality", "chosen_diversity", "rejected_diversity")


class _Placed:
    """A candidate with its diversity in its group."""

    def __init__(self, candidate: Candidate, diversity: float) -> None:
        self.candidate = candidate
        self.quality = candidate.quality
        self.diversity = diversity

    def is_over(self, other: _Placed, min_gap: float) -> bool:
        """Tell whether this is another text than the other, and better by the gap."""
        gap = self.quality - other.quality
        return gap > 0 and gap >= min_gap and self.candidate.reply.response != other.candidate.reply.response

    def over(self, other: _Placed) -> Pair:
        """Return the pair in which this is preferred to another."""
        values = (self.quality, other.quality, self.diversity, other.diversity)
        return paired(self.candidate.reply, other.candidate.reply, dict(zip(_COLUMNS, values, strict=True)))


@dataclass(frozen=True)
class DivPO:
    """The most diverse of the good replies to a prompt is preferred to the least diverse of the bad ones.

    From *Diverse Preference Optimization* (Lanchantin et al., 2025, https://huggingface.co/papers/2501.18101). A
    reply's diversity is its mean distance to the others of its group ([`~hfdiv.diversity.novelty`]). The pools are
    those above and below thresholds of quality, or the best and the worst share ρ. A further pair takes the next of
    both pools; a bad reply that is the same text, or not worse, is passed over. Equals go by quality, and then by the
    order given.

    Args:
        rho: Share of the replies in each pool, in (0, 0.5], at least one reply.
        good: Lowest quality in the good pool. With it, `rho` is not used.
        bad: Quality below which a reply is in the bad pool. Defaults to `good`.
        max_pairs: At most so many pairs a prompt.
        similarity: How alike two replies are. Defaults to shared bigrams. A reply that cannot be compared is in no
            pool.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> from hfdiv.data.conversations import Reply
        >>> texts = {"So sorry about that.": 1, "So sorry about this.": 1, "Which order is it?": 5, "So sorry!": 5}
        >>> (pair,) = DivPO(rho=0.5)([Candidate(Reply([], "Late!", text, {}), q) for text, q in texts.items()])
        >>> pair.chosen, pair.rejected
        ('Which order is it?', 'So sorry about that.')
    """

    rho: float = 0.25
    good: float | None = None
    bad: float | None = None
    max_pairs: int = 1
    similarity: Similarity = field(default_factory=NgramSimilarity)
    columns: ClassVar[tuple[str, ...]] = _COLUMNS

    def __post_init__(self) -> None:
        if not 0 < self.rho <= 0.5:
            raise ValueError(f"`rho` must be above 0 and at most 0.5, got {self.rho!r}.")
        if self.bad is not None and (self.good is None or self.bad > self.good):
            raise ValueError(f"`bad` must come with a `good` of at least as much, got {self.bad!r} and {self.good!r}.")
        check_max_pairs(self.max_pairs)

    @property
    def signature(self) -> str:
        """Method, pools and similarity."""
        pools = f"rho={self.rho}" if self.good is None else f"good>={self.good:g},bad<{self._worst_good:g}"
        return f"divpo,{pools},pairs={self.max_pairs},sim={similarity_signature(self.similarity)}"

    @property
    def _worst_good(self) -> float:
        return math.inf if self.good is None else self.good if self.bad is None else self.bad

    def __call__(self, candidates: list[Candidate]) -> list[Pair] | str:
        """Return at most `max_pairs` pairs of replies to one prompt, or why there are none."""
        if len(candidates) < 2:
            return "one reply only"
        placed = _with_diversity(candidates, self.similarity)
        if len(placed) < 2:
            return "fewer than two replies of known quality that can be compared"
        good, bad = self._pools(placed)
        good = [reply for reply in good if not reply.candidate.refused]
        if not good or not bad:
            return "no good reply" if not good else "no bad reply"
        good.sort(key=lambda reply: (-reply.diversity, -reply.quality))
        bad.sort(key=lambda reply: (reply.diversity, reply.quality))
        return _matched(good, bad, self.max_pairs, 0.0) or "no difference in quality"

    def _pools(self, placed: list[_Placed]) -> tuple[list[_Placed], list[_Placed]]:
        if self.good is not None:
            good = [reply for reply in placed if reply.quality >= self.good]
            return good, [reply for reply in placed if reply.quality < self._worst_good]
        size = max(int(self.rho * len(placed)), 1)
        ordered = sorted(placed, key=lambda reply: -reply.quality)
        return ordered[:size], ordered[-size:]


@dataclass(frozen=True)
class Rated:
    """A reply that people rated higher is preferred to one that they rated lower.

    The best is paired with the worst, the next best with the worst of the rest, and so on while the gap is wide
    enough. Of equals, the more diverse is taken as the better and the less diverse as the worse.

    Args:
        min_gap: Least difference in rating, above 0.
        max_pairs: At most so many pairs a prompt.
        similarity: How alike two replies are, for diversity. Defaults to shared bigrams.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> from hfdiv.data.conversations import Reply
        >>> rated = {"Hello there": 5, "What?": 1}
        >>> (pair,) = Rated()([Candidate(Reply([], "Hi", text, {}), rating) for text, rating in rated.items()])
        >>> pair.chosen
        'Hello there'
    """

    min_gap: float = 1.0
    max_pairs: int = 1
    similarity: Similarity = field(default_factory=NgramSimilarity)
    columns: ClassVar[tuple[str, ...]] = _COLUMNS

    def __post_init__(self) -> None:
        if not self.min_gap > 0:
            raise ValueError(f"`min_gap` must be above 0, got {self.min_gap!r}.")
        check_max_pairs(self.max_pairs)

    @property
    def signature(self) -> str:
        """Method, gap and similarity."""
        return f"ratings,gap>={self.min_gap:g},pairs={self.max_pairs},sim={similarity_signature(self.similarity)}"

    def __call__(self, candidates: list[Candidate]) -> list[Pair] | str:
        """Return at most `max_pairs` pairs of replies to one prompt, or why there are none."""
        if len(candidates) < 2:
            return "one reply only"
        placed = _with_diversity(candidates, self.similarity, all_rated=True)
        if len(placed) < 2:
            return "fewer than two rated replies"
        good = [reply for reply in placed if not reply.candidate.refused]
        good.sort(key=lambda reply: (-reply.quality, -_or_zero(reply.diversity)))
        bad = sorted(placed, key=lambda reply: (reply.quality, _or_zero(reply.diversity)))
        pairs = _matched(good, bad, self.max_pairs, self.min_gap)
        return pairs or ("no rating is far enough above another" if good else "no good reply")


def check_max_pairs(n: int) -> None:
    """Refuse a number of pairs below 1."""
    if n < 1:
        raise ValueError(f"`max_pairs` must be at least 1, got {n!r}.")


def _matched(good: list[_Placed], bad: list[_Placed], max_pairs: int, min_gap: float) -> list[Pair]:
    """Return pairs of each of the good, in order, and the first of the bad left that is another text and worse."""
    left = list(bad)
    pairs: list[Pair] = []
    for above in good:
        if len(pairs) == max_pairs:
            break
        below = next((each for each in left if above.is_over(each, min_gap)), None)
        if below is not None:
            left.remove(below)
            pairs.append(above.over(below))
    return pairs


def _with_diversity(candidates: Sequence[Candidate], similarity: Similarity, all_rated: bool = False) -> list[_Placed]:
    """Return the candidates whose quality is known, with their diversity among all; `all_rated` keeps NaN in it."""
    values = novelty(np.asarray(similarity([candidate.reply.response for candidate in candidates])))
    return [
        _Placed(candidate, float(value))
        for candidate, value in zip(candidates, values, strict=True)
        if not math.isnan(candidate.quality) and (all_rated or not math.isnan(value))
    ]


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
