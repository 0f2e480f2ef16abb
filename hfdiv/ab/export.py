"""The conversations of one arm, out of the log again: what to train on when an arm has won."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from hfdiv.ab.table import LogReader
from hfdiv.data import DataError, write_whole
from hfdiv.data.conversations.tolerant import tolerant
from hfdiv.data.folder import parts_of


def export_arm(
    paths: Sequence[str | Path],
    arm: str,
    output: str | Path,
    *,
    experiment: str | None = None,
    skip_bad: bool = False,
) -> int:
    """Write the rows of an arm that count in an analysis, as the log has them: no repeats, no unit of several arms.

    The file appears when all is written.

    Args:
        paths: Logs.
        arm: The arm.
        output: File to write, JSON Lines.
        experiment: Name of the experiment, where the logs hold several.
        skip_bad: Leave out rows that cannot be read; else the first is an error.

    Returns:
        How many conversations were written.

    Raises:
        DataError: If a row cannot be read, or the arm has none.
    """
    reader = LogReader(experiment=experiment, skip_bad=skip_bad)
    reader.read(paths)
    places = reader.places_of(arm)
    if not places:
        raise DataError(f"The logs have no conversation in the arm {arm!r} that counts; the arms are {reader.arms}.")
    write_whole(output, _lines(paths, places))
    return len(places)


def _lines(paths: Sequence[str | Path], places: set[tuple[str, int]]) -> Iterator[str]:
    for path in paths:
        for part in map(tolerant, parts_of(Path(path))):
            for number, row in part.rows():
                if (str(part.path), number) in places:
                    yield json.dumps(row, ensure_ascii=False, default=str) + "\n"
