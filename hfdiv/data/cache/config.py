"""What a response cache keeps, what it serves, and how large it may grow."""

from __future__ import annotations

import math
from dataclasses import Field, dataclass, field, fields
from typing import Any, get_args

from hfdiv.selection import Method


def _setting(default: object, text: str, **range_: Any) -> Any:  # noqa: ANN401 - the field's own type
    return field(default=default, metadata={"help": text, **range_})


@dataclass(frozen=True)
class CacheConfig:
    """The settings of a [`~hfdiv.data.cache.ResponseCache`].

    All processes that share a file should be given the same. Each field says what it means in `metadata["help"]`.

    Raises:
        TypeError: If a value is of the wrong type.
        ValueError: If a value is out of its range, or if two do not go together.

    Example:
        >>> CacheConfig(k=4, ttl=7 * 24 * 3600).answers_to_serve
        4
        >>> CacheConfig(k=4, fill=5)
        Traceback (most recent call last):
        ...
        ValueError: `fill` must be at most `k`, 4, got 5: more than `k` answers are never stored.
    """

    k: int = _setting(5, "Different answers kept for a prompt.", at_least=1)
    fill: int | None = _setting(
        None,
        "Answers that a prompt must have before one is served: until then `get` misses, so that new ones are written. "
        "Default: k. 1 serves from the first on.",
        at_least=1,
    )
    patience: int | None = _setting(
        None,
        "Answers offered for a prompt after which it is served with fewer than `fill`, because the model writes no "
        "more that differ. Default: three times `fill`.",
        at_least=1,
    )
    ttl: float | None = _setting(None, "Seconds that an answer lives after it was added. Default: forever.", above=0)
    min_quality: float | None = _setting(None, "An answer of a lower quality is not stored. Default: any is.")
    max_similarity: float = _setting(
        0.5,
        "Two answers at least so alike are copies of each other: of these only the better is stored.",
        above=0,
        at_most=1,
    )
    method: str = _setting(
        "mmr", "How the k best and most different of k + 1 answers are chosen.", choices=get_args(Method)
    )
    trade_off: float | None = _setting(
        None, "Weight of quality against difference in that choice. Default: 0.5.", at_least=0, at_most=1
    )
    semantic_threshold: float = _setting(
        0.97, "Cosine from which on two questions are taken for the same.", above=0, at_most=1
    )
    semantic_max_chars: int = _setting(
        250,
        "Longer questions are found by their exact text alone. An encoder must read so many characters to their end.",
        at_least=1,
    )
    max_answers: int | None = _setting(None, "Answers in the file, over all prompts. Default: no bound.", at_least=1)
    max_bytes: int = _setting(1_000_000_000, "Bytes of prompts and answers in the file, nearly.", at_least=1)
    max_heard: int = _setting(
        1_000_000,
        "Pairs of a conversation and an answer it had that are remembered; the oldest are forgotten first.",
        at_least=1,
    )
    durable: bool = _setting(
        False,
        "Wait for the disk at each change, so that nothing is lost when the power fails either. Without it the last "
        "changes before a power cut may be; a process that is killed never loses one.",
    )
    timeout: float = _setting(30.0, "Seconds to wait for other processes that write.", above=0)

    def __post_init__(self) -> None:
        for setting in fields(self):
            _check(setting, getattr(self, setting.name))
        if self.fill is not None and self.fill > self.k:
            raise ValueError(
                f"`fill` must be at most `k`, {self.k}, got {self.fill}: more than `k` answers are never stored."
            )
        if self.max_answers is not None and self.max_answers < self.k:
            raise ValueError(f"`max_answers` must be at least `k`, {self.k}, got {self.max_answers}.")
        if self.method == "max_min" and self.trade_off is not None:
            raise ValueError(f'`trade_off` is not for method="max_min", got {self.trade_off}. Leave it out.')
        if self.method == "dpp" and self.trade_off == 1:
            raise ValueError('`trade_off` must be below 1 for method="dpp", got 1.')

    @property
    def answers_to_serve(self) -> int:
        """`fill`, or what it defaults to."""
        return self.k if self.fill is None else self.fill

    @property
    def offers_to_serve(self) -> int:
        """`patience`, or what it defaults to."""
        return 3 * self.answers_to_serve if self.patience is None else self.patience


_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}
_WORDS = {"int": "an integer", "float": "a number", "bool": "True or False", "str": "a text"}


def _check(setting: Field[Any], value: Any) -> None:  # noqa: ANN401 - whatever a user gives
    """Check a value by the type and the range that its field declares."""
    kind, _, optional = str(setting.type).partition(" | ")
    if value is None and optional:
        return
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        none = " or None" * bool(optional)
        raise TypeError(f"`{setting.name}` must be {_WORDS[kind]}{none}, got {value!r} ({type(value).__name__}).")
    declared = setting.metadata
    choices = declared.get("choices", [value])
    if value not in choices:
        raise ValueError(f"`{setting.name}` must be one of {list(choices)}, got {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"`{setting.name}` must be a finite number, got {value}.")
    inside = {
        "at_least": lambda bound: value >= bound,
        "above": lambda bound: value > bound,
        "at_most": lambda bound: value <= bound,
    }
    said = {name: declared[name] for name in inside if name in declared}
    if not all(inside[name](bound) for name, bound in said.items()):
        words = " and ".join(f"{name.replace('_', ' ')} {bound}" for name, bound in said.items())
        raise ValueError(f"`{setting.name}` must be {words}, got {value}.")
