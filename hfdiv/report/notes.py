"""What a reader of a comparison must know: what was left out, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from hfdiv.report.comparison import FEWEST_PROMPTS
from hfdiv.report.pairing import Pairing


Groups = list[list[str]]


def write_notes(
    pairing: Pairing,
    selected: tuple[Groups, Groups],
    measured: tuple[Groups, Groups],
    where: str | None,
    names: Sequence[str],
) -> Iterator[str]:
    """Yield the notes; one that would say nothing is not written.

    Args:
        pairing: The prompts in common.
        selected: Replies that `where` selected, on each side.
        measured: Those that were left when groups were cut to equal size.
        where: Column of the selection.
        names: What the sides are called.

    Example:
        >>> from hfdiv.data import Records
        >>> from hfdiv.report.pairing import pair_records
        >>> pairing = pair_records(Records(["p"], [["a", "b"]]), Records(["p"], [["c"]]))
        >>> notes = write_notes(pairing, ([["a", "b"]], [["c"]]), ([["a"]], [["c"]]), None, ("old", "new"))
        >>> [note[-43:] for note in notes][1]
        " left out for that: 1 in 'old', 0 in 'new'."
    """
    yield from _notes_on_prompts(pairing, measured[0], names)
    totals = pairing.before.n_responses, pairing.after.n_responses
    kept = [sum(map(len, groups)) for groups in selected]
    if where is not None:
        yield (
            f"Diversity is measured on the replies whose {where!r} is true: {_each(kept, names, totals)}. "
            "Quality and length are means over all replies."
        )
    cut = [count - sum(map(len, groups)) for count, groups in zip(kept, measured, strict=True)]
    if any(cut):
        yield (
            "Measures of a set depend on its size, so both groups of a prompt are cut to the size of the smaller one; "
            f"left out for that: {_each(cut, names)}."
        )
    yield from _notes_on_columns(pairing, names)


def _notes_on_prompts(pairing: Pairing, measured: Groups, names: Sequence[str]) -> Iterator[str]:
    lonely = pairing.only_before, pairing.only_after
    if any(lonely):
        yield f"Prompts left out because only one file has them: {_each(lonely, names)}."
    n_silent = sum(not group for group in measured)
    if n_silent:
        yield f"Prompts left out of the diversity measures because a side has no reply to measure: {n_silent}."
    if len(measured) - n_silent < FEWEST_PROMPTS:
        yield (
            f"There are only {len(measured) - n_silent} prompts to measure. Below {FEWEST_PROMPTS}, even if every one "
            "moves the same way that can be chance, so no change is called clear and the intervals are too narrow."
        )


def _notes_on_columns(pairing: Pairing, names: Sequence[str]) -> Iterator[str]:
    sides = pairing.before.columns, pairing.after.columns
    for name, mine, theirs in zip(names, sides, reversed(sides), strict=True):
        alone = [column for column in mine if column not in theirs]
        if alone:
            yield f"Columns left out because only {name!r} has them: {', '.join(map(repr, alone))}."
    for column in (column for column in sides[0] if column in sides[1]):
        n_infinite = [sum(math.isinf(value) for values in side[column] for value in values) for side in sides]
        if any(n_infinite):
            yield f"Infinite values left out of the means of {column!r}: {_each(n_infinite, names)}."


def _each(counts: Sequence[int], names: Sequence[str], totals: Sequence[int] | None = None) -> str:
    """`3 of 8 'before', 5 of 8 'after'`."""
    shown = [str(count) for count in counts]
    if totals is not None:
        shown = [f"{count} of {total}" for count, total in zip(counts, totals, strict=True)]
    return ", ".join(f"{count} in {name!r}" for count, name in zip(shown, names, strict=True))
