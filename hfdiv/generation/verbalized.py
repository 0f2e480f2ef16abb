"""Verbalized sampling: ask for several replies and their probabilities in one prompt, and draw from the answer."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from hfdiv.generation.answer import read_answer


_INSTRUCTION = (
    "Generate {n} different responses to the message below. Put each in a <response> tag that holds a <text> and a "
    "numeric <probability>: how probable this response is among all that could be given{tail}. Write nothing else.\n"
    "<response><text>...</text><probability>0.05</probability></response>\n\n{message}"
)
_TAIL = ". Choose from the tails of that distribution, so that each probability is below {below:g}"


class VerbalizedFormatError(ValueError):
    """No reply can be read from the model's answer.

    Attributes:
        raw (`str`): The answer.
    """

    def __init__(self, message: str, raw: str) -> None:
        super().__init__(message)
        self.raw = raw


@dataclass(frozen=True)
class VerbalizedReplies:
    """Replies that a model gave in one answer.

    Attributes:
        texts (`list[str]`): The replies, in order.
        probabilities (`list[float]`): Theirs, made to sum to 1; all the same where the model gave none.
        verbalized (`bool`): Whether the probabilities are the model's.
        problems (`list[str]`): What was wrong with the answer, in words; empty if nothing was.
        raw (`str`): The answer.
    """

    texts: list[str]
    probabilities: list[float]
    verbalized: bool
    problems: list[str]
    raw: str

    def draw(self, n: int = 1, seed: int = 0) -> list[str]:
        """Draw n replies by their probabilities, each anew, so that a reply may come twice.

        Raises:
            ValueError: If `n` is below 1.
        """
        if n < 1:
            raise ValueError(f"`n` must be at least 1, got {n}.")
        return random.Random(seed).choices(self.texts, self.probabilities, k=n)


@dataclass(frozen=True)
class VerbalizedSampling:
    r"""Ask a model for n replies with their probabilities, instead of n times for one.

    A model that was tuned on preferences gives the typical reply again and again; asked for a distribution, it comes
    closer to the one that it was pretrained on (*Verbalized Sampling*, Zhang et al., 2025,
    https://huggingface.co/papers/2510.01171). Works with any model that follows instructions, behind any API. The
    wording is ours, after the paper's.

    Args:
        n: Replies to ask for, at least 1; 5 in the paper.
        below: Ask for replies from the tails: each with a probability below this, in (0, 1]. `None` does not.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> ask = VerbalizedSampling(n=2)
        >>> prompt = ask.prompt("Name a fruit.")  # for the model
        >>> replies = ask.parse("1. Apple (0.75)\n2. Quince (0.25)")  # its answer
        >>> replies.texts, replies.probabilities
        (['Apple', 'Quince'], [0.75, 0.25])
        >>> replies.draw(4, seed=0)
        ['Quince', 'Quince', 'Apple', 'Apple']
    """

    n: int = 5
    below: float | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"`n` must be at least 1, got {self.n}.")
        if self.below is not None and not 0 < self.below <= 1:
            raise ValueError(f"`below` must be above 0 and at most 1, got {self.below}.")

    @overload
    def prompt(self, prompt: str) -> str: ...
    @overload
    def prompt(self, prompt: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]: ...
    def prompt(self, prompt: str | Sequence[Mapping[str, Any]]) -> str | list[dict[str, Any]]:
        """Return the prompt with the instruction before it; of chat messages, before the user's last one.

        A system message is left alone, and none is added: not every chat template has one.

        Raises:
            TypeError: If the user's last message is not plain text.
            ValueError: If there is no user's message.
        """
        if isinstance(prompt, str):
            return self._instruct(prompt)
        messages = [dict(message) for message in prompt]
        for message in reversed(messages):
            if message["role"] == "user":
                if not isinstance(message["content"], str):
                    kind = type(message["content"]).__name__
                    raise TypeError(f"The user's last message must be plain text, got {kind}.")
                message["content"] = self._instruct(message["content"])
                return messages
        raise ValueError("The messages hold none of the user's: there is nothing to respond to.")

    def parse(self, answer: str) -> VerbalizedReplies:
        """As [`parse_verbalized`], with a problem more where the model gave another number of replies than n.

        Raises:
            VerbalizedFormatError: As [`parse_verbalized`].
        """
        replies = parse_verbalized(answer)
        if len(replies.texts) != self.n:
            replies.problems.append(f"{len(replies.texts)} replies where {self.n} were asked for")
        return replies

    def _instruct(self, message: str) -> str:
        tail = "" if self.below is None else _TAIL.format(below=self.below)
        return _INSTRUCTION.format(n=self.n, tail=tail, message=message)


def parse_verbalized(answer: str) -> VerbalizedReplies:
    """Read replies and their probabilities from a model's answer.

    Three forms are read: `<response>` tags, JSON (also broken, where whole replies can be saved) and numbered or
    bulleted lists, with probabilities as 0.3 or 30%, in English or Chinese. Probabilities need not sum to 1. If one
    reply has none, or all are 0, every reply is as probable as any other, and `problems` says so.

    Args:
        answer: What the model wrote.

    Raises:
        VerbalizedFormatError: If there is no reply in it. The error keeps the answer as `raw`.

    Example:
        >>> parse_verbalized('[{"text": "您好", "probability": 0.9}, {"text": "嗨", "proba').texts
        ['您好']
    """
    items, problems = read_answer(answer)
    if not items:
        reason = "; ".join(problems) or "neither <response> tags, nor JSON, nor a list"
        raise VerbalizedFormatError(f"No reply could be read from the answer ({reason}): {answer[:80]!r}.", answer)
    texts, weights = [text for text, _ in items], [weight for _, weight in items]
    given = [weight for weight in weights if weight is not None]
    if given and len(given) < len(items):
        problems.append(f"{len(items) - len(given)} of {len(items)} replies have no probability: none is used")
    elif given and sum(given) == 0:
        problems.append("all probabilities are 0: none is used")
    verbalized = len(given) == len(items) and sum(given) > 0
    shares = [weight / sum(given) for weight in given] if verbalized else [1 / len(items)] * len(items)
    return VerbalizedReplies(texts, shares, verbalized, problems, answer)
