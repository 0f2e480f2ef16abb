"""A third file beside the two: what replies as good as they should be would measure, over the same prompts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hfdiv.data import DataError, Records
from hfdiv.diversity import distinct_n, measure
from hfdiv.ngrams import Corpus
from hfdiv.report.comparison import Row
from hfdiv.report.pairing import follow
from hfdiv.report.rows import POOLED_ORDERS, VARIETY, pooled_name
from hfdiv.report.values import column_values, length_values, score_values
from hfdiv.text import TokenizerLike


Floats = NDArray[np.float64]


def align_yardstick(yardstick: Records, prompts: Sequence[str], where: str | None) -> tuple[Records, Records]:
    """Return the yardstick's replies to `prompts`, and those of them that `where` selects.

    A prompt that it lacks has no reply. A yardstick without the column `where` counts in full: replies that people
    wrote have no such column.

    Raises:
        DataError: If the yardstick has no prompts, or none of these.

    Example:
        >>> align_yardstick(Records(["a", "b"], [["x"], ["y"]]), ["b", "c"], None)[0].groups
        [['y'], []]
    """
    if not yardstick.has_prompts:
        raise DataError('The yardstick holds replies without prompts; give each row a "prompt".')
    aligned = follow(yardstick, prompts)
    if not any(aligned.groups):
        raise DataError("The yardstick has no reply to any prompt that both files have: it cannot be set beside them.")
    return aligned, aligned.where(where) if where in aligned.columns else aligned


def equal_yardstick(groups: Sequence[Sequence[str]], measured: Sequence[Sequence[str]]) -> list[list[str]]:
    """Cut the yardstick's groups to the sizes of those measured; one that is too small to compare becomes empty.

    Example:
        >>> equal_yardstick([["a", "b", "c"], ["d"]], [["x", "y"], ["x", "y"]])
        [['a', 'b'], []]
    """
    return [
        list(mine[: len(theirs)]) if len(mine) >= len(theirs) else []
        for mine, theirs in zip(groups, measured, strict=True)
    ]


def with_yardstick(
    rows: Sequence[Row], groups: list[list[str]], records: Records, tokenizer: TokenizerLike
) -> Iterator[Row]:
    """Yield the rows, each with the yardstick's mean over the prompts that the row counts.

    Args:
        rows: Rows of a comparison.
        groups: The yardstick's replies for the diversity rows, one group for each of their prompts.
        records: All its replies, for the quality rows, one group for each of their prompts.
        tokenizer: As for the rows.
    """
    values = _diversity(groups, tokenizer) if any(groups) else {}
    for row in rows:
        if row.kind == "diversity":
            found = values.get(row.name)
        elif row.signature.startswith("length|"):  # by its signature: a column may bear the same name
            found = length_values(records, tokenizer)
        else:
            found = column_values(records, row.name) if row.name in records.columns else None
        yield row if found is None else replace(row, yardstick=_mean(found, row))


def yardstick_notes(groups: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a note if the yardstick could not serve every prompt measured.

    Example:
        >>> [note[:48] for note in yardstick_notes([["a"], []])]
        ['The yardstick has enough replies to 1 of the 2 p']
    """
    if not all(groups):
        yield (
            f"The yardstick has enough replies to {sum(map(bool, groups))} of the {len(groups)} prompts measured; its "
            "diversity is a mean over those, and its pooled measures are left out."
        )


def _diversity(groups: list[list[str]], tokenizer: TokenizerLike) -> dict[str, Floats]:
    corpus = Corpus(groups, tokenizer)
    values = {name: score_values(score, corpus) for name, score in measure(corpus, measures=VARIETY).items()}
    if all(groups):  # pooled measures fall with the size of the pool: only the same prompts compare
        values |= {pooled_name(n): distinct_n(corpus, n, level="corpus").values for n in POOLED_ORDERS}
    return values


def _mean(values: Floats, row: Row) -> float:
    counted = np.array([math.isfinite(before) and math.isfinite(after) for before, after in row.pairs], dtype=bool)
    used = values[counted] if row.pairs else values
    used = used[np.isfinite(used)]
    return float(used.mean()) if len(used) else math.nan
