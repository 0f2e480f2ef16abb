"""Several rewards as one: their weighted sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hfdiv.rewards.form import Reward, reward_name
from hfdiv.text import Response


class CombinedReward:
    """Weighted sum of reward functions, as TRL sums them: what is `None` or NaN is left out. Higher = better.

    `None` where no function has a score. Needed where only one reward function is taken, or where a sum shall be
    logged as one; otherwise give TRL the functions and `reward_weights`, and see each in the logs.

    Args:
        rewards: Reward functions in TRL's form, at least one.
        weights: One finite number each. Defaults to 1.
        name: Name in logs.

    Raises:
        ValueError: If there is no function, or not one finite weight each.

    Example:
        >>> def brief(completions, **columns):
        ...     return [-float(len(completion)) for completion in completions]
        >>> def asks(completions, **columns):
        ...     return [1.0 if "?" in completion else None for completion in completions]
        >>> combine([brief, asks], weights=[0.1, 2.0])(prompts=["Hi"] * 2, completions=["Why?", "No"])
        [1.6, -0.2]
    """

    def __init__(
        self, rewards: Sequence[Reward], weights: Sequence[float] | None = None, name: str = "combined"
    ) -> None:
        self.rewards = list(rewards)
        self.weights = [1.0] * len(self.rewards) if weights is None else [float(weight) for weight in weights]
        if not self.rewards:
            raise ValueError("`rewards` must hold at least one reward function, got none.")
        if len(self.weights) != len(self.rewards) or not all(map(math.isfinite, self.weights)):
            raise ValueError(
                f"`weights` must be one finite number for each of {len(self.rewards)} rewards, got {self.weights}."
            )
        self.__name__ = name

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        **columns: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion.

        Raises:
            ValueError: If a function does not return one score a completion.
        """
        given = []
        for reward in self.rewards:
            scores = list(reward(prompts=prompts, completions=completions, **columns))
            if len(scores) != len(completions):
                said = f"{len(scores)} scores for {len(completions)} completions"
                raise ValueError(f"The reward {reward_name(reward)!r} returned {said}.")
            given.append(scores)
        return [self._sum(row) for row in zip(*given, strict=True)]

    def _sum(self, scores: Sequence[float | None]) -> float | None:
        pairs = zip(self.weights, scores, strict=True)
        parts = [weight * float(score) for weight, score in pairs if score is not None and not math.isnan(score)]
        return math.fsum(parts) if parts else None


def combine(
    rewards: Sequence[Reward], weights: Sequence[float] | None = None, name: str = "combined"
) -> CombinedReward:
    """Return the weighted sum of several reward functions as one, a [`CombinedReward`]."""
    return CombinedReward(rewards, weights, name)
