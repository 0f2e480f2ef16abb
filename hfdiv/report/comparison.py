"""What a comparison found: rows of numbers with a verdict each, notes, and replies to read."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from hfdiv.diversity import Level
from hfdiv.report.significance import Estimate


Verdict: TypeAlias = Literal["up", "down", "unclear"]
"""Where the number went, as far as the interval of the difference tells."""

FEWEST_PROMPTS = 6
"""With fewer prompts, all of them moving the same way is chance more than 5 times in 100 (2 · ½⁵ = 6%)."""


@dataclass(frozen=True)
class Row:
    """One measure or one quality column, before and after.

    Attributes:
        kind (`str`): `"diversity"` or `"quality"`.
        name (`str`): Measure and order, such as `distinct_2`, or the name of the column.
        level (`str`): What one number is computed over before averaging: `"corpus"` (all replies pooled), `"group"`
            (the replies to a prompt) or `"response"`.
        before (`Estimate`): Over the prompts counted.
        after (`Estimate`): Over the same prompts.
        difference (`Estimate`): After − before.
        n_counted (`int`): Prompts defined on both sides.
        signature (`str`): What it takes to reproduce the two numbers.
        less_varied (`bool`): Whether a higher number means less varied (self-BLEU and seq-rep).
        pairs (`tuple[tuple[float, float], ...]`): Before and after of each prompt, NaN where undefined; empty for a
            pooled measure.
        yardstick (`float`): Mean of a third file's replies over the same prompts; NaN where there is none.

    Example:
        >>> flat = Estimate(0.5, 0.4, 0.6)
        >>> row = Row("diversity", "self_bleu_4", "group", flat, flat, Estimate(-0.2, -0.3, -0.1), 16, "", True)
        >>> row.verdict, row.change
        ('down', 'more varied')
    """

    kind: Literal["diversity", "quality"]
    name: str
    level: Level
    before: Estimate
    after: Estimate
    difference: Estimate
    n_counted: int
    signature: str
    less_varied: bool = False
    pairs: tuple[tuple[float, float], ...] = field(default=(), repr=False, compare=False)
    yardstick: float = math.nan

    @property
    def verdict(self) -> Verdict:
        """`"up"` or `"down"` where the interval of the difference excludes 0 over enough prompts to mean it."""
        if self.n_counted < FEWEST_PROMPTS or not self.difference.excludes_zero:
            return "unclear"
        return "up" if self.difference.low > 0 else "down"

    @property
    def change(self) -> str:
        """The verdict in words, which claim no more than the interval does."""
        if math.isnan(self.difference.value):
            return "undefined"
        if self.n_counted < FEWEST_PROMPTS:
            return "too few prompts to tell"
        if self.verdict == "unclear":
            return "no clear change"
        if self.kind == "quality":
            return "higher" if self.verdict == "up" else "lower"
        return "more varied" if (self.verdict == "up") != self.less_varied else "less varied"

    def to_dict(self) -> dict[str, Any]:
        """Return the row ready for JSON: all but `pairs`, with `None` for what is undefined."""
        return {
            "kind": self.kind,
            "name": self.name,
            "level": self.level,
            "less_varied": self.less_varied,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "difference": self.difference.to_dict(),
            "yardstick": self.yardstick if math.isfinite(self.yardstick) else None,
            "n_counted": self.n_counted,
            "verdict": self.verdict,
            "change": self.change,
            "signature": self.signature,
        }


@dataclass(frozen=True)
class Sample:
    """One prompt with the replies that were measured.

    Attributes:
        prompt (`str`): The prompt.
        before (`list[str]`): Replies before.
        after (`list[str]`): Replies after, as many.
    """

    prompt: str
    before: list[str]
    after: list[str]


@dataclass(frozen=True)
class Comparison:
    """Two sets of replies to the same prompts, compared.

    Attributes:
        names (`tuple[str, str]`): What to call the two sides.
        rows (`list[Row]`): Diversity measures, then quality columns.
        notes (`list[str]`): What was left out, and what else a reader must know.
        samples (`list[Sample]`): Prompts spread evenly over the first file, never picked by their numbers.
        counts (`dict[str, int]`): Prompts and replies: in common, left out, measured.
        settings (`dict[str, Any]`): Tokenizer, selection, and the bootstrap's resamples, confidence and seed.

    Example:
        >>> Comparison(("a", "b"), [], ["one note"], [], {"prompts": 2}).to_dict()["notes"]
        ['one note']
    """

    names: tuple[str, str]
    rows: list[Row]
    notes: list[str]
    samples: list[Sample]
    counts: dict[str, int]
    settings: dict[str, Any] = field(default_factory=dict)

    def rows_of(self, kind: Literal["diversity", "quality"]) -> list[Row]:
        """Return the rows of one kind, in order."""
        return [row for row in self.rows if row.kind == kind]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as strict JSON can hold it: numbers that are undefined are `None`."""
        return {
            "names": list(self.names),
            "counts": dict(self.counts),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "rows": [row.to_dict() for row in self.rows],
            "samples": [asdict(sample) for sample in self.samples],
        }
