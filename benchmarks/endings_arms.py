"""The arms of `headline_endings.py`: what the model was trained for, and how its replies are decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from real_arms import ARMS as REAL
from real_arms import CONTROL
from real_arms import Arm as Training
from real_world import MILD, MONOTONE


SEEDS, CONVERSATIONS, TURNS = 2, 25, 5
"""Seeds of an arm, conversations of a seed, and turns of a conversation: 2 × 25 × 4 = 200 replies with a history."""
ALIKE = 0.8
"""Similarity of last sentences above which two replies end alike."""
BASES = (MONOTONE, MILD)

TRAININGS: dict[str, Training] = {
    "": Training("base"),
    CONTROL: REAL[CONTROL],
    "target": REAL["target"],
    "history": Training(
        "grpo",
        training={**REAL["target"].training, "history_weight": 1.0, "history_threshold": 0.5},
        steps=14,
        gate=True,
        history=True,
        after=REAL["target"],
    ),
}
"""How the model was trained, from the monotone base; the first two are runs of `headline_real.py`."""

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
        training (`str`): A key of `TRAININGS`.
        decoding (`dict`): Arguments of `DecodingConfig`.
        candidates (`int`): Replies to choose from at each turn.
        history (`bool`): Whether the prompt holds the conversation so far.
    """

    training: str = ""
    decoding: dict[str, Any] = field(default_factory=dict)
    candidates: int = 1
    history: bool = False

    @property
    def bases(self) -> tuple[str, ...]:
        """Where it starts: what is trained, from the monotone base only."""
        return (MONOTONE,) if self.training else BASES

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
    "trained": Arm("target", _COOLER),
    "trained + penalty": Arm("target", _PENALTY),
    "trained + both": Arm("target", _PENALTY, candidates=4),
    "history in training + penalty": Arm("history", _PENALTY, history=True),
}
NAMES = [f"{base}: {arm}" for arm, known in ARMS.items() for base in known.bases]
