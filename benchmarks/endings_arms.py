"""The arms of `headline_endings.py`: what the model was trained for, and how its replies are decoded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from real_arms import ARMS as REAL
from real_arms import CONTROL, MAIN
from real_arms import Arm as Training
from real_world import MILD, MONOTONE


SEEDS, CONVERSATIONS, TURNS = 3, 25, 5
"""Seeds of an arm, conversations of a seed, and turns of a conversation: 3 × 25 × 4 = 300 replies with a history."""
ALIKE = 0.8
"""Similarity of last sentences above which two replies end alike."""
BASES = (MONOTONE, MILD)


def _trainings(steps: int) -> dict[str, Training]:
    """Return the ways to train; `steps` are those of GRPO without a history."""
    target = replace(REAL[MAIN], steps=steps)
    return {
        "": Training("base"),
        CONTROL: replace(REAL[CONTROL], steps=steps),
        MAIN: target,
        "history": Training(
            "grpo",
            training={**target.training, "history_weight": 1.0, "history_threshold": 0.5},
            steps=14,
            gate=True,
            history=True,
            after=target,
        ),
    }


TRAININGS = {MONOTONE: _trainings(REAL[MAIN].steps), MILD: _trainings(20)}
"""How the model was trained, from each base; the milder one has less to go. Two are runs of `headline_real.py`."""

_PENALTY = {
    "temperature": 0.7,
    "history_multiplier": 4.0,
    "history_allowed_length": 1,
    "history_scope": "ending",
}


@dataclass(frozen=True)
class Arm:
    """One arm.

    Attributes:
        training (`str`): A key of those of its base in `TRAININGS`.
        decoding (`dict`): Arguments of `DecodingConfig`.
        candidates (`int`): Replies to choose from at each turn.
        history (`bool`): Whether the prompt holds the conversation so far.
    """

    training: str = ""
    decoding: dict[str, Any] = field(default_factory=dict)
    candidates: int = 1
    history: bool = False

    @property
    def control(self) -> str:
        """The arm whose quality it must not fall below."""
        return CONTROL if self.training else "plain"


_COOLER = {"temperature": 0.7}
ARMS: dict[str, Arm] = {
    "plain": Arm(),
    "penalty": Arm(decoding=_PENALTY),
    "re-ranking": Arm(candidates=4),
    "penalty + re-ranking": Arm(decoding=_PENALTY, candidates=4),
    CONTROL: Arm(CONTROL),
    "history in training": Arm("history", _COOLER, history=True),
    "trained": Arm(MAIN, _COOLER),
    "trained + penalty": Arm(MAIN, _PENALTY),
    "trained + both": Arm(MAIN, _PENALTY, candidates=4),
    "history in training + penalty": Arm("history", _PENALTY, history=True),
}
NAMES = [f"{base}: {arm}" for arm in ARMS for base in BASES]
