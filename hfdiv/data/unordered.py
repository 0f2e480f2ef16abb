"""A file of replies in the order of the prompts, from replies that come in any order and piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hfdiv.data.journal import Journal
from hfdiv.data.records import DataError
from hfdiv.data.resume import GrowingReplies


_SPENT = 1000  # entries of the journal after which those that are no longer needed are dropped


class Piece(NamedTuple):
    """Some of the replies that one source is to write to a prompt.

    Attributes:
        source: The source's place among all.
        columns: By name, one value a reply; `responses` holds the replies.
    """

    source: int
    columns: Mapping[str, Sequence[Any]]


class UnorderedReplies:
    """Keeps every piece on disk as it comes, and writes a prompt's row when it is its turn.

    A piece goes to `unfinished.jsonl`, beside the replies, before anything else is done with it. The row of a prompt
    is written when all that its sources are to write is there, or cannot be had: then it holds an `error` that says
    why, beside what there is, and the next run asks for the rest. Rows that were not to be had before are put into
    their places at the end.

    Args:
        growing: The file of replies.
        n_prompts: How many there are.
        n_wanted: How many replies each source is to write to each prompt.
        row_of: Makes a row of the pieces to the prompt at a place.

    Raises:
        DataError: If `unfinished.jsonl` is not of these prompts and sources.

    Example:
        >>> import tempfile
        >>> growing = GrowingReplies(tempfile.mkdtemp(), ["Hi", "Bye"], {"seed": 0})
        >>> first = lambda place, pieces: {"responses": [piece.columns["responses"][0] for piece in pieces]}
        >>> replies = UnorderedReplies(growing, 2, [1], first)
        >>> for place, text in (1, "So long"), (0, "Hello"):
        ...     piece = Piece(0, {"responses": [text]})
        ...     replies.keep(place, piece)
        ...     replies.add(place, piece)
        >>> print(growing.path.read_text(), end="")
        {"prompt": "Hi", "responses": ["Hello"]}
        {"prompt": "Bye", "responses": ["So long"]}
    """

    def __init__(
        self,
        growing: GrowingReplies,
        n_prompts: int,
        n_wanted: Sequence[int],
        row_of: Callable[[int, Sequence[Piece]], Mapping[str, Any]],
    ) -> None:
        self._growing = growing
        self._n_prompts = n_prompts
        self._n_wanted = n_wanted
        self._row_of = row_of
        self._journal = Journal(growing.path.with_name("unfinished.jsonl"))
        self._pieces: dict[int, list[Piece]] = {}
        self._errors: dict[int, dict[int, str]] = {}
        self._failed = set(growing.failed)
        self._late: dict[int, Mapping[str, Any]] = {}
        if growing.begun:
            for entry in self._journal.entries():
                place, piece = self._read(entry)
                if not self._is_done(place):
                    self._pieces.setdefault(place, []).append(piece)

    @property
    def n_done(self) -> int:
        """How many prompts have all their replies."""
        return self._growing.n_done - len(self._still_failed())

    @property
    def n_failed(self) -> int:
        """How many prompts have a row that holds an error."""
        return self._growing.n_done - self.n_done

    def missing(self) -> list[tuple[int, int, int]]:
        """Return what is still to be asked for: the prompt, the source, and how many of its replies are there."""
        places = [*sorted(self._still_failed()), *range(self._growing.n_done, self._n_prompts)]
        return [
            (place, source, n_had)
            for place in places
            for source, n_had in enumerate(self._n_had(place))
            if n_had < self._n_wanted[source]
        ]

    def keep(self, place: int, piece: Piece) -> None:
        """Put a piece on disk. Other threads may do this while rows are written."""
        if not self._growing.begun:
            self._journal.path.unlink(missing_ok=True)  # of replies that are overwritten
            self._growing.begin()
        self._journal.append({"prompt": place, "source": piece.source, **piece.columns})

    def add(self, place: int, piece: Piece) -> None:
        """Note a piece that was kept, and write the rows whose turn it is."""
        self._pieces.setdefault(place, []).append(piece)
        self._write(place)

    def fail(self, place: int, source: int, reason: str) -> None:
        """Note that a source will not write what is missing of a prompt, and write the rows whose turn it is."""
        self._errors.setdefault(place, {})[source] = reason
        self._write(place)

    def finish(self) -> None:
        """Put late rows into their places, and drop what is no longer needed. More may be added afterwards."""
        self._write_rows()
        for place in self._failed - self._late.keys():  # what a killed run had in hand
            if self._is_settled(place):
                self._late[place] = self._row(place)
        if self._late:
            self._growing.replace(self._late)
            self._failed = self._still_failed()
            self._late = {}
        if self._growing.begun:
            self._journal.keep(lambda entry: not self._is_done(entry["prompt"]))

    def _write(self, place: int) -> None:
        if place < self._growing.n_done and self._is_settled(place):
            self._late[place] = self._row(place)
        self._write_rows()
        if self._journal.n_appended > _SPENT:
            self._journal.keep(lambda entry: not self._is_done(entry["prompt"]))

    def _write_rows(self) -> None:
        """Write all rows whose turn it is; none before there is any reply, so that no folder is made for nothing."""
        while self._growing.begun and self._growing.n_done < self._n_prompts:
            place = self._growing.n_done
            if not self._is_settled(place):
                return
            row = self._row(place)
            if "error" in row:
                self._failed.add(place)
            self._growing.add(row)

    def _row(self, place: int) -> Mapping[str, Any]:
        """Make a row, and forget its pieces where nothing is missing."""
        row = self._row_of(place, sorted(self._pieces.get(place, []), key=lambda piece: piece.source))
        errors = self._errors.pop(place, {})
        if errors:
            return {**row, "error": "; ".join(errors[source] for source in sorted(errors))}
        self._pieces.pop(place, None)
        return row

    def _is_settled(self, place: int) -> bool:
        errors = self._errors.get(place, {})
        return all(
            n_had >= self._n_wanted[source] or source in errors for source, n_had in enumerate(self._n_had(place))
        )

    def _is_done(self, place: int) -> bool:
        return place < self._growing.n_done and place not in self._failed

    def _still_failed(self) -> set[int]:
        """Return the places whose rows hold an error, also when late rows are in their places."""
        return self._failed - {place for place, row in self._late.items() if "error" not in row}

    def _n_had(self, place: int) -> list[int]:
        n_had = [0] * len(self._n_wanted)
        for piece in self._pieces.get(place, []):
            n_had[piece.source] += len(piece.columns["responses"])
        return n_had

    def _read(self, entry: dict[str, Any]) -> tuple[int, Piece]:
        place, source = entry.pop("prompt", None), entry.pop("source", None)
        if (
            not (isinstance(place, int) and 0 <= place < self._n_prompts)
            or not (isinstance(source, int) and 0 <= source < len(self._n_wanted))
            or not all(isinstance(column, list) for column in entry.values())
            or "responses" not in entry
        ):
            raise DataError(f"{self._journal.path} is not of these prompts and sources.")
        return place, Piece(source, entry)
