"""What a request to a server may ask of hfdiv's processors."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from hfdiv.generation.config import DecodingConfig


PARAMETERS = (
    "repetition_penalty",
    "repetition_window",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "lz_strength",
    "history_multiplier",
    "history_base",
    "history_allowed_length",
    "history_scope",
    "top_n_sigma",
    "xtc_probability",
    "xtc_threshold",
)
"""The fields of [`~hfdiv.generation.DecodingConfig`] that a request may set. What is not here is the server's own."""
HISTORY = "history"
"""The assistant's earlier replies, a list of texts, for the history penalty."""

_SAMPLING_ONLY = ("top_n_sigma", "xtc_probability")
_BEGINNINGS = ("repetition_", "dry_", "lz_", "history_", "top_n_sigma", "xtc_")


class Wish(NamedTuple):
    """What one request asks for.

    Attributes:
        config: How to decode.
        history: Earlier replies of the conversation.
    """

    config: DecodingConfig
    history: list[str]


def wish_of(arguments: Mapping[str, Any] | None, greedy: bool = False) -> Wish | None:
    """Read a request's extra arguments; `None` if they ask for nothing of ours.

    Arguments of other processors pass. One that begins like ours, or is spelled nearly like one of ours, is taken for
    a mistake.

    Args:
        arguments: By name; may hold those of other processors.
        greedy: Whether the request takes the likeliest token rather than draw.

    Raises:
        ValueError: If a value is of the wrong type or out of its range, a name is misspelled, or a setting would do
            nothing.

    Example:
        >>> wish_of({"dry_multiplier": 0.8, "session": 7}).config.dry_multiplier
        0.8
        >>> wish_of({"dry_multiplyer": 0.8})
        Traceback (most recent call last):
        ...
        ValueError: There is no parameter 'dry_multiplyer'. Did you mean 'dry_multiplier'?
    """
    known = {name: value for name, value in (arguments or {}).items() if name in (*PARAMETERS, HISTORY)}
    for name in arguments or {}:
        _check_name(name)
    if not known:
        return None
    history = known.pop(HISTORY, [])
    if not isinstance(history, (list, tuple)) or not all(isinstance(reply, str) for reply in history):
        raise ValueError(f"`{HISTORY}` must be a list of earlier replies, as texts, got {history!r:.80}.")
    for name in _SAMPLING_ONLY:
        if greedy and known.get(name):
            raise ValueError(
                f"`{name}` has a say in sampling only, and this request takes the likeliest token: raise its "
                f"`temperature` above 0, or leave `{name}` out."
            )
    try:
        config = DecodingConfig.from_dict({**known, "do_sample": not greedy})
    except TypeError as error:  # a server answers 400 to a ValueError, and 500 to another
        raise ValueError(str(error)) from error
    if history and not config.history_multiplier:
        raise ValueError(f"`{HISTORY}` would do nothing: set `history_multiplier`, or leave it out.")
    return Wish(config, list(history))


def _check_name(name: str) -> None:
    if name in (*PARAMETERS, HISTORY):
        return
    close = get_close_matches(str(name), (*PARAMETERS, HISTORY), n=1, cutoff=0.75)
    if close or str(name).startswith(_BEGINNINGS):
        hint = f"Did you mean {close[0]!r}?" if close else f"The parameters are {', '.join((*PARAMETERS, HISTORY))}."
        raise ValueError(f"There is no parameter {name!r}. {hint}")
