"""Compare two files of replies: the same prompts, equal groups, quality beside diversity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hfdiv import __version__
from hfdiv.data import DataError, Records
from hfdiv.ngrams import Corpus
from hfdiv.report.comparison import Comparison, Sample
from hfdiv.report.notes import write_notes
from hfdiv.report.pairing import Pairing, equal_groups, pair_records
from hfdiv.report.rows import diversity_rows, quality_rows
from hfdiv.report.significance import CONFIDENCE, N_RESAMPLES, check_bootstrap
from hfdiv.report.yardstick import align_yardstick, equal_yardstick, with_yardstick, yardstick_notes
from hfdiv.text import Tokenizer, TokenizerLike, get_tokenizer


Groups = list[list[str]]


def compare(
    before: Records,
    after: Records,
    *,
    names: tuple[str, str] = ("before", "after"),
    tokenizer: TokenizerLike = "mixed",
    where: str | None = None,
    yardstick: Records | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    n_samples: int = 8,
) -> Comparison:
    """Compare two sets of replies to the same prompts.

    Diversity is measured on the replies that `where` selects, cut to groups of equal size; quality (every column
    that both files have, and the length) is a mean over *all* replies, so that a selection cannot hide its price.
    Each row has a 95% interval from a paired bootstrap over prompts.

    Args:
        before: One file's replies.
        after: The other's. Prompts that only one of them has are left out and counted in a note.
        names: What to call the two sides.
        tokenizer: As in [`~hfdiv.diversity.distinct_n`].
        where: Column whose value must be true for a reply to count for diversity, such as `"finished"`.
        yardstick: Replies as good as they should be, to the same prompts: their numbers are shown beside. Prompts that
            it lacks, or has too few replies to, are left out of its means and counted in a note.
        n_resamples: Draws of the bootstrap, at least 1.
        seed: Seed of the draws.
        n_samples: Prompts to show with their replies, at least 0.

    Raises:
        DataError: If a file has no prompts, there is no prompt in common, there is no column `where`, or it leaves
            no prompt with a reply on both sides; or if the yardstick has no reply to these prompts.
        ValueError: If an argument is out of its range.
        ImportError: If scipy is not installed.

    Example:
        >>> prompts = [f"question {i}" for i in range(8)]
        >>> same = Records(prompts, [["a b c", "a b c"]] * 8)
        >>> mixed = Records(prompts, [["a b c", "d e f"]] * 8)
        >>> {row.name: row.change for row in compare(same, mixed).rows}["distinct_2"]
        'more varied'
    """
    tokenizer = get_tokenizer(tokenizer)
    _check(before, after, names, n_resamples, n_samples)
    pairing = pair_records(before, after)
    selected = _selected(pairing, where, names)
    groups = equal_groups(*selected)
    spoken = [position for position, group in enumerate(groups[0]) if group]
    if not spoken:
        raise DataError(f"No prompt has a reply on both sides{_of(where)}: there is nothing to compare.")
    left, right = (Corpus([side[position] for position in spoken], tokenizer) for side in groups)
    rows = [
        *diversity_rows(left, right, n_resamples=n_resamples, seed=seed),
        *quality_rows(pairing.before, pairing.after, tokenizer, n_resamples=n_resamples, seed=seed),
    ]
    notes = list(write_notes(pairing, selected, groups, where, names))
    if yardstick is not None:
        measured = [groups[0][position] for position in spoken]
        everything, chosen = align_yardstick(yardstick, pairing.before.prompts, where)
        ideal = equal_yardstick([chosen.groups[position] for position in spoken], measured)
        rows = list(with_yardstick(rows, ideal, everything, tokenizer))
        notes.extend(yardstick_notes(ideal))
    return Comparison(
        names=(str(names[0]), str(names[1])),
        rows=rows,
        notes=notes,
        samples=_samples(pairing, groups, n_samples),
        counts=_counts(pairing, groups[0]),
        settings=_settings(tokenizer, where, n_resamples, seed),
    )


def _check(before: Records, after: Records, names: Sequence[str], n_resamples: int, n_samples: int) -> None:
    if len(names) != 2 or isinstance(names, str):
        raise ValueError(f"`names` must be two, one for each side, got {names!r}.")
    for name, records in zip(names, (before, after), strict=True):
        if not records.has_prompts:
            raise DataError(
                f"{name!r} holds replies without prompts; a comparison pairs replies by prompt. "
                'Give each row a "prompt".'
            )
    check_bootstrap(n_resamples)
    if n_samples < 0:
        raise ValueError(f"`n_samples` must be at least 0, got {n_samples!r}.")


def _settings(tokenizer: Tokenizer, where: str | None, n_resamples: int, seed: int) -> dict[str, Any]:
    return {
        "tokenizer": tokenizer.signature,
        "where": where,
        "n_resamples": int(n_resamples),
        "confidence": CONFIDENCE,
        "seed": int(seed),
        "version": __version__,
    }


def _selected(pairing: Pairing, where: str | None, names: Sequence[str]) -> tuple[Groups, Groups]:
    """The replies that diversity is measured on, before groups are cut to equal size."""
    sides = []
    for name, records in zip(names, (pairing.before, pairing.after), strict=True):
        try:
            groups = records.groups if where is None else records.where(where).groups
        except DataError as error:
            raise DataError(f"{name!r}: {error}") from error
        if not any(groups):
            raise DataError(f"{name!r} has no reply to measure{_of(where)} to any prompt that both files have.")
        sides.append(groups)
    return sides[0], sides[1]


def _of(where: str | None) -> str:
    return "" if where is None else f" whose {where!r} is true"


def _samples(pairing: Pairing, groups: tuple[Groups, Groups], n_samples: int) -> list[Sample]:
    """Prompts at even steps through the first file: no choice that could flatter either side."""
    shown = [position for position in pairing.file_order if groups[0][position]]
    steps = np.linspace(0, len(shown) - 1, min(n_samples, len(shown))).round().astype(int)
    return [
        Sample(pairing.before.prompts[position], groups[0][position], groups[1][position])
        for position in (shown[step] for step in steps)
    ]


def _counts(pairing: Pairing, measured: Groups) -> dict[str, int]:
    sizes = [len(group) for group in measured if group]
    return {
        "prompts": len(pairing.file_order),
        "prompts_measured": len(sizes),
        "prompts_only_before": pairing.only_before,
        "prompts_only_after": pairing.only_after,
        "replies_before": pairing.before.n_responses,
        "replies_after": pairing.after.n_responses,
        "replies_measured": sum(sizes),
        "smallest_group": min(sizes),
        "largest_group": max(sizes),
    }
