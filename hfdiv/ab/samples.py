"""Conversations of each arm, to be read side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hfdiv.ab.row import Conversation


@dataclass(frozen=True)
class Sample:
    """One conversation of each arm.

    Attributes:
        talks (`dict[str, Conversation]`): By arm.
        same_question (`bool`): Whether all of them begin with the same question.
    """

    talks: dict[str, Conversation]
    same_question: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "same_question": self.same_question,
            "conversations": {
                arm: {
                    "unit_id": talk.unit,
                    "conversation_id": talk.id,
                    "messages": [{"role": turn.role, "content": turn.content} for turn in talk.turns],
                    "values": talk.values,
                }
                for arm, talk in self.talks.items()
            },
        }


def choose_samples(texts: Mapping[str, Mapping[str, Sequence[Conversation]]], n: int) -> list[Sample]:
    """Return conversations to show: about the same questions, if the arms share any, and never picked by a number.

    Units come in the order of a draw that knows nothing of their conversations; of those, the ones at even steps.

    Args:
        texts: Conversations by arm and unit.
        n: How many of each arm, at most.
    """
    sides = {arm: [talk for talks in units.values() for talk in talks if talk.replies] for arm, units in texts.items()}
    asked = {arm: _by_question(talks) for arm, talks in sides.items()}
    questions = [
        question for question in next(iter(asked.values()), {}) if all(question in of for of in asked.values())
    ]
    if questions:
        return [
            Sample({arm: of[questions[step]] for arm, of in asked.items()}, True) for step in _steps(len(questions), n)
        ]
    fewest = min(map(len, sides.values()), default=0)
    return [Sample({arm: talks[step] for arm, talks in sides.items()}, False) for step in _steps(fewest, n)]


def _by_question(talks: Sequence[Conversation]) -> dict[str, Conversation]:
    found: dict[str, Conversation] = {}
    for talk in talks:
        question = next((turn.content for turn in talk.turns if turn.role == "user"), "")
        found.setdefault(question.strip().casefold(), talk)
    return found


def _steps(length: int, n: int) -> list[int]:
    steps: list[int] = np.linspace(0, length - 1, min(n, length)).round().astype(int).tolist()
    return steps
