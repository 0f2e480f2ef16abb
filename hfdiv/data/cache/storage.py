"""Prompts and answers in a cache file: in, out at their end, and out to make room."""

from __future__ import annotations

import json
from sqlite3 import Connection
from typing import Literal

from hfdiv.data.cache.config import CacheConfig
from hfdiv.data.cache.keep import Stored
from hfdiv.data.cache.key import Key, sentence_hash
from hfdiv.data.cache.schema import ROW_BYTES
from hfdiv.text import Response


def namespace_id(db: Connection, name: str) -> int:
    """Return the id of a namespace, which is made where there is none."""
    db.execute("INSERT OR IGNORE INTO namespaces (name) VALUES (?)", (name,))
    return int(db.execute("SELECT id FROM namespaces WHERE name = ?", (name,)).fetchone()[0])


def count(db: Connection, namespace: int, what: Literal["exact_hits", "semantic_hits", "misses"]) -> None:
    """Count a request."""
    db.execute(f"UPDATE namespaces SET {what} = {what} + 1 WHERE id = ?", (namespace,))


def find_prompt(db: Connection, namespace: int, key: Key) -> int | None:
    """Return the id of a prompt that is stored just so."""
    row = db.execute("SELECT id FROM prompts WHERE namespace = ? AND key = ?", (namespace, key.exact)).fetchone()
    return None if row is None else int(row[0])


def answers_to(db: Connection, prompt: int | None, now: float) -> list[Stored]:
    """Return the answers to a prompt that have not ended, the oldest first."""
    rows = db.execute(
        "SELECT id, sentence, quality, text FROM answers JOIN answer_texts ON answer = id"
        " WHERE prompt = ? AND (expires IS NULL OR expires > ?) ORDER BY id",
        (prompt, now),
    )
    return [Stored(*row) for row in rows]


def put_prompt(db: Connection, namespace: int, key: Key, as_json: str, now: float) -> int:
    """Store a prompt, and return its id."""
    made = db.execute(
        "INSERT INTO prompts (namespace, key, context, offered, used, size) VALUES (?, ?, ?, 0, ?, ?)",
        (namespace, key.exact, key.context, now, size_in_file(as_json)),
    )
    assert made.lastrowid is not None  # an INSERT has one
    db.execute("INSERT INTO prompt_texts VALUES (?, ?)", (made.lastrowid, as_json))
    return made.lastrowid


def prompt_of_id(db: Connection, prompt: int) -> Response:
    """Return a stored prompt."""
    (text,) = db.execute("SELECT json FROM prompt_texts WHERE prompt = ?", (prompt,)).fetchone()
    stored: Response = json.loads(text)
    return stored


def put_answer(db: Connection, prompt: int, text: str, quality: float, expires: float | None) -> None:
    """Store an answer."""
    made = db.execute(
        "INSERT INTO answers (prompt, sentence, quality, expires, size) VALUES (?, ?, ?, ?, ?)",
        (prompt, sentence_hash(text), quality, expires, size_in_file(text)),
    )
    db.execute("INSERT INTO answer_texts VALUES (?, ?)", (made.lastrowid, text))


def size_in_file(text: str) -> int:
    """Return how many bytes a prompt or an answer takes up in the file, nearly."""
    return len(text.encode("utf-8")) + ROW_BYTES


def drop_ended(db: Connection, now: float, prompt: int | None = None, others: int = -1) -> None:
    """Delete answers that have ended, and prompts that have none left. Filling starts again from what is left.

    Args:
        db: In a transaction that may write.
        now: The time.
        prompt: Id of a prompt that is looked at in any case.
        others: At most so many further answers are looked for, so that nobody waits long when many end at once; -1
            for all.
    """
    ended = {row[0] for row in db.execute("SELECT prompt FROM answers WHERE expires <= ? LIMIT ?", (now, others))}
    for each in ended | {prompt}:
        if db.execute("DELETE FROM answers WHERE prompt = ? AND expires <= ?", (each, now)).rowcount:
            settle(db, each)


def drop_answer(db: Connection, prompt: int | None, sentence: int) -> bool:
    """Delete an answer; tell whether it was there."""
    if not db.execute("DELETE FROM answers WHERE prompt = ? AND sentence = ?", (prompt, sentence)).rowcount:
        return False
    settle(db, prompt)
    return True


def settle(db: Connection, prompt: int | None) -> None:
    """Let filling start again from the answers to a prompt that are left; delete it if there are none."""
    left = "(SELECT count(*) FROM answers WHERE prompt = prompts.id)"
    db.execute(f"UPDATE prompts SET offered = {left} WHERE id = ?", (prompt,))
    db.execute("DELETE FROM prompts WHERE id = ? AND offered = 0", (prompt,))


def make_room(db: Connection, config: CacheConfig, keep: int) -> None:
    """Delete prompts, the one used longest ago first, until the file is within its bounds. `keep` is left."""
    while _is_over(db, config):
        oldest = db.execute("SELECT id FROM prompts WHERE id != ? ORDER BY used, id LIMIT 1", (keep,)).fetchone()
        if oldest is None:
            return
        db.execute("DELETE FROM prompts WHERE id = ?", oldest)


def _is_over(db: Connection, config: CacheConfig) -> bool:
    answers, size = db.execute("SELECT answers, bytes FROM totals").fetchone()
    return bool(size > config.max_bytes or (config.max_answers is not None and answers > config.max_answers))
