"""An answer that is offered to a cache: judged, and put in its place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from sqlite3 import Connection
from typing import NamedTuple

from hfdiv.data.cache.config import CacheConfig
from hfdiv.data.cache.database import Database
from hfdiv.data.cache.keep import Added, Stored, Verdict, judge
from hfdiv.data.cache.key import Key, sentence_hash
from hfdiv.data.cache.rotation import note_heard
from hfdiv.data.cache.storage import (
    answers_to,
    drop_ended,
    find_prompt,
    make_room,
    put_answer,
    put_prompt,
    settle,
    size_in_file,
)
from hfdiv.similarity import Similarity


_ENDED_AT_ONCE = 100


class Offer(NamedTuple):
    """An answer to a prompt, and how good it is."""

    key: Key
    prompt: str
    text: str
    quality: float | None


def offer(
    database: Database,
    namespace: int,
    offered: Offer,
    conversation: int | None,
    config: CacheConfig,
    similarity: Similarity,
) -> Added:
    """Store an answer if it is good, and unlike the others or better.

    It is compared with the answers outside a transaction, so that nobody waits for that, and once more if another
    process changed them meanwhile.

    Args:
        database: The file.
        namespace: Id of the namespace.
        offered: The answer.
        conversation: Number of the conversation that has had it.
        config: What is kept.
        similarity: How alike two answers are.
    """
    while True:
        now = time.time()
        with database.read() as db:
            stored = answers_to(db, find_prompt(db, namespace, offered.key), now)
        verdict = _fitting(stored, offered, config, judge(stored, offered.text, offered.quality, config, similarity))
        with database.write() as db:
            drop_ended(db, now, find_prompt(db, namespace, offered.key), _ENDED_AT_ONCE)
            prompt = find_prompt(db, namespace, offered.key)  # which may have gone with its last answer
            if answers_to(db, prompt, now) != stored:
                continue
            note_heard(db, conversation, sentence_hash(offered.text), config.max_heard)
            if verdict.kept:
                prompt = put_prompt(db, namespace, offered.key, offered.prompt, now) if prompt is None else prompt
                _put(db, prompt, offered, verdict, None if config.ttl is None else now + config.ttl)
            elif verdict.dropped:
                _drop(db, verdict.dropped)
                settle(db, prompt)
            if prompt is not None:
                db.execute("UPDATE prompts SET offered = offered + 1, used = ? WHERE id = ?", (now, prompt))
                make_room(db, config, prompt)
        return Added(verdict.kept, verdict.reason)


def _fitting(stored: Sequence[Stored], offered: Offer, config: CacheConfig, verdict: Verdict) -> Verdict:
    """Refuse an answer with which the prompt alone would be over the bound of the whole file."""
    staying = [answer.text for answer in stored if answer.id not in verdict.dropped]
    size = sum(map(size_in_file, [offered.prompt, offered.text, *staying]))
    if verdict.kept and verdict.same is None and size > config.max_bytes:
        return Verdict(False, f"its prompt would take more than `max_bytes`, {config.max_bytes} ({size})")
    return verdict


def _put(db: Connection, prompt: int, offered: Offer, verdict: Verdict, expires: float | None) -> None:
    if verdict.same is not None:
        db.execute(
            "UPDATE answers SET quality = coalesce(?, quality), expires = ? WHERE id = ?",
            (offered.quality, expires, verdict.same),
        )
        return
    _drop(db, verdict.dropped)
    worth = 0.0 if offered.quality is None else offered.quality
    put_answer(db, prompt, offered.text, worth, expires)


def _drop(db: Connection, answers: Sequence[int]) -> None:
    db.executemany("DELETE FROM answers WHERE id = ?", [(answer,) for answer in answers])
