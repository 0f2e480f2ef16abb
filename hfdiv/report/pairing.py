"""The same prompts on both sides, with as many replies each: what makes two files comparable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hfdiv.data import DataError, Records


@dataclass(frozen=True)
class Pairing:
    """The prompts that both files have.

    Attributes:
        before (`Records`): One file's groups, sorted by prompt.
        after (`Records`): The other file's groups, of the same prompts in the same order.
        file_order (`list[int]`): Positions of the pairs, in the order in which the first file has them.
        only_before (`int`): Prompts left out because the second file lacks them.
        only_after (`int`): Prompts left out because the first file lacks them.
    """

    before: Records
    after: Records
    file_order: list[int]
    only_before: int
    only_after: int


def pair_records(before: Records, after: Records) -> Pairing:
    """Pair groups by the text of their prompt: the k-th of a prompt in one file with its k-th in the other.

    The pairs come sorted by prompt, so that the order of the files changes no number.

    Raises:
        DataError: If the files have no prompt in common.

    Example:
        >>> one, two = Records(["Hi", "Bye"], [["Hello"], ["Ciao"]]), Records(["Bye"], [["Adieu"]])
        >>> pairing = pair_records(one, two)
        >>> pairing.before.groups, pairing.after.groups, pairing.only_before
        ([['Ciao']], [['Adieu']], 1)
    """
    left, right = _numbered(before.prompts), _numbered(after.prompts)
    common = sorted(left.keys() & right.keys())
    if not common:
        raise DataError(
            "The two files have no prompt in common, so nothing can be compared: the first starts with "
            f"{_start(before)} and the second with {_start(after)}. Prompts must be equal to the character."
        )
    order = [left[key] for key in common]
    return Pairing(
        before=_take(before, order),
        after=_take(after, [right[key] for key in common]),
        file_order=sorted(range(len(common)), key=order.__getitem__),
        only_before=len(left) - len(common),
        only_after=len(right) - len(common),
    )


def follow(records: Records, prompts: Sequence[str]) -> Records:
    """Return the groups of `prompts`, in that order; a prompt that `records` lacks has no reply.

    Example:
        >>> follow(Records(["Hi", "Bye"], [["Hello"], ["Ciao"]]), ["Bye", "Yes"]).groups
        [['Ciao'], []]
    """
    mine = _numbered(records.prompts)
    places = [mine.get(key) for key in _numbered(prompts)]
    return Records(
        list(prompts),
        [[] if place is None else records.groups[place] for place in places],
        {
            name: [[] if place is None else values[place] for place in places]
            for name, values in records.columns.items()
        },
    )


def equal_groups(
    before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]
) -> tuple[list[list[str]], list[list[str]]]:
    """Cut both groups of each pair to the first replies, as many as the smaller one has.

    Measures of a set depend on its size: of two groups, the smaller one looks more varied by Distinct-n.

    Example:
        >>> equal_groups([["a", "b", "c"]], [["d", "e"]])
        ([['a', 'b']], [['d', 'e']])
    """
    sizes = [min(len(left), len(right)) for left, right in zip(before, after, strict=True)]
    return (
        [list(group[:size]) for group, size in zip(before, sizes, strict=True)],
        [list(group[:size]) for group, size in zip(after, sizes, strict=True)],
    )


def _numbered(prompts: Sequence[str]) -> dict[tuple[str, int], int]:
    """Position of each group, by its prompt and how often that came before."""
    seen: Counter[str] = Counter()
    positions = {}
    for position, prompt in enumerate(prompts):
        positions[prompt, seen[prompt]] = position
        seen[prompt] += 1
    return positions


def _take(records: Records, positions: Sequence[int]) -> Records:
    return Records(
        [records.prompts[position] for position in positions],
        [records.groups[position] for position in positions],
        {name: [values[position] for position in positions] for name, values in records.columns.items()},
    )


def _start(records: Records) -> str:
    return f"{records.prompts[0]!r:.60}" if records.prompts else "nothing"
