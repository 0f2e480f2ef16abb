"""Which of more replies to keep: good ones that differ, and those with a fault only for want of others."""

from __future__ import annotations

from collections.abc import Sequence

from hfdiv.selection import Method, select


def choose(
    responses: Sequence[str],
    k: int,
    method: Method = "mmr",
    quality: Sequence[float] | None = None,
    faults: Sequence[int] | None = None,
) -> list[int]:
    """Choose k replies of n: from those with the least faults first, and among equals as [`~hfdiv.selection.select`].

    Args:
        responses: The replies.
        k: How many to keep; all, where there are no more.
        method: As for [`~hfdiv.selection.select`].
        quality: `(n,)`, higher = better, as for [`~hfdiv.selection.select`].
        faults: `(n,)`, how bad it is to keep each, 0 = not at all: that it was cut off, say. Defaults to 0 for all.

    Returns:
        Places, in the order of choice.

    Example:
        >>> choose(["Yes, of course.", "Yes, of course!", "Let me"], k=2, faults=[0, 0, 1])
        [0, 1]
    """
    faults = [0] * len(responses) if faults is None else faults
    kept: list[int] = []
    for fault in sorted(set(faults)):
        places = [place for place, own in enumerate(faults) if own == fault]
        if wanted := min(k - len(kept), len(places)):
            among = None if quality is None else [quality[place] for place in places]
            chosen = select([responses[place] for place in places], wanted, method, quality=among)
            kept += [places[choice] for choice in chosen]
    return kept
