"""Reward functions by name: hfdiv's own, and those that a user registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hfdiv.rewards.form import Reward, as_reward, check_form, nearest


_Target = TypeVar("_Target", bound=Callable[..., Any])

_REGISTERED: dict[str, Callable[..., Any]] = {}


def register_reward(name: str) -> Callable[[_Target], _Target]:
    """Decorate a reward function, or a class of them, to be found by name. It stays what it is.

    Two forms are taken: TRL's, `(prompts, completions, **columns) -> list[float | None]`, and one reply at a time,
    `(response, history) -> float | None`, text and list of the conversation's earlier replies.

    Args:
        name: Its name, not yet taken.

    Raises:
        TypeError: If what is decorated has neither form, or the name is no string.
        ValueError: If the name is empty, or taken by another function. One that is defined again, as in a notebook,
            takes the place of the former.

    Example:
        >>> @register_reward("polite")
        ... def polite(response, history):
        ...     return float("please" in response)
        >>> get_reward("polite")(prompts=["?"], completions=["Wait, please."])
        [1.0]
    """
    if not isinstance(name, str):
        raise TypeError(f'The name of a reward must be a string, got {name!r}: write @register_reward("name").')
    if not name.strip() or any(mark in name for mark in ".:/\\"):
        raise ValueError(f"The name of a reward must not be empty nor hold any of . : / \\, got {name!r}.")

    def register(target: _Target) -> _Target:
        taken = _REGISTERED.get(name, target)
        if _place(taken) != _place(target):
            raise ValueError(f"A reward named {name!r} exists: {_place(taken)}. Rename one of them.")
        check_form(target, name)
        _REGISTERED[name] = target
        return target

    return register


def get_reward(name: str, **options: Any) -> Reward:  # noqa: ANN401 - the reward's own
    """Return the registered reward of this name, ready for `reward_funcs` of a TRL trainer.

    Args:
        name: One of [`reward_names`].
        options: Arguments of its class, or further arguments of its function.

    Raises:
        TypeError: If it does not take these options.
        ValueError: If no reward has this name.

    Example:
        >>> get_reward("distinct_reward", n=1)(prompts=["?"], completions=["no no"])
        [0.5]
    """
    if name not in _REGISTERED:
        raise ValueError(f"There is no reward named {name!r}. {nearest(name, _REGISTERED)}")
    return as_reward(_REGISTERED[name], options, name)


def reward_names() -> list[str]:
    """Return the names of all registered rewards, in alphabetical order."""
    return sorted(_REGISTERED)


def _place(target: Callable[..., Any]) -> str:
    return f"{target.__module__}.{getattr(target, '__qualname__', type(target).__qualname__)}"
