"""Pairs that people chose between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hfdiv.data.conversations.shapes import as_prompt, earlier_replies
from hfdiv.data.entry import names, reply_of, shown
from hfdiv.data.folder import parts_of
from hfdiv.data.pairs.pair import Dropped, Pair
from hfdiv.data.records import DataError
from hfdiv.data.shapes import as_row
from hfdiv.text import prompt_text


_NEEDED = ("prompt", "response_a", "response_b", "preference")


@dataclass(frozen=True)
class Votes:
    """The reply that more annotators preferred, over the other one.

    A vote for neither counts as half a vote for each. Of an annotator who voted twice on the same pair, both count.

    Args:
        min_agreement: Least share of the votes for the preferred reply, from 0.5 (any majority) to 1.
        min_votes: Least number of votes.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> row = {"prompt": "Hi", "response_a": "Hello", "response_b": "Go away"}
        >>> Votes()([{**row, "preference": vote} for vote in ("a", "a", "tie")]).numbers
        {'agreement': 0.8333333333333334, 'n_votes': 3.0}
    """

    min_agreement: float = 0.5
    min_votes: int = 1
    columns: ClassVar[tuple[str, ...]] = ("agreement", "n_votes")

    def __post_init__(self) -> None:
        if not 0.5 <= self.min_agreement <= 1:
            raise ValueError(f"`min_agreement` must be from 0.5 to 1, got {self.min_agreement!r}.")
        if self.min_votes < 1:
            raise ValueError(f"`min_votes` must be at least 1, got {self.min_votes!r}.")

    @property
    def signature(self) -> str:
        """Method and thresholds."""
        return f"annotations,agreement>={self.min_agreement:g},votes>={self.min_votes}"

    def __call__(self, rows: list[dict[str, Any]]) -> Pair | Dropped:
        """Return the pair that votes on the same two replies make, or why they make none."""
        first = rows[0]
        texts = sorted((first["response_a"], first["response_b"]))
        shares = [_share(row, texts[0]) for row in rows]
        share = sum(shares) / len(shares)
        above = max(share, 1.0 - share)
        few = len(rows) < self.min_votes
        if few or above == 0.5 or above < self.min_agreement:
            reason = "too few votes" if few else "a tie" if above == 0.5 else "too little agreement"
            return Dropped(reason, first["prompt"], None, len(rows))
        chosen, rejected = texts if share > 0.5 else reversed(texts)
        history = earlier_replies(None, first["prompt"])
        return Pair(first["prompt"], chosen, rejected, history, {"agreement": above, "n_votes": float(len(rows))})


def read_votes(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each vote in a file, with a key that is equal for votes on the same two replies to the same prompt.

    A row is `prompt`, `response_a`, `response_b`, `preference` (`a`, `b` or `tie`) and perhaps `annotator`, as
    `hfdiv annotate import` writes it.

    Raises:
        DataError: If the file cannot be read, or a row is not as above.
    """
    for part in parts_of(Path(path)):
        for number, row in part.rows():
            try:
                vote = _vote(row)
            except (DataError, TypeError) as error:
                raise DataError(f"{part.path}, {part.unit} {number}: {error}") from error
            pair = sorted((vote["response_a"], vote["response_b"]))
            yield "\0".join([prompt_text(vote["prompt"]), *pair]), vote


def _vote(row: object) -> dict[str, Any]:
    columns = as_row(row)
    lacking = [name for name in _NEEDED if columns.get(name) is None]
    if lacking:
        raise DataError(f"a vote needs {list(_NEEDED)}; there is no {lacking[0]!r} in {names(columns)}.")
    if columns["preference"] not in ("a", "b", "tie"):
        raise DataError(f"`preference` must be 'a', 'b' or 'tie', got {shown(columns['preference'])}.")
    texts = {name: reply_of(columns[name]) for name in ("response_a", "response_b")}
    if texts["response_a"] == texts["response_b"]:
        raise DataError("`response_a` and `response_b` are the same.")
    return {"prompt": as_prompt(columns["prompt"]), **texts, "preference": columns["preference"]}


def _share(row: dict[str, Any], text: str) -> float:
    """Return what a vote gives to a text: 1, 0, or half for a tie."""
    if row["preference"] == "tie":
        return 0.5
    return float(row[f"response_{row['preference']}"] == text)
