"""A reward function whose mistakes are found where they happen, and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, SupportsFloat

from hfdiv.rewards.form import Reward, is_async, reward_name
from hfdiv.text import Response


class CheckedReward:
    """A TRL reward function that must return one finite number or `None` a completion.

    TRL takes NaN for "no score", and an infinite reward spoils the advantages of its whole group. Here both are errors
    that name the function and the completion.

    Args:
        function: A reward function in TRL's form.
        name: Name in logs and errors. Defaults to that of the function.

    Example:
        >>> def letters(completions, **columns):
        ...     return [len(completion) if completion else float("-inf") for completion in completions]
        >>> CheckedReward(letters)(prompts=["?", "?"], completions=["Yes", ""])
        Traceback (most recent call last):
        ValueError: The reward 'letters' returned -inf for completion 1, ''. Return None where there is no score.
    """

    def __init__(self, function: Reward, name: str | None = None) -> None:
        self.function = function
        self.__name__ = name or reward_name(function)

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        **columns: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion.

        Raises:
            RuntimeError: If the function raises.
            TypeError: If it returns no list, or something in it is no number.
            ValueError: If it returns the wrong number of scores, or one that is NaN or infinite.
        """
        try:
            scores = self.function(prompts=prompts, completions=completions, **columns)
        except Exception as error:
            raise _failed(self.__name__, error) from error
        return check_scores(self.__name__, scores, completions)


class CheckedAsyncReward(CheckedReward):
    """As [`CheckedReward`], for an asynchronous function, which TRL awaits beside the others."""

    async def __call__(  # type: ignore[override]
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        **columns: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion; raises as [`CheckedReward`] does."""
        try:
            scores = await self.function(prompts=prompts, completions=completions, **columns)
        except Exception as error:
            raise _failed(self.__name__, error) from error
        return check_scores(self.__name__, scores, completions)


def checked(reward: Reward, name: str | None = None) -> CheckedReward:
    """Return `reward` as a [`CheckedReward`], or as a [`CheckedAsyncReward`] where it is asynchronous.

    Args:
        reward: A reward function in TRL's form.
        name: Name in logs and errors. Defaults to that of the function.
    """
    return (CheckedAsyncReward if is_async(reward) else CheckedReward)(reward, name)


def check_scores(name: str, scores: Any, completions: Sequence[Response]) -> list[float | None]:  # noqa: ANN401
    """Return what the reward function `name` returned as a list of floats and `None`.

    Args:
        name: Name of the function, for errors.
        scores: `(n,)`, a list, array or tensor.
        completions: `(n,)`.

    Raises:
        TypeError: If `scores` is no list, or something in it is no number.
        ValueError: If there is not one a completion, or one is NaN or infinite.
    """
    returned = f"The reward {name!r} returned"
    listed = scores.tolist() if hasattr(scores, "tolist") else scores
    if not isinstance(listed, Sequence) or isinstance(listed, (str, bytes)):
        raise TypeError(f"{returned} {type(scores).__name__} {scores!r:.80}: it must return a list of scores.")
    if len(listed) != len(completions):
        raise ValueError(f"{returned} {len(listed)} scores for {len(completions)} completions, not one each.")
    checked_scores: list[float | None] = []
    for row, score in enumerate(listed):
        at = f"for completion {row}, {completions[row]!r:.80}"
        if score is not None and not isinstance(score, SupportsFloat):
            raise TypeError(f"{returned} {score!r:.80} {at}: a score must be a number or None.")
        number = None if score is None else float(score)
        if number is not None and not math.isfinite(number):
            raise ValueError(f"{returned} {number} {at}. Return None where there is no score.")
        checked_scores.append(number)
    return checked_scores


def _failed(name: str, error: Exception) -> RuntimeError:
    return RuntimeError(f"The reward {name!r} raised {type(error).__name__}: {error}")
