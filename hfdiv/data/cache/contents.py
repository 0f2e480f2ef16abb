"""What is in a cache file: counted, read out, and cleared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from sqlite3 import Connection

from hfdiv.data.cache.database import Database
from hfdiv.data.cache.storage import drop_ended
from hfdiv.diversity import Accumulator, Score
from hfdiv.text import Response


_AT_ONCE = 1000  # prompts measured at once
_OURS = "(:namespace IS NULL OR name = :namespace)"


@dataclass(frozen=True)
class Entry:
    """A prompt and its answers.

    Attributes:
        namespace: Name of the namespace.
        prompt: The prompt, as it was given first.
        responses: The answers that have not ended, the oldest first.
        quality: That of each.
        served: How often each was served.
    """

    namespace: str
    prompt: Response
    responses: list[str]
    quality: list[float]
    served: list[int]


@dataclass(frozen=True)
class CacheStats:
    """What is in a cache, and what it did.

    Attributes:
        n_prompts: Prompts with answers that have not ended.
        n_answers: Answers to them.
        n_bytes: What prompts, answers and vectors take up, nearly.
        exact_hits: Requests answered from the very prompt.
        semantic_hits: Requests answered from a prompt that means the same.
        misses: Requests that were not answered.
        distinct_2: Distinct-2 of the answers to a prompt, mean over prompts; higher = more varied. None if there are
            no answers.
    """

    n_prompts: int
    n_answers: int
    n_bytes: int
    exact_hits: int
    semantic_hits: int
    misses: int
    distinct_2: Score | None

    @property
    def hit_rate(self) -> float:
        """Share of requests that were answered; NaN if there were none."""
        hits = self.exact_hits + self.semantic_hits
        return hits / (hits + self.misses) if hits + self.misses else math.nan


def read_stats(database: Database, now: float, namespace: str | None = None) -> CacheStats:
    """Count what is in a file, or in one of its namespaces, and measure it.

    Example:
        >>> import tempfile
        >>> read_stats(Database(tempfile.mkdtemp() + "/answers.db"), now=0.0).n_answers
        0
    """
    given = {"namespace": namespace}
    with database.read() as db:
        counts = db.execute(
            "SELECT total(exact_hits), total(semantic_hits), total(misses) FROM namespaces WHERE " + _OURS, given
        ).fetchone()
        own = f"namespace IN (SELECT id FROM namespaces WHERE {_OURS})"
        (of_prompts,) = db.execute("SELECT total(size) FROM prompts WHERE " + own, given).fetchone()
        (of_answers,) = db.execute(
            f"SELECT total(answers.size) FROM answers JOIN prompts ON prompts.id = prompt WHERE {own}", given
        ).fetchone()
        measured = Accumulator(("distinct_n",))
        rows = _entries(db, now, namespace)
        while groups := [entry.responses for entry in islice(rows, _AT_ONCE)]:
            measured.update(groups)
    exact, semantic, misses = map(int, counts)
    return CacheStats(
        n_prompts=measured.n_groups,
        n_answers=measured.n_responses,
        n_bytes=int(of_prompts + of_answers),
        exact_hits=exact,
        semantic_hits=semantic,
        misses=misses,
        distinct_2=measured.compute()["distinct_2"] if measured.n_responses else None,
    )


def entries(database: Database, now: float, namespace: str | None = None) -> Iterator[Entry]:
    """Yield the prompts of a file, or of one of its namespaces, with their answers, as they stand at one moment."""
    with database.read() as db:
        yield from _entries(db, now, namespace)


def namespaces(database: Database) -> list[str]:
    """Return the names of the namespaces in a file, in the order in which they were made."""
    with database.read() as db:
        return [name for (name,) in db.execute("SELECT name FROM namespaces ORDER BY id")]


def clear(database: Database, namespace: str | None = None) -> int:
    """Delete the answers of a file, or of one of its namespaces, and its counts; return how many answers it were.

    With all namespaces, it is also forgotten who had which.
    """
    given = {"namespace": namespace}
    with database.write() as db:
        (before,) = db.execute("SELECT answers FROM totals").fetchone()
        db.execute(f"DELETE FROM prompts WHERE namespace IN (SELECT id FROM namespaces WHERE {_OURS})", given)
        db.execute(f"UPDATE namespaces SET exact_hits = 0, semantic_hits = 0, misses = 0 WHERE {_OURS}", given)
        if namespace is None:
            db.execute("DELETE FROM heard")
        (after,) = db.execute("SELECT answers FROM totals").fetchone()
    database.shrink()
    return int(before - after)


def clear_ended(database: Database, now: float) -> int:
    """Delete the answers that have ended, in all namespaces; return how many it were."""
    with database.write() as db:
        (before,) = db.execute("SELECT answers FROM totals").fetchone()
        drop_ended(db, now)
        (after,) = db.execute("SELECT answers FROM totals").fetchone()
    database.shrink()
    return int(before - after)


def _entries(db: Connection, now: float, namespace: str | None) -> Iterator[Entry]:
    # CROSS JOIN keeps SQLite from another order, in which it would sort all texts.
    rows = db.execute(
        "SELECT prompts.id, name, json, answers.id, text, quality, served FROM prompts"
        " CROSS JOIN namespaces ON namespaces.id = namespace"
        " CROSS JOIN prompt_texts ON prompt_texts.prompt = prompts.id"
        " CROSS JOIN answers ON answers.prompt = prompts.id CROSS JOIN answer_texts ON answer = answers.id"
        f" WHERE {_OURS} AND (expires IS NULL OR expires > :now) ORDER BY prompts.id",
        {"namespace": namespace, "now": now},
    )
    for _, group in groupby(rows, key=itemgetter(0)):
        own = sorted(group, key=itemgetter(3))
        _, name, prompt, *_ = own[0]
        texts, quality, served = zip(*(row[4:] for row in own), strict=True)
        yield Entry(name, json.loads(prompt), list(texts), list(quality), list(served))
