"""Reward columns beside the user's reward functions: TRL weights, logs and tabulates them like any other."""

from __future__ import annotations

import copy
from typing import Any


class DiversityColumn:
    """Holds the place of the diversity reward among the reward functions; the trainer fills its column."""

    __name__ = "diversity"

    def __call__(self, completions: list[Any], **_: Any) -> list[None]:  # noqa: ANN401 - columns of any type
        """Return no reward for each completion."""
        return [None] * len(completions)


def append_rewards(given: dict[str, Any], columns: dict[Any, float]) -> None:
    """Add reward functions with their weights to a trainer's arguments, leaving the caller's own lists as they are.

    Args:
        given: The trainer's arguments by name; changed in place.
        columns: Reward function → weight.

    Raises:
        ValueError: If a reward function already has the name of one of `columns`.
    """
    if not columns:
        return
    rewards = given.get("reward_funcs")
    rewards = [] if rewards is None else list(rewards) if isinstance(rewards, list) else [rewards]
    for column in columns:
        if any(getattr(reward, "__name__", None) == column.__name__ for reward in rewards):
            raise ValueError(
                f"A reward function is already named {column.__name__!r}; rename it: the trainer adds its own."
            )
    given["args"] = config = copy.copy(given["args"])  # the caller may use theirs again
    weights = [1.0] * len(rewards) if config.reward_weights is None else config.reward_weights
    given["reward_funcs"] = [*rewards, *columns]
    config.reward_weights = [*weights, *columns.values()]
    processing = given.get("reward_processing_classes")
    if processing is not None:
        processing = processing if isinstance(processing, list) else [processing]
        given["reward_processing_classes"] = [*processing, *[None] * len(columns)]
