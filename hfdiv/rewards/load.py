"""Reward functions from a YAML file: `reward_functions: [{name, weight, ...}]`."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hfdiv._extras import require
from hfdiv.rewards.checked import CheckedReward, checked
from hfdiv.rewards.form import Reward, as_reward, nearest
from hfdiv.rewards.registry import get_reward
from hfdiv.rewards.user_file import load_from_file


_KEY = "reward_functions"
_KINDS = (ImportError, OSError, TypeError, ValueError)  # what a wrong entry raises


class LoadedRewards(NamedTuple):
    """Reward functions and their weights, as TRL's trainer and config take them."""

    functions: list[CheckedReward]
    """For `reward_funcs` of the trainer."""
    weights: list[float]
    """For `reward_weights` of its config."""


def load_rewards(source: str | Path | Mapping[str, Any] | Sequence[Any]) -> LoadedRewards:
    """Return the reward functions that a YAML file, or what was read from one, names.

    Each entry is a name, or a mapping:

    - `name`: a registered name ([`~hfdiv.rewards.reward_names`]); the dotted path of a function or class; or
      `path/to/file.py:function`, from the working directory. That file is run as the program's own code is: name only
      files that you trust.
    - `weight`: a finite number, 1 by default.
    - `label`: its name in the logs, where two entries would have the same.
    - All else goes to the reward as its options.

    Every function is a [`CheckedReward`].

    Args:
        source: Path of a YAML file with a list `reward_functions`; or such a mapping; or that list.

    Raises:
        ImportError: If a module or file cannot be loaded.
        TypeError: If an entry is neither, or its options do not fit.
        ValueError: If there is no entry, or one has an unknown name or a weight that is no finite number.

    Example:
        >>> functions, weights = load_rewards([{"name": "novelty_reward", "weight": 0.5, "n": 1}, "repetition_reward"])
        >>> [function.__name__ for function in functions], weights
        (['novelty_reward', 'repetition_reward'], [0.5, 1.0])
    """
    loaded: dict[str, tuple[str, CheckedReward, float]] = {}
    for place, entry in _entries(source):
        try:
            function, weight = _load(entry)
        except _KINDS as error:
            kind = next(kind for kind in _KINDS if isinstance(error, kind))
            raise kind(f"{place}: {error}") from error
        name = function.__name__
        if name in loaded:
            raise ValueError(f"{place}: {loaded[name][0]} is logged as {name!r} too. Give one of them a `label`.")
        loaded[name] = (place, function, weight)
    return LoadedRewards([function for _, function, _ in loaded.values()], [weight for *_, weight in loaded.values()])


def _entries(source: str | Path | Mapping[str, Any] | Sequence[Any]) -> list[tuple[str, Any]]:
    """Return each entry with its place, for errors."""
    origin, lines = "", None
    if isinstance(source, (str, Path)):
        origin = f"{source}: "
        source, lines = _read(Path(source))
    if isinstance(source, Mapping):
        if _KEY not in source:
            raise ValueError(f"{origin}there is no `{_KEY}`, only {sorted(map(str, source))}.")
        source = source[_KEY]
    if not isinstance(source, Sequence) or isinstance(source, str) or not source:
        raise ValueError(f"{origin}`{_KEY}` must be a list of at least one reward, got {source!r:.80}.")
    if lines is None:
        return [(f"{_KEY}[{row}]", entry) for row, entry in enumerate(source)]
    return [(f"{origin}line {line}", entry) for line, entry in zip(lines, source, strict=True)]


def _read(path: Path) -> tuple[Any, list[int]]:
    """Return what a YAML file holds, and the line of each reward in it."""
    yaml = require("yaml", "rewards")
    text = path.read_text(encoding="utf-8")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML file: {error}") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"{path} must hold `{_KEY}: [...]`, got {content!r:.80}.")
    listed = [value for key, value in root.value if key.value == _KEY and isinstance(value, yaml.SequenceNode)]
    return content, [item.start_mark.line + 1 for sequence in listed[-1:] for item in sequence.value]


def _load(entry: Any) -> tuple[CheckedReward, float]:  # noqa: ANN401 - what a file says
    settings = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
        raise TypeError(f"a reward must be a name or a mapping with a `name`, got {entry!r:.80}.")
    options = dict(settings)
    name, weight, label = options.pop("name"), options.pop("weight", 1.0), options.pop("label", None)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight):
        raise ValueError(f"`weight` of {name!r} must be a finite number, got {weight!r}.")
    if label is not None and not (isinstance(label, str) and label.strip()):
        raise TypeError(f"`label` of {name!r} must be a name, got {label!r}.")
    return checked(_find(name, options), label), float(weight)


def _find(name: str, options: Mapping[str, Any]) -> Reward:
    path, colon, attribute = name.rpartition(":")
    if colon:
        return as_reward(load_from_file(path, attribute), options, attribute)
    if "." not in name:
        return get_reward(name, **options)
    module, _, attribute = name.rpartition(".")
    try:
        home = importlib.import_module(module)
    except ModuleNotFoundError as error:
        hint = "A function in a file is named `path/to/file.py:function`."
        raise ImportError(f"cannot load {name!r}: {error}. {hint}") from error
    if not hasattr(home, attribute):
        raise ImportError(f"the module {module!r} has no {attribute!r}. {nearest(attribute, dir(home))}")
    return as_reward(getattr(home, attribute), options, attribute)
