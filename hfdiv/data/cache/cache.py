"""A response cache that stays varied: several good answers to a prompt, and none twice to the same conversation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, SupportsFloat

from hfdiv.data.cache.config import CacheConfig
from hfdiv.data.cache.contents import CacheStats, Entry, clear, entries, read_stats
from hfdiv.data.cache.database import Database
from hfdiv.data.cache.keep import Added
from hfdiv.data.cache.key import (
    Key,
    Namespace,
    conversation_hash,
    earlier_answers,
    namespace_name,
    prompt_json,
    prompt_key,
    sentence_hash,
)
from hfdiv.data.cache.meaning import Meanings
from hfdiv.data.cache.offer import Offer, offer
from hfdiv.data.cache.rotation import Listener, has_heard, serve
from hfdiv.data.cache.storage import count, drop_answer, find_prompt, namespace_id, prompt_of_id
from hfdiv.data.entry import reply_of
from hfdiv.similarity import EmbeddingSimilarity, NgramSimilarity, Similarity
from hfdiv.text import Response


class Answer(NamedTuple):
    """An answer to a prompt.

    Attributes:
        text: What to say.
        source: `"exact"`: stored for this very prompt; `"semantic"`: for one that means the same; `"generated"`: new.
        prompt: The prompt that it was written for.
        similarity: Cosine of the two prompts' questions; 1 unless `prompt` is another than the one asked.
        quality: The quality that it was stored with; NaN of a new one without any.
    """

    text: str
    source: Literal["exact", "semantic", "generated"]
    prompt: Response
    similarity: float
    quality: float


class ResponseCache:
    """Answers to common prompts from disk: several good ones to each, in turns, and none twice to a conversation.

    A prompt has up to `k` answers, which differ. `get` returns one that the conversation has not had, to whatever
    prompt, or None: then the model writes a new one, and `add` offers it to the cache. The first requests for a prompt
    are misses too, until it has `fill` answers.

    A prompt is found by its exact text ([`~hfdiv.data.cache.prompt_key`]), and with `semantic` also by its meaning.
    The file is SQLite's, for any number of threads and processes at once; a process that is killed loses nothing that
    `add` returned for.

    Args:
        path: The file. It is made where there is none. It must be on a local disk.
        namespace: What answers depend on beside the prompt, such as `{"model": ..., "temperature": ...}`: those of
            other namespaces in the file are never served.
        config: How many answers, how good, how long and how large.
        semantic: Encoder to find prompts by their meaning, with a name.
        similarity: How alike two answers are. Defaults to shared bigrams.

    Raises:
        DataError: If the file is no cache, is damaged, or was written by a newer version.
        OSError: If the file cannot be opened; `TimeoutError`, if other processes hold it too long.
        TypeError: If the namespace is neither a text nor a mapping of JSON values.
        ValueError: If the namespace is empty, or the encoder has no name.

    Example:
        >>> import tempfile
        >>> cache = ResponseCache(tempfile.mkdtemp() + "/answers.db", "demo", CacheConfig(k=2))
        >>> for text in ["It is on its way.", "Let me look for it."]:
        ...     print(cache.get("Where is my order?", "Ann"), cache.add("Where is my order?", text).reason)
        None it is the first
        None it is different
        >>> [cache.get("Where is my order?", name).text for name in ("Ann", "Ann", "Bob")]
        ['It is on its way.', 'Let me look for it.', 'It is on its way.']
        >>> cache.get("Where is my order?", "Ann") is None  # she had both
        True
    """

    def __init__(
        self,
        path: str | Path,
        namespace: Namespace,
        config: CacheConfig | None = None,
        *,
        semantic: EmbeddingSimilarity | None = None,
        similarity: Similarity | None = None,
    ) -> None:
        self.namespace = namespace_name(namespace)
        self.config = CacheConfig() if config is None else config
        self._similarity = NgramSimilarity() if similarity is None else similarity
        self._database = Database(path, self.config.timeout, self.config.durable)
        with self._database.write() as db:
            self._namespace = namespace_id(db, self.namespace)
        self._meanings = None if semantic is None else Meanings(self._database, self._namespace, semantic, self.config)

    def get(
        self,
        prompt: Response,
        conversation_id: str | None = None,
        history: Sequence[Response] = (),
        early: bool = False,
    ) -> Answer | None:
        """Return a stored answer that the conversation has not had, or None, for a new one to be written.

        Args:
            prompt: A text or chat messages. What the assistant says in them counts as had.
            conversation_id: Any text that names the conversation, or the person. None for nobody in particular.
            history: Earlier replies, as texts or chat messages; they count as had, also if they are not the cache's.
            early: Answer also from a prompt that has too few answers yet, as when the model is down.

        Raises:
            DataError: If a text holds half of a surrogate pair.
            OSError: If the file cannot be written to.
            TypeError: If an argument is of another type.
            ValueError: If `conversation_id` is empty.
        """
        key = prompt_key(prompt)
        heard = earlier_answers(prompt, history)
        listener = Listener(conversation_hash(conversation_id), heard, early)
        with self._database.write() as db:
            stored = find_prompt(db, self._namespace, key)
            row = None if stored is None else serve(db, stored, listener, self.config, time.time())
            if row is not None or self._meanings is None:
                count(db, self._namespace, "misses" if row is None else "exact_hits")
                return None if row is None else Answer(row.text, "exact", prompt, 1.0, row.quality)
        return self._by_meaning(self._meanings, key, stored, listener)

    def add(
        self,
        prompt: Response,
        answer: Response,
        *,
        quality: float | None = None,
        conversation_id: str | None = None,
    ) -> Added:
        """Offer an answer, which is stored if it is good, and unlike the others or better.

        Args:
            prompt: The prompt that it was written for.
            answer: A text, or chat messages of which the assistant's count.
            quality: Higher = better, on any scale. Defaults to 0; needed where `min_quality` is set. That of an answer
                that is stored already takes the place of the old one.
            conversation_id: The conversation in which it was said, so that it is not said there again.

        Raises:
            DataError: If a text holds half of a surrogate pair.
            OSError: If the file cannot be written to.
            TypeError: If an argument is of another type.
            ValueError: If the quality is missing or not finite, or `conversation_id` is empty.
        """
        offered = Offer(prompt_key(prompt), prompt_json(prompt), reply_of(answer), _checked(quality))
        added = offer(
            self._database,
            self._namespace,
            offered,
            conversation_hash(conversation_id),
            self.config,
            self._similarity,
        )
        if added and self._meanings is not None:
            self._meanings.refresh()
        return added

    def get_or_generate(
        self,
        prompt: Response,
        generate: Callable[[Response], str],
        conversation_id: str | None = None,
        history: Sequence[Response] = (),
        quality: Callable[[Response, str], float] | None = None,
    ) -> Answer:
        """Return what `get` returns, or a new answer, which is offered to the cache.

        Where the model writes what the conversation has had, a stored answer that it has not had is returned instead,
        if there is one. When `generate` fails, its error is raised, and nothing is stored.

        Args:
            prompt: As for [`get`].
            generate: Writes an answer to the prompt.
            conversation_id: As for [`get`].
            history: As for [`get`].
            quality: Returns the quality of an answer to the prompt.
        """
        answer = self.get(prompt, conversation_id, history)
        if answer is not None:
            return answer
        text = reply_of(generate(prompt))
        worth = None if quality is None else _checked(quality(prompt, text))
        repeated = self._was_said(text, earlier_answers(prompt, history), conversation_id)
        self.add(prompt, text, quality=worth, conversation_id=conversation_id)
        other = self.get(prompt, conversation_id, history, early=True) if repeated else None
        return other or Answer(text, "generated", prompt, 1.0, math.nan if worth is None else worth)

    def discard(self, prompt: Response, answer: Response) -> bool:
        """Delete an answer, such as one that people complained of; tell whether it was there.

        Args:
            prompt: The prompt that it was written for: `Answer.prompt`.
            answer: The answer; case and spaces do not matter.
        """
        key, sentence = prompt_key(prompt), sentence_hash(reply_of(answer))
        with self._database.write() as db:
            return drop_answer(db, find_prompt(db, self._namespace, key), sentence)

    def forget(self, conversation_id: str) -> None:
        """Forget which answers a conversation had."""
        with self._database.write() as db:
            db.execute("DELETE FROM heard WHERE conversation = ?", (conversation_hash(conversation_id),))

    def stats(self) -> CacheStats:
        """Count what is in this namespace and what it did, and measure how varied its answers are."""
        return read_stats(self._database, time.time(), self.namespace)

    def entries(self) -> Iterator[Entry]:
        """Yield the prompts of this namespace with their answers, as they stand at one moment."""
        return entries(self._database, time.time(), self.namespace)

    def clear(self) -> int:
        """Delete all answers of this namespace, and its counts; return how many answers it were."""
        return clear(self._database, self.namespace)

    def close(self) -> None:
        """Close the file; the cache cannot be used any more."""
        self._database.close()

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _by_meaning(self, meanings: Meanings, key: Key, tried: int | None, listener: Listener) -> Answer | None:
        near = [prompt for prompt in meanings.near(key) if prompt.prompt != tried]
        with self._database.write() as db:
            for similarity, prompt in near:
                row = serve(db, prompt, listener, self.config, time.time())
                if row is not None:
                    count(db, self._namespace, "semantic_hits")
                    return Answer(row.text, "semantic", prompt_of_id(db, prompt), similarity, row.quality)
            count(db, self._namespace, "misses")
        return None

    def _was_said(self, text: str, earlier: Collection[int], conversation_id: str | None) -> bool:
        sentence = sentence_hash(text)
        if sentence in earlier:
            return True
        with self._database.read() as db:
            return has_heard(db, conversation_hash(conversation_id), sentence)


def _checked(quality: float | None) -> float | None:
    """Return a quality as Python's own number."""
    if quality is None:
        return None
    if isinstance(quality, str) or not isinstance(quality, SupportsFloat):
        raise TypeError(f"`quality` must be a number, got {quality!r} ({type(quality).__name__}).")
    if not math.isfinite(number := float(quality)):
        raise ValueError(f"`quality` must be a finite number, got {number}.")
    return number
