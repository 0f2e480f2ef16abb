"""Does a reply speak of the customer's matter? A cosine hardly sees it; the bodies that it is made of tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hfdiv.demo.texts import Message, Scenario


Bigrams = set[tuple[str, str]]

SPEAKS = 0.3
"""Share of a body's bigrams from which on a reply speaks of the body's matter."""


def astray(scenario: Scenario, messages: Sequence[Message], groups: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Tell which replies speak of another matter than their message, (messages, replies).

    A reply's matter is the category of the body that it has the largest share of bigrams of. The template, and a reply
    that has too little of any body, speak of none.
    """
    bodies = [(name, _bigrams(body)) for name, some in scenario.bodies.items() for body in some]
    return np.array(
        [
            [_matter(reply, bodies) not in (None, message.category) for reply in group]
            for message, group in zip(messages, groups, strict=True)
        ],
        dtype=np.float64,
    )


def _matter(reply: str, bodies: Sequence[tuple[str, Bigrams]]) -> str | None:
    said = _bigrams(reply)
    share, name = max((len(said & body) / len(body), name) for name, body in bodies)
    return name if share >= SPEAKS else None


def _bigrams(text: str) -> Bigrams:
    words = text.lower().split()
    return set(zip(words, words[1:], strict=False))
