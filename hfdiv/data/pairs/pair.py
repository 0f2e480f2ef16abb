"""A preference pair, and what did not become one."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol

from hfdiv.data.conversations.turns import Reply
from hfdiv.data.pairs.candidates import Candidate
from hfdiv.text import Response


class Pair(NamedTuple):
    """One reply preferred to another.

    Attributes:
        prompt: What both reply to: the prompt of the rejected one.
        chosen: The text preferred.
        rejected: The text it is preferred to.
        history: The earlier replies.
        numbers: Why, by the name of a column.
    """

    prompt: Response
    chosen: str
    rejected: str
    history: list[str]
    numbers: dict[str, float]


class Dropped(NamedTuple):
    """A prompt without a pair, or a reply that must not be preferred.

    Attributes:
        reason: Why.
        prompt: The prompt.
        response: The reply; None for the whole prompt.
        n_replies: How many replies the prompt has.
    """

    reason: str
    prompt: Response
    response: str | None
    n_replies: int


class PairMethod(Protocol):
    """From the replies to one prompt to pairs."""

    columns: ClassVar[tuple[str, ...]]
    """Names of the numbers of its pairs."""

    @property
    def signature(self) -> str:
        """Its name and settings."""
        ...

    def __call__(self, candidates: list[Candidate]) -> list[Pair] | str:
        """Return pairs, or why there are none."""
        ...


def paired(chosen: Reply, rejected: Reply, numbers: dict[str, float]) -> Pair:
    """Return the pair of two replies, in the conversation of the rejected one."""
    return Pair(rejected.prompt, chosen.response, rejected.response, rejected.history, numbers)
