"""What a reader of an analysis must know: what was left out, and what the numbers cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hfdiv.ab.effect import FEWEST_UNITS, Effect
from hfdiv.ab.looks import values_of
from hfdiv.ab.settings import Settings
from hfdiv.ab.table import Counts, Table


_MUCH = 0.01  # share of contaminated units from which it says that something is broken


def write_notes(table: Table, settings: Settings, effects: Sequence[Effect]) -> Iterator[str]:
    """Yield the notes; one that would say nothing is not written.

    Args:
        table: The conversations.
        settings: What was to be done.
        effects: What was found.
    """
    yield from _on_rows(table.counts, len(table.arm))
    yield from _on_missing(table, settings)
    small = sorted({effect.arm for effect in effects if effect.n_units < FEWEST_UNITS})
    if small:
        yield (
            f"For some metrics, the control or {', '.join(map(repr, small))} has fewer than {FEWEST_UNITS} units with "
            "a value. Nothing is concluded from those."
        )
    yield from (
        f"{effect.metric.name} of {effect.arm!r} cannot be tested: it does not vary, or an arm has one unit or only 0."
        for effect in effects
        if effect.verdict == "undefined"
    )
    yield from _on_returning(effects)
    if not settings.peeking:
        yield (
            "These intervals and p-values hold if this is the only time that the log is looked at, at an end that was "
            "fixed beforehand."
        )
    if not any(talk.replies for units in table.texts.values() for talks in units.values() for talk in talks):
        yield "The log holds no replies, so their diversity is not measured."


def _on_rows(counts: Counts, n_units: int) -> Iterator[str]:
    if counts.bad:
        yield f"{counts.bad} rows could not be read and are left out, such as: {counts.examples[0]}"
    if counts.unfinished:
        yield f"{counts.unfinished} rows at the end of a file are unfinished: being written, or cut off by a kill."
    if counts.apart:
        yield f"{counts.apart} rows are of units that take no part (their arm is null)."
    if counts.elsewhere:
        yield f"{counts.elsewhere} rows are of other experiments."
    if counts.repeated:
        yield f"{counts.repeated} rows repeat another and are counted once."
    if counts.replaced:
        yield f"{counts.replaced} rows tell a conversation that another row tells differently: the latest counts."
    if counts.contaminated_units:
        share = counts.contaminated_units / (counts.contaminated_units + n_units)
        broken = " So many say that the assignment is not stable: find out why." if share > _MUCH else ""
        yield (
            f"{counts.contaminated_units} units ({share:.2%}) are in several arms. They are left out, with their "
            f"{counts.contaminated} conversations.{broken}"
        )


def _on_missing(table: Table, settings: Settings) -> Iterator[str]:
    for metric in settings.metrics:
        values, unit = values_of(metric, table)
        missing = np.isnan(values)
        if missing.all():
            yield f"The log does not say {metric.name!r}."
        elif missing.any():
            shares = [float(missing[table.arm[unit] == place].mean()) for place in range(len(table.arms))]
            each = ", ".join(f"{share:.1%} in {arm!r}" for share, arm in zip(shares, table.arms, strict=True))
            yield (
                f"{metric.name!r} is missing in some conversations, which are left out of it: {each}. If whether it "
                "is known depends on the arm, the comparison is biased."
            )


def _on_returning(effects: Sequence[Effect]) -> Iterator[str]:
    for effect in effects:
        if effect.metric.name == "conversations" and effect.verdict in ("better", "worse"):
            yield (
                f"Users of {effect.arm!r} have {'more' if effect.difference.value > 0 else 'fewer'} conversations "
                "each. Means over conversations then compare different mixtures of users: read them with care."
            )
