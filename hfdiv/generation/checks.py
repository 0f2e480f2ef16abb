"""Whether the settings of a [`~hfdiv.generation.DecodingConfig`] have their types and ranges, and go together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from hfdiv.generation.config import DecodingConfig

_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}
_WORDS = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "a text"}
_SAMPLING_ONLY = {"temperature", "top_k", "top_p", "min_p", "xtc_probability", "arithmetic_sampling"}


def check_names(settings: Mapping[Any, Any], known: Iterable[str]) -> None:
    """Raise ValueError if a setting has a name that is not among the known ones."""
    known = list(known)
    for name in settings:
        if name not in known:
            close = get_close_matches(str(name), known, n=1)
            raise ValueError(
                f"There is no setting {name!r}. "
                + (f"Did you mean {close[0]!r}?" if close else f"The settings are {', '.join(sorted(known))}.")
            )


def check_value(setting: Field[Any], value: object) -> None:
    """Check one value by the type and the range that its field declares.

    Raises:
        TypeError: If it is of another type.
        ValueError: If it is out of its range.
    """
    kind, _, optional = str(setting.type).partition(" | ")
    if value is None and optional:
        return
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        none = " or None" * bool(optional)
        got = f"{value!r} ({type(value).__name__}).{_number_as_text(kind, value)}"
        raise TypeError(f"`{setting.name}` must be {_WORDS[kind]}{none}, got {got}")
    choices = setting.metadata.get("choices", [value])
    if value not in choices:
        raise ValueError(f"`{setting.name}` must be one of {list(choices)}, got {value!r}.")
    bounds = {name: setting.metadata.get(name) for name in ("at_least", "above", "at_most")}
    if not isinstance(value, (int, float)) or not any(bound is not None for bound in bounds.values()):
        return
    low, above, high = bounds.values()
    inside = (low is None or value >= low) and (above is None or value > above) and (high is None or value <= high)
    if not inside or not math.isfinite(value):
        said = [f"{name.replace('_', ' ')} {bound}" for name, bound in bounds.items() if bound is not None]
        raise ValueError(f"`{setting.name}` must be {' and '.join(said)}, got {value}.{_advice(setting.name, value)}")


def check_combination(config: DecodingConfig) -> None:
    """Raise ValueError, with the reason, if settings that are fine by themselves cannot or need not go together."""
    changed = {setting.name for setting in fields(config) if getattr(config, setting.name) != setting.default}
    refusals = _of_search(config, changed) | _of_sampling(config, changed) | _of_rows(config)
    for reason, applies in refusals.items():
        if applies:
            raise ValueError(reason)


def _of_search(config: DecodingConfig, changed: set[str]) -> dict[str, bool]:
    """What contrastive search and contrastive decoding refuse."""
    of_search, of_amateur = {"penalty_alpha", "contrastive_k"}, {"amateur_weight", "amateur_plausibility"}
    return {
        "`contrastive_search` draws nothing at random: leave `do_sample` unset.": (
            config.contrastive_search and bool(config.do_sample)
        ),
        "`contrastive_search` follows one continuation, not several beams: leave `num_beams` at 1.": (
            config.contrastive_search and config.num_beams > 1
        ),
        f"{_listed(of_search & changed)} would do nothing: set `contrastive_search` to True, or leave it out.": (
            not config.contrastive_search and bool(of_search & changed)
        ),
        f"{_listed(of_amateur & changed)} would do nothing: name an `amateur`, or leave it out.": (
            config.amateur is None and bool(of_amateur & changed)
        ),
    }


def _of_sampling(config: DecodingConfig, changed: set[str]) -> dict[str, bool]:
    """What has no sense without sampling, or not with these values."""
    beams, several = config.num_beams > 1, config.num_return_sequences > 1
    search = "contrastive search" if config.contrastive_search else "beam search" if beams else "greedy search"
    way_out = "leave out `contrastive_search`" if config.contrastive_search else "set `do_sample` to True"
    return {
        f"{_listed(_SAMPLING_ONLY & changed)} has a say in sampling only, and this is {search}: leave it out, or "
        f"{way_out}.": not config.samples and bool(_SAMPLING_ONLY & changed),
        "`top_n_sigma` never removes the likeliest token, which is all that greedy search takes: leave it out, or set "
        "`do_sample` to True.": (search == "greedy search" and not config.samples and config.top_n_sigma is not None),
        f"Without sampling all {config.num_return_sequences} replies to a prompt are the same: leave "
        f"`num_return_sequences` at 1, or {way_out}.": several and not beams and not config.samples,
        f"{config.num_beams} beams do not give {config.num_return_sequences} replies: `num_return_sequences` must be "
        "at most `num_beams`.": (beams and not config.samples and config.num_return_sequences > config.num_beams),
        "`no_repeat_ngram_size` of 1 would forbid every token that was used, the end of a reply included: set it to 2 "
        "or more, or use `presence_penalty`.": config.no_repeat_ngram_size == 1,
        f"`xtc_threshold` is {config.xtc_threshold}: XTC removes all but one of the tokens that reach it, and no two "
        "tokens reach more than 0.5, so it would do nothing. The usual value is 0.1.": (
            config.xtc_probability > 0 and config.xtc_threshold > 0.5
        ),
    }


def _of_rows(config: DecodingConfig) -> dict[str, bool]:
    """What needs several replies to a prompt, each in a row of its own from start to end."""
    refusals: dict[str, bool] = {}
    for name, asked, off in (
        ("sibling_multiplier", config.sibling_multiplier > 0, 0),
        ("arithmetic_sampling", config.arithmetic_sampling, False),
    ):
        refusals |= {
            f"`{name}` needs each row to stay one reply, and beam search moves them: leave `num_beams` at 1, or set "
            f"`{name}` to {off}.": asked and config.num_beams > 1,
            f"`{name}` is between the replies to one prompt, and there is one: set `num_return_sequences` to 2 or "
            f"more, or `{name}` to {off}.": asked and config.num_return_sequences == 1,
        }
    return refusals


def _listed(names: set[str]) -> str:
    return " and ".join(f"`{name}`" for name in sorted(names))


def _number_as_text(kind: str, value: object) -> str:
    if kind != "float" or not re.fullmatch(r"[+-]?\d+[eE][+-]?\d+", str(value)):
        return ""
    return " YAML reads numbers with an exponent only if they have a point, too: 1.0e-3."


def _advice(name: str, value: float) -> str:
    if name == "temperature" and value == 0:
        return " For greedy search, set `do_sample` to False."
    return ""
