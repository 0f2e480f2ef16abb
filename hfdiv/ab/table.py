"""All conversations of one experiment as columns, without those that must not count."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hfdiv.ab.kept import KeptTexts
from hfdiv.ab.read import BadConversation, Numbered, read_log
from hfdiv.ab.row import Conversation
from hfdiv.data import DataError


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEASURED = ("turns", "dwell_time", "click", "abandoned")
"""What a log may say of a conversation without being asked."""

_MOST_SHOWN = 5


@dataclass
class Counts:
    """Rows of the logs that do not count, and why.

    Attributes:
        rows: All rows.
        bad: Could not be read.
        unfinished: Cut off at the end of a file.
        elsewhere: Of another experiment.
        apart: Of units that take no part.
        repeated: Said the same as another row.
        replaced: Told the same conversation as a later row, and differently.
        contaminated: Of units that are in several arms.
        contaminated_units: Those units.
        examples: Places and reasons of the first rows that could not be read.
    """

    rows: int = 0
    bad: int = 0
    unfinished: int = 0
    elsewhere: int = 0
    apart: int = 0
    repeated: int = 0
    replaced: int = 0
    contaminated: int = 0
    contaminated_units: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """The conversations of an experiment.

    Attributes:
        experiment: Its name.
        arms: Names of the arms, the control first.
        arm: Arm of each unit, `(n_units,)`, as a place in `arms`.
        unit: Unit of each conversation, `(n,)`.
        time: When each began, in seconds since 1970, `(n,)`.
        values: What was measured, `(n,)` each, NaN where it was not.
        counts: What is not in it.
        texts: What was said, by arm and unit, of some units.
    """

    experiment: str
    arms: list[str]
    arm: Ints
    unit: Ints
    time: Floats
    values: dict[str, Floats]
    counts: Counts
    texts: dict[str, dict[str, list[Conversation]]]


def read_table(
    paths: Iterable[str | Path],
    *,
    control: str = "control",
    arms: Sequence[str] | None = None,
    experiment: str | None = None,
    columns: Sequence[str] = (),
    skip_bad: bool = False,
    n_texts: int = 1000,
) -> Table:
    """Read the logs of one experiment.

    A unit that is found in several arms is left out with all its conversations. Of several rows on one conversation of
    a unit, the latest counts.

    Args:
        paths: Logs, as [`~hfdiv.ab.read.read_log`] reads them.
        control: Name of the arm that others are compared with.
        arms: Names of all arms. Defaults to those in the logs; where given, a row of another arm is a bad one.
        experiment: Name of the experiment, where the logs hold several.
        columns: Names of further numbers to read.
        skip_bad: Leave out and count rows that cannot be read; else the first is an error.
        n_texts: Keep the texts of so many units an arm.

    Raises:
        DataError: If a row cannot be read, the logs hold several experiments and none is named, or an arm is empty.
    """
    reader = LogReader(experiment=experiment, arms=arms, columns=columns, skip_bad=skip_bad, n_texts=n_texts)
    reader.read(paths)
    return reader.table(control)


class _Row(NamedTuple):
    """What is kept of a conversation."""

    unit: str
    time: float
    values: tuple[float, ...]
    place: tuple[str, int]


class LogReader:
    """Reads logs, and keeps what counts of them. The arguments are those of [`read_table`]."""

    def __init__(
        self,
        *,
        experiment: str | None = None,
        arms: Sequence[str] | None = None,
        columns: Sequence[str] = (),
        skip_bad: bool = False,
        n_texts: int = 0,
    ) -> None:
        self.counts = Counts()
        self._named = experiment is not None
        self._experiment = experiment
        self._arms = arms
        self._names = tuple(dict.fromkeys((*MEASURED, *columns)))
        self._skip_bad = skip_bad
        self._texts = KeptTexts(n_texts)
        self._arm_of: dict[str, str] = {}
        self._mixed: set[str] = set()
        self._number: dict[tuple[str, str], int] = {}
        self._rows: list[_Row] = []

    @property
    def arms(self) -> list[str]:
        """Names of the arms: those given, else those found."""
        return list(self._arms) if self._arms is not None else sorted(set(self._arm_of.values()))

    def read(self, paths: Iterable[str | Path]) -> None:
        """Read logs.

        Raises:
            DataError: As [`read_table`].
        """
        for row in read_log(paths, self._names):
            self.counts.rows += 1
            if isinstance(row, BadConversation):
                self._refuse(row)
            elif self._is_of_experiment(row.conversation):
                self._add(row)

    def places_of(self, arm: str) -> set[tuple[str, int]]:
        """Return the file and the number of each row of an arm that counts."""
        return {row.place for row in self._kept() if self._arm_of[row.unit] == arm}

    def table(self, control: str) -> Table:
        """Return the table.

        Raises:
            DataError: If an arm has no conversation.
        """
        kept = self._kept()
        self.counts.contaminated = len(self._rows) - len(kept)
        self.counts.contaminated_units = len(self._mixed)
        arms = self._ordered(control, Counter(self._arm_of[row.unit] for row in kept))
        units = {unit: number for number, unit in enumerate(dict.fromkeys(row.unit for row in kept))}
        values = np.array([row.values for row in kept], dtype=np.float64)
        return Table(
            experiment=self._experiment or "",
            arms=arms,
            arm=np.array([arms.index(self._arm_of[unit]) for unit in units], dtype=np.int64),
            unit=np.array([units[row.unit] for row in kept], dtype=np.int64),
            time=np.array([row.time for row in kept], dtype=np.float64),
            values={name: values[:, place] for place, name in enumerate(self._names)},
            counts=self.counts,
            texts={arm: self._texts.of(arm, set(units)) for arm in arms},
        )

    def _refuse(self, row: BadConversation) -> None:
        """Count a row that cannot be read; one that is still being written is no error."""
        if row.unfinished:
            self.counts.unfinished += 1
            return
        if not self._skip_bad:
            raise DataError(f"{row.place}: {row.reason} Give `--skip-bad` to leave such rows out and count them.")
        self.counts.bad += 1
        if len(self.counts.examples) < _MOST_SHOWN:
            self.counts.examples.append(f"{row.place}: {row.reason}")

    def _is_of_experiment(self, talk: Conversation) -> bool:
        if self._experiment is None:
            self._experiment = talk.experiment
        if talk.experiment == self._experiment:
            return True
        if not self._named:
            raise DataError(
                f"The logs hold several experiments, such as {self._experiment!r} and {talk.experiment!r}: name the "
                "one that is wanted with `--experiment`."
            )
        self.counts.elsewhere += 1
        return False

    def _add(self, row: Numbered) -> None:
        talk = row.conversation
        if talk.arm is None:
            self.counts.apart += 1
        elif self._arms is not None and talk.arm not in self._arms:
            reason = f"the arm {talk.arm!r} is none of {list(self._arms)}."
            self._refuse(BadConversation(f"{row.path}, row {row.number}", reason))
        else:
            if self._arm_of.setdefault(talk.unit, talk.arm) != talk.arm:
                self._mixed.add(talk.unit)
            values = tuple(talk.values.get(name, math.nan) for name in self._names)
            self._keep(talk, _Row(talk.unit, talk.time, values, (row.path, row.number)))

    def _keep(self, talk: Conversation, row: _Row) -> None:
        number = self._number.setdefault((talk.unit, talk.id), len(self._rows))
        if number == len(self._rows):
            self._rows.append(row)
            self._texts.add(talk)
            return
        before = self._rows[number]
        if repr(before[:-1]) == repr(row[:-1]):  # as text, because NaN is not equal to itself
            self.counts.repeated += 1
            return
        self.counts.replaced += 1
        if talk.time >= before.time:
            self._rows[number] = row
            self._texts.add(talk)

    def _kept(self) -> list[_Row]:
        return [row for row in self._rows if row.unit not in self._mixed]

    def _ordered(self, control: str, sizes: Counter[str]) -> list[str]:
        """Return the names of the arms, the control first."""
        if not self._rows:
            raise DataError(f"There is no conversation to analyze: {_left_out(self.counts)}.")
        known = self.arms
        if control not in known:
            raise DataError(f"There is no arm {control!r} to compare with; there are {known}. Name it by `--control`.")
        empty = [arm for arm in known if not sizes[arm]]
        if empty or len(known) < 2:
            missing = f"The arm {empty[0]!r} has" if empty else f"Beside the control {control!r}, no arm has"
            raise DataError(f"{missing} no conversation that counts: {dict(sizes)}; {_left_out(self.counts)}.")
        return [control, *(arm for arm in known if arm != control)]


def _left_out(counts: Counts) -> str:
    said = {name: value for name, value in vars(counts).items() if isinstance(value, int) and value}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items()) or "the logs are empty"
