"""The texts of some units: as many in each arm, drawn by a hash, in bounded memory."""

from __future__ import annotations

from collections import defaultdict

from hfdiv.ab.assignment import position
from hfdiv.ab.row import Conversation


class KeptTexts:
    """Keeps the conversations of the units with the smallest hashes (bottom-k sampling, Cohen and Kaplan, 2007).

    The draw depends on nothing but the units' names, so the same log gives the same texts, in whatever order.

    Args:
        n_units: How many units to keep in each arm, at most.

    Example:
        >>> kept = KeptTexts(1)
        >>> for unit in ("u1", "u2", "u3"):
        ...     kept.add(Conversation("e", "control", unit, "c", 0.0, {}, [], ["Hello " + unit]))
        >>> [talk.replies for talk in kept.of("control", {"u1", "u2", "u3"})["u3"]]
        [['Hello u3']]
    """

    def __init__(self, n_units: int) -> None:
        self._n_units = n_units
        self._arms: dict[str, dict[str, dict[str, Conversation]]] = defaultdict(dict)
        self._limit: dict[str, float] = {}

    def add(self, talk: Conversation) -> None:
        """Take a conversation; one of the same name takes the place of the one before."""
        arm = talk.arm or ""
        place = position(talk.experiment, "texts", talk.unit)
        if place > self._limit.get(arm, 1.0):  # dropped before: what it said then is gone
            return
        units = self._arms[arm]
        units.setdefault(talk.unit, {})[talk.id] = talk
        if len(units) > 2 * self._n_units + 1:  # now and then, so that sorting costs little
            first = self._first(talk.experiment, units)
            self._arms[arm] = {unit: units[unit] for unit in first}
            self._limit[arm] = position(talk.experiment, "texts", first[-1]) if first else -1.0

    def of(self, arm: str, units: set[str]) -> dict[str, list[Conversation]]:
        """Return the conversations of an arm's units by unit, oldest first, of those in `units` alone."""
        found = {unit: talks for unit, talks in self._arms.get(arm, {}).items() if unit in units}
        experiment = next((talk.experiment for talks in found.values() for talk in talks.values()), "")
        return {
            unit: sorted(found[unit].values(), key=lambda talk: (talk.time, talk.id))
            for unit in self._first(experiment, found)
        }

    def _first(self, experiment: str, units: dict[str, dict[str, Conversation]]) -> list[str]:
        return sorted(units, key=lambda unit: (position(experiment, "texts", unit), unit))[: self._n_units]
