"""The two forms of a reward function, TRL's and `(response, history)`, made into one: TRL's."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hfdiv.rewards.conversation import earlier_replies
from hfdiv.text import Response, response_text


Reward: TypeAlias = Callable[..., Any]
"""A reward function as TRL calls it: `f(prompts=..., completions=..., completion_ids=..., **columns)`, to one score a
completion, `None` where it has none. Higher = better."""

_FROM_REPLY = ["response", "history"]
_FROM_TRL = ["prompts", "completions", "completion_ids", "trainer_state", "log_extra", "log_metric", "environments"]
_GIVEN = {*_FROM_REPLY, *_FROM_TRL}  # arguments that are no options


class PerReply:
    """A function of one reply and the earlier replies of its conversation, as a TRL reward function.

    The earlier replies are those of the `history` column where the dataset has one, else the assistant's messages in
    the prompt ([`~hfdiv.rewards.earlier_replies`]).

    Args:
        function: `(response, history, **options) -> float | None`: text and list of texts, oldest first, to a score;
            `None` for a reply that has none.
        options: Further arguments of `function`.
        name: Name in logs. Defaults to that of the function.

    Example:
        >>> def is_new(response, history):
        ...     return float(response not in history)
        >>> PerReply(is_new)(["Hi", "Hi"], ["Hello!", "Bye!"], history=[["Hello!"], ["Hello!"]])
        [0.0, 1.0]
    """

    def __init__(
        self, function: Callable[..., float | None], options: Mapping[str, Any] | None = None, name: str | None = None
    ) -> None:
        self.function = function
        self.options = dict(options or {})
        self.__name__ = name or reward_name(function)

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        history: Sequence[Any] | None = None,
        **_: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion."""
        earlier = earlier_replies(prompts, history)
        return [
            self.function(response_text(completion), replies, **self.options)
            for completion, replies in zip(completions, earlier, strict=True)
        ]


class WithOptions:
    """A TRL reward function some of whose arguments are fixed. They win over dataset columns of the same name.

    Args:
        function: A reward function in TRL's form.
        options: Its fixed arguments.
        name: Name in logs. Defaults to that of the function.

    Example:
        >>> def short(completions, limit, **columns):
        ...     return [float(len(completion) <= limit) for completion in completions]
        >>> WithOptions(short, {"limit": 2})(prompts=["?", "?"], completions=["No", "Yes"])
        [1.0, 0.0]
    """

    def __init__(self, function: Reward, options: Mapping[str, Any], name: str | None = None) -> None:
        self.function = function
        self.options = dict(options)
        self.__name__ = name or reward_name(function)

    def __call__(self, **arguments: Any) -> Any:  # noqa: ANN401 - dataset columns of any type
        """Return what the function returns."""
        return self.function(**{**arguments, **self.options})


def as_reward(target: Any, options: Mapping[str, Any] | None = None, name: str | None = None) -> Reward:  # noqa: ANN401
    """Return a function, callable or class of callables, of either form, as a reward function in TRL's.

    Args:
        target: What takes `(response, history)` or what TRL gives, or a class of such callables.
        options: Arguments of the class, or further arguments of the function.
        name: What to call it in errors, and in logs where it has no name of its own.

    Raises:
        TypeError: If it has neither form, does not take these options, or is asynchronous and has options or not TRL's
            form.
    """
    name = name or reward_name(target)
    options = dict(options or {})
    check_form(target, name)
    if inspect.isclass(target):
        _check_class_options(name, options, inspect.signature(target))
        target, options = target(**options), {}
    signature = inspect.signature(target)
    _check_known(name, options, [key for key in _named(signature) if key not in _GIVEN])
    if is_async(target) and (options or _is_per_reply(signature)):
        raise TypeError(f"{name!r} is asynchronous: it must take what TRL gives, (prompts, completions, **columns).")
    if _is_per_reply(signature):
        return PerReply(target, options, getattr(target, "__name__", name))
    reward: Reward = WithOptions(target, options) if options else target
    return reward


def check_form(target: Any, name: str) -> None:  # noqa: ANN401 - whatever a user gave
    """Refuse what can be no reward function, nor a class of them.

    Raises:
        TypeError: If `target` has neither form.
    """
    forms = "A reward function takes (response, history), or what TRL gives: (prompts, completions, **columns)"
    call = _method(target) if inspect.isclass(target) else target
    if not callable(call):
        raise TypeError(f"{forms}; {name!r} cannot be called.")
    signature = inspect.signature(call)
    takes_columns = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
    if not _is_per_reply(signature) and not takes_columns:
        raise TypeError(
            f"{forms}; {name!r} takes {signature}. In TRL's form it must end with **columns, because TRL passes "
            "every column of the dataset."
        )


def is_async(reward: Any) -> bool:  # noqa: ANN401 - any callable
    """Tell whether a reward function is asynchronous, so that TRL awaits it."""
    return any(map(inspect.iscoroutinefunction, (reward, type(reward).__call__)))


def reward_name(target: Any) -> str:  # noqa: ANN401 - any callable
    """Return the name by which TRL logs a reward function."""
    return str(getattr(target, "__name__", type(target).__name__))


def none_where_nan(values: NDArray[np.float64]) -> list[float | None]:
    """Return `(n,)` scores as a reward function must, `None` for those that are undefined.

    Example:
        >>> none_where_nan(np.array([0.5, np.nan]))
        [0.5, None]
    """
    return [None if math.isnan(value) else value for value in values.tolist()]


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the end of an error message: the known name that looks most like `name`, or all that there are.

    Example:
        >>> nearest("wieght", ["weight", "name"])
        "Did you mean 'weight'?"
    """
    known = sorted(known)
    close = get_close_matches(str(name), known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known) or 'none'}."


def _method(owner: type) -> Any:  # noqa: ANN401 - a method, or None
    """Return the `__call__` of a class's instances, without its `self`."""
    if not any("__call__" in base.__dict__ for base in owner.__mro__):
        return None  # `owner.__call__` would be the metaclass's, which makes instances
    return owner.__call__.__get__(object())


def _is_per_reply(signature: inspect.Signature) -> bool:
    return list(signature.parameters)[:2] == _FROM_REPLY


def _check_class_options(name: str, options: Mapping[str, Any], signature: inspect.Signature) -> None:
    """Refuse what a class does not take, and the lack of what it needs."""
    parameters = signature.parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        _check_known(name, options, _named(signature))
    needed = [key for key in _named(signature) if signature.parameters[key].default is inspect.Parameter.empty]
    missing = [key for key in needed if key not in options]
    if missing:
        raise TypeError(f"{name!r} needs the option {missing[0]!r}.")


def _check_known(name: str, options: Mapping[str, Any], known: Collection[str]) -> None:
    for option in options:
        if option not in known:
            raise TypeError(f"{name!r} has no option {option!r}. {nearest(option, known)}")


def _named(signature: inspect.Signature) -> list[str]:
    """Return the names of the arguments that can be given by name."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [key for key, parameter in signature.parameters.items() if parameter.kind in kinds]
