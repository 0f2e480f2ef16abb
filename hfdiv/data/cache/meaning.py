"""The stored prompt whose question means the same: nearest by the cosine of embeddings."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from sqlite3 import Connection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hfdiv.data.cache.config import CacheConfig
from hfdiv.data.cache.database import Database
from hfdiv.data.cache.key import Key, letters_hash, prompt_key
from hfdiv.data.records import DataError
from hfdiv.similarity import EmbeddingSimilarity


_BATCH = 256  # prompts encoded at once
_STALE = 1000  # deleted prompts that may stay in memory, at least
_REMEMBERED = 256  # vectors of questions that were asked last: `add` follows `get`
_IDENTICAL = 1e-5  # below this distance two vectors are the same but for rounding


class Near(NamedTuple):
    """A prompt that is near, and how near."""

    similarity: float
    prompt: int


class _Block:
    """The vectors of prompts of one context, in an array with room to grow."""

    def __init__(self, width: int) -> None:
        self._vectors = np.empty((1, width), dtype=np.float32)
        self._about = np.empty((1, 2), dtype=np.int64)  # id, letters
        self._n = 0

    def add(self, prompt: int, letters: int, vector: NDArray[np.float32]) -> None:
        if self._n == len(self._about):
            self._vectors = np.concatenate([self._vectors, np.empty_like(self._vectors)])
            self._about = np.concatenate([self._about, np.empty_like(self._about)])
        self._vectors[self._n], self._about[self._n] = vector, (prompt, letters)
        self._n += 1

    def near(self, vector: NDArray[np.float32], letters: int, threshold: float) -> list[Near]:
        cosine = self._vectors[: self._n] @ vector
        about = self._about[: self._n]
        # An encoder reads all words that it does not know as one and the same: one without Chinese takes "退货" for
        # "换货". Texts that it cannot tell apart are the same only if they are spelled the same.
        blind = (cosine > 1.0 - _IDENTICAL) & (about[:, 1] != letters)
        found = np.flatnonzero((cosine >= threshold) & ~blind)
        order = found[np.argsort(-cosine[found], kind="stable")]
        return [Near(min(float(cosine[row]), 1.0), int(about[row, 0])) for row in order]


class Meanings:
    """Prompts of one namespace by their meaning, in memory; those that other processes add are read as they come.

    Args:
        database: The file.
        namespace: Id of the namespace.
        encoder: Vectors of texts. Its `name` stands in the file beside them, so that vectors of two encoders are never
            compared.
        config: Threshold, and the longest question.

    Raises:
        ValueError: If the encoder has no name.
    """

    def __init__(self, database: Database, namespace: int, encoder: EmbeddingSimilarity, config: CacheConfig) -> None:
        if not encoder.name:
            raise ValueError(
                "The encoder needs a name, so that vectors of another one are never compared with its own: "
                'EmbeddingSimilarity(encoder, "all-MiniLM-L6-v2").'
            )
        self._database = database
        self._namespace = namespace
        self._encoder = encoder
        self._config = config
        self._lock = threading.Lock()
        self._asked: dict[str, NDArray[np.float32]] = {}
        self._forget()

    def near(self, key: Key) -> list[Near]:
        """Return the stored prompts that mean the same, the nearest first, which may have been deleted since."""
        if not self._is_read(key):
            return []
        vector = self._vector(key.question)
        with self._lock:
            self._refresh()
            self._check_width(vector)
            block = self._blocks.get(key.context)
            threshold = self._config.semantic_threshold
            return [] if block is None else block.near(vector, letters_hash(key.question), threshold)

    def refresh(self) -> None:
        """Read prompts that were added since, and encode those that have no vector yet."""
        with self._lock:
            self._refresh()

    def _forget(self) -> None:
        self._blocks: dict[bytes, _Block] = {}
        self._last = self._n = self._removed = self._width = 0

    def _is_read(self, key: Key) -> bool:
        return 0 < len(key.question) <= self._config.semantic_max_chars

    def _vector(self, question: str) -> NDArray[np.float32]:
        vector = self._asked.get(question)
        if vector is None:
            vector = self._encoder.vectors([question])[0].astype(np.float32)
            if len(self._asked) >= _REMEMBERED:
                self._asked = {}
            self._asked[question] = vector
        return vector

    def _refresh(self) -> None:
        with self._database.read() as db:
            (removed,) = db.execute("SELECT removed FROM totals").fetchone()
            gone = removed - self._removed
            if gone > max(_STALE, self._n - gone):
                self._forget()
            if not self._last:
                self._removed = removed
            known, missing = self._read_new(db)
        try:
            for context, prompt, letters, vector in known:
                self._add(context, prompt, letters, np.frombuffer(vector, dtype="<f4"))
            for start in range(0, len(missing), _BATCH):
                self._encode(missing[start : start + _BATCH])
        except BaseException:
            self._forget()  # what was read must be read again
            raise

    def _read_new(self, db: Connection) -> tuple[list[tuple[bytes, int, int, bytes]], list[tuple[bytes, int, str]]]:
        """Return new prompts with their vectors, and those without one with their questions."""
        rows = db.execute(
            "SELECT id, context, letters, vector, CASE WHEN vector IS NULL THEN json END FROM prompts"
            " JOIN prompt_texts ON prompt_texts.prompt = id"
            " LEFT JOIN vectors ON vectors.prompt = id AND encoder = ?"
            " WHERE id > ? AND +namespace = ? AND context != x'' ORDER BY id",
            (self._encoder.name, self._last, self._namespace),
        )
        known, missing = [], []
        for prompt, context, letters, vector, text in rows:
            self._last = prompt
            if vector is not None:
                known.append((context, prompt, letters, vector))
            elif self._is_read(key := prompt_key(json.loads(text))):
                missing.append((context, prompt, key.question))
        return known, missing

    def _encode(self, missing: list[tuple[bytes, int, str]]) -> None:
        questions = [question for *_, question in missing]
        if len(missing) == 1:
            vectors = [self._vector(questions[0])]
        else:
            vectors = list(self._encoder.vectors(questions).astype(np.float32))
        rows = [
            (prompt, self._encoder.name, letters_hash(question), vector.astype("<f4").tobytes())
            for (_, prompt, question), vector in zip(missing, vectors, strict=True)
        ]
        for (context, *_), (prompt, _, letters, _), vector in zip(missing, rows, vectors, strict=True):
            self._add(context, prompt, letters, vector)
        with self._database.write() as db:
            _put_vectors(db, rows)

    def _add(self, context: bytes, prompt: int, letters: int, vector: NDArray[np.float32]) -> None:
        self._check_width(vector)
        self._blocks.setdefault(context, _Block(len(vector))).add(prompt, letters, vector)
        self._n += 1

    def _check_width(self, vector: NDArray[np.float32]) -> None:
        self._width = self._width or len(vector)
        if len(vector) != self._width:
            raise DataError(
                f"The vectors of {self._encoder.name!r} in {self._database.path} have {self._width} and {len(vector)} "
                "numbers: they are of two encoders. Give this one another name."
            )


def _put_vectors(db: Connection, rows: Iterable[tuple[int, str | None, int, bytes]]) -> None:
    """Store vectors of prompts that are still there; another process may have stored them already."""
    for prompt, encoder, letters, vector in rows:
        put = db.execute(
            "INSERT OR IGNORE INTO vectors SELECT id, ?, ?, ? FROM prompts WHERE id = ?",
            (encoder, letters, vector, prompt),
        )
        if put.rowcount:
            db.execute("UPDATE prompts SET size = size + ? WHERE id = ?", (len(vector), prompt))
