"""How varied is what each arm replied?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hfdiv.ab.row import Conversation
from hfdiv.diversity import Level, Score, distinct_n, measure
from hfdiv.diversity.suite import HIGHER_IS_LESS_VARIED
from hfdiv.ngrams import Corpus
from hfdiv.report.comparison import FEWEST_PROMPTS
from hfdiv.report.pooled import pooled_distinct
from hfdiv.report.rows import pooled_name
from hfdiv.report.significance import Estimate, paired_bootstrap
from hfdiv.report.values import score_values
from hfdiv.text import TokenizerLike


WITHIN = ("distinct_n", "self_bleu", "response_length")
"""Measured in the first two replies that a unit got."""

_SHOWN = ("distinct_1", "distinct_2", "self_bleu_2", "response_length")
_POOLED = (1, 2)


@dataclass(frozen=True)
class VarietyRow:
    """One measure of diversity of an arm's replies, beside the control's.

    Attributes:
        name (`str`): The measure.
        level (`str`): What one number is computed over: all units' first replies, or the replies to one unit.
        arm (`str`): The arm.
        control (`Estimate`): The control's value.
        treatment (`Estimate`): The arm's value.
        difference (`Estimate`): Arm − control.
        n_units (`int`): Units of the smaller arm that are counted.
        signature (`str`): What it takes to reproduce the numbers.
        less_varied (`bool`): Whether higher means less varied.
    """

    name: str
    level: Level
    arm: str
    control: Estimate
    treatment: Estimate
    difference: Estimate
    n_units: int
    signature: str
    less_varied: bool

    @property
    def change(self) -> str:
        """What the interval of the difference says."""
        if math.isnan(self.difference.value):
            return "undefined"
        if self.n_units < FEWEST_PROMPTS or not self.difference.excludes_zero:
            return "no clear change"
        rose = self.difference.value > 0
        if self.name == "response_length":
            return "longer" if rose else "shorter"
        return "more varied" if rose != self.less_varied else "less varied"

    def to_dict(self) -> dict[str, Any]:
        """Return the row ready for JSON."""
        estimates = {name: getattr(self, name).to_dict() for name in ("control", "treatment", "difference")}
        return {**vars(self), **estimates, "change": self.change}


Texts = Mapping[str, Sequence[Conversation]]


def variety_rows(
    control: Texts, treatment: Texts, arm: str, tokenizer: TokenizerLike, *, n_resamples: int, seed: int
) -> Iterator[VarietyRow]:
    """Yield what the replies of an arm measure, beside those of the control.

    Pooled Distinct-n is over the first reply that each unit got, for as many units of both arms, because it falls with
    the size of the pool; what comes first cannot depend on how long a user stays. The others are means over units of
    the first two replies that a unit got. Intervals resample units, in each arm by itself, and that of the difference
    puts the two together (MOVER: *Construction of confidence limits about effect measures*, Zou and Donner, 2008).

    Args:
        control: The control's conversations by unit, in the order of a draw.
        treatment: The arm's.
        arm: Its name.
        tokenizer: What a token is.
        n_resamples: Draws of the bootstrap.
        seed: Seed of the draws.
    """
    options = {"n_resamples": n_resamples, "seed": seed}
    sides = [_replies(texts) for texts in (control, treatment)]
    n = min(map(len, sides))
    if n:
        first = [Corpus([replies[:1] for replies in side[:n]], tokenizer) for side in sides]
        for order in _POOLED:
            estimates = [pooled_distinct(corpus, corpus, order, **options).before for corpus in first]
            score = distinct_n(first[0], order, level="corpus")
            yield _row(pooled_name(order), score, arm, estimates, n, "replies:first")
    pairs = [[replies[:2] for replies in side if len(replies) >= 2] for side in sides]
    if not all(pairs):
        return
    corpora = [Corpus(side, tokenizer) for side in pairs]
    scores = [measure(corpus, measures=WITHIN) for corpus in corpora]
    for name in _SHOWN:
        values = [score_values(score[name], corpus) for score, corpus in zip(scores, corpora, strict=True)]
        means = [paired_bootstrap(value, value, **options) for value in values]
        smaller = min(mean.n_counted for mean in means)
        yield _row(name, scores[0][name], arm, [mean.before for mean in means], smaller, "replies:first2|mean:unit")


def difference_of(one: Estimate, other: Estimate) -> Estimate:
    """Return other − one, with an interval put together from those of the two, which are independent.

    Example:
        >>> difference_of(Estimate(0.5, 0.4, 0.6), Estimate(0.75, 0.65, 0.85)).excludes_zero
        True
    """
    value = other.value - one.value
    low = value - math.hypot(other.value - other.low, one.high - one.value)
    high = value + math.hypot(other.high - other.value, one.value - one.low)
    return Estimate(value, low, high)


def _replies(texts: Texts) -> list[list[str]]:
    """Return the replies that each unit got, oldest first, of those that got any."""
    found = [[reply for talk in talks for reply in talk.replies] for talks in texts.values()]
    return [replies for replies in found if replies]


def _row(name: str, score: Score, arm: str, estimates: Sequence[Estimate], n: int, which: str) -> VarietyRow:
    return VarietyRow(
        name=name,
        level=score.level,
        arm=arm,
        control=estimates[0],
        treatment=estimates[1],
        difference=difference_of(*estimates),
        n_units=n,
        signature=f"{score.signature}|{which}",
        less_varied=name.startswith(HIGHER_IS_LESS_VARIED),
    )
