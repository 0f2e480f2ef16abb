"""Many prompts asked of several sources at once, answers as they come."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, NamedTuple

from hfdiv._extras import require
from hfdiv.generation.backends.choices import Choices
from hfdiv.generation.backends.client import Client
from hfdiv.generation.backends.failures import PromptError, SourceError
from hfdiv.generation.backends.request import Asked, seed_of
from hfdiv.generation.backends.source import Source


_FAILURES_AT_FIRST = 5  # so many prompts in a row, and not one answer: the source is taken to be wrong


class Wanted(NamedTuple):
    """Replies that a source is still to write to a prompt.

    Attributes:
        place: The prompt's place among all.
        source: The source's place among all.
        n_had: How many of its replies are there already.
    """

    place: int
    source: int
    n_had: int = 0


class Answer(NamedTuple):
    """Replies of a source to a prompt: all that it was to write, or some of them."""

    place: int
    source: int
    choices: Choices


class Failure(NamedTuple):
    """A source that does not reply to a prompt, and why."""

    place: int
    source: int
    reason: str


@dataclass(frozen=True)
class Limits:
    """How a server is treated.

    Attributes:
        concurrency: Requests at once to one server.
        timeout: Seconds for one try.
        retries: How often a failed request is sent again.

    Raises:
        ValueError: If one is out of its range.
    """

    concurrency: int = 8
    timeout: float = 600.0
    retries: int = 5

    def __post_init__(self) -> None:
        for name, low in (("concurrency", 1), ("retries", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"`{name}` must be at least {low}, got {getattr(self, name)}.")
        if not 0 < self.timeout < float("inf"):
            raise ValueError(f"`timeout` must be a number of seconds above 0, got {self.timeout}.")


def ask(
    sources: Sequence[Source],
    prompts: Sequence[Asked],
    wanted: Sequence[Wanted],
    seed: int = 0,
    limits: Limits | None = None,
    keep: Callable[[Answer], None] | None = None,
    proven: bool = False,
) -> Generator[Answer | Failure, None, None]:
    """Yield the answers to prompts as they come, and what failed.

    The requests run on a thread of their own, so that this works where an event loop runs already, such as in a
    notebook, and they go on while an answer is worked upon.

    Args:
        sources: Who is asked.
        prompts: What, by place.
        wanted: Which source is to reply to which prompt, in the order of asking.
        seed: Of all that is drawn.
        limits: Of requests.
        keep: Called with each answer as soon as it is there, on that other thread: to write it down.
        proven: Whether the sources have answered before. Else one that fails for the first five prompts is taken to
            be wrong.

    Raises:
        ImportError: If `openai` or `tenacity` is not installed.
        SourceError: If a source answers nothing at all.
        ValueError: If a source needs a key that is not in the environment.

    Example:
        sources = [Source("http://localhost:8000/v1", "qwen", DecodingConfig(num_return_sequences=4))]
        for answer in ask(sources, [Asked("Hi")], [Wanted(place=0, source=0)]):
            print(answer)
    """
    limits = limits or Limits()
    clients = [Client(source, limits.timeout, limits.retries) for source in sources]
    answered = set(range(len(sources))) if proven else set()
    return _on_a_thread(_Run(clients, prompts, seed, limits.concurrency, keep, answered), wanted)


def _on_a_thread(run: _Run, wanted: Sequence[Wanted]) -> Generator[Answer | Failure, None, None]:
    with require("anyio.from_thread", "openai").start_blocking_portal() as portal:
        running = portal.start_task_soon(run.all, wanted)
        try:
            while (item := run.out.get()) is not None:
                yield item
            running.result()
        finally:
            running.cancel()


@dataclass
class _Run:
    """What goes on in the event loop."""

    clients: Sequence[Client]
    prompts: Sequence[Asked]
    seed: int
    concurrency: int
    keep: Callable[[Answer], None] | None
    answered: set[int]  # sources that have answered something
    failed: Counter[int] = field(default_factory=Counter)
    out: SimpleQueue[Any] = field(default_factory=SimpleQueue)  # of answers and failures, and None at the end

    async def all(self, wanted: Sequence[Wanted]) -> None:
        """Do all that is wanted, server by server; on an error or when cancelled, leave the rest."""
        queues: dict[str, deque[Wanted]] = {}
        for each in wanted:
            queues.setdefault(self.clients[each.source].source.base_url, deque()).append(each)
        workers = [
            asyncio.create_task(self._worker(queue))
            for queue in queues.values()
            for _ in range(min(self.concurrency, len(queue)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            with require("anyio", "openai").CancelScope(shield=True):
                await asyncio.gather(*workers, return_exceptions=True)
                await asyncio.gather(*(client.close() for client in self.clients), return_exceptions=True)
            self.out.put(None)

    async def _worker(self, queue: deque[Wanted]) -> None:
        while queue:
            await self._one(queue.popleft())

    async def _one(self, wanted: Wanted) -> None:
        """Ask a source until all its replies to a prompt are there: servers may give fewer than they were asked."""
        place, number, n_had = wanted
        client = self.clients[number]
        source = client.source
        while n_had < source.n:
            n = min(source.n - n_had, source.n_per_request or source.n)
            try:
                choices = await client.ask(self.prompts[place], n, seed_of(self.seed, place, number, n_had))
            except PromptError as error:
                self._count_failure(number, error)
                self.out.put(Failure(place, number, str(error)))
                return
            self.answered.add(number)
            answer = Answer(place, number, choices)
            if self.keep is not None:
                self.keep(answer)
            self.out.put(answer)
            n_had += len(choices)

    def _count_failure(self, number: int, error: PromptError) -> None:
        self.failed[number] += 1
        if number not in self.answered and self.failed[number] >= _FAILURES_AT_FIRST:
            source = self.clients[number].source
            raise SourceError(
                f"{source.name} at {source.base_url} failed for the first {self.failed[number]} prompts, the last "
                f"time with: {error}"
            ) from error
