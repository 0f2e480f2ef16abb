"""Which of the stored answers a conversation gets: one that it has not had, whose turn has come."""

from __future__ import annotations

from collections.abc import Collection
from sqlite3 import Connection
from typing import NamedTuple

from hfdiv.data.cache.config import CacheConfig


_FORGET_EVERY = 256  # rows from one look at how many are remembered to the next


class Listener(NamedTuple):
    """Who asks.

    Attributes:
        conversation: Its number; None for nobody in particular.
        heard: Sentences that were said in it, beside those that the cache remembers.
        early: Whether a prompt that has too few answers yet is served too.
    """

    conversation: int | None
    heard: Collection[int]
    early: bool


class Row(NamedTuple):
    """An answer as it is served."""

    text: str
    quality: float


def serve(db: Connection, prompt: int, listener: Listener, config: CacheConfig, now: float) -> Row | None:
    """Return an answer to a stored prompt, and note down who had it; None where there is none to give.

    Answers take turns: the one that was served longest ago comes first, so that all are served equally often, and one
    that is new waits for nobody. A conversation is given the first of them that it has not had.

    Args:
        db: In a transaction that may write.
        prompt: Id of the prompt; it may be gone.
        listener: Who asks.
        config: How many answers there must be.
        now: The time, for those that have ended.
    """
    rows = db.execute(
        "SELECT id, sentence, turn,"
        " EXISTS (SELECT 1 FROM heard WHERE conversation = ? AND sentence = answers.sentence)"
        " FROM answers WHERE prompt = ? AND (expires IS NULL OR expires > ?) ORDER BY turn, id",
        (listener.conversation, prompt, now),
    ).fetchall()
    if not rows or not (listener.early or _is_filled(db, prompt, len(rows), config)):
        return None
    new = [row for row in rows if not row[3] and row[1] not in listener.heard]
    if not new:
        return None
    answer, sentence, *_ = new[0]
    last_turn = rows[-1][2]
    db.execute("UPDATE answers SET turn = ?, served = served + 1 WHERE id = ?", (last_turn + 1, answer))
    db.execute("UPDATE prompts SET used = ? WHERE id = ?", (now, prompt))
    note_heard(db, listener.conversation, sentence, config.max_heard)
    text = "SELECT text, quality FROM answer_texts JOIN answers ON answers.id = answer WHERE answer = ?"
    return Row(*db.execute(text, (answer,)).fetchone())


def note_heard(db: Connection, conversation: int | None, sentence: int, at_most: int) -> None:
    """Remember that a conversation has had a sentence; of more than `at_most` such notes, forget the oldest."""
    if conversation is None:
        return
    note = db.execute("INSERT OR IGNORE INTO heard (conversation, sentence) VALUES (?, ?)", (conversation, sentence))
    if note.rowcount and note.lastrowid is not None and note.lastrowid % _FORGET_EVERY == 0:
        db.execute("DELETE FROM heard WHERE id <= ?", (note.lastrowid - at_most,))


def has_heard(db: Connection, conversation: int | None, sentence: int) -> bool:
    """Tell whether a conversation is remembered to have had a sentence."""
    row = db.execute("SELECT 1 FROM heard WHERE conversation = ? AND sentence = ?", (conversation, sentence))
    return row.fetchone() is not None


def _is_filled(db: Connection, prompt: int, n_answers: int, config: CacheConfig) -> bool:
    if n_answers >= config.answers_to_serve:
        return True
    row = db.execute("SELECT offered FROM prompts WHERE id = ?", (prompt,)).fetchone()
    return row is not None and row[0] >= config.offers_to_serve
