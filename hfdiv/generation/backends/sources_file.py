"""Several sources of replies: from a YAML file, with names that tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hfdiv._extras import require
from hfdiv.generation.backends.source import Source
from hfdiv.generation.checks import check_names
from hfdiv.generation.config import DecodingConfig


def read_sources(path: str | Path, config: DecodingConfig, n_written: int) -> list[Source]:
    """Read sources from a YAML file: a list, or a mapping with the list `sources`.

    Each is a mapping of [`Source`]'s arguments, with `n` for its number of replies and any other setting of
    [`~hfdiv.generation.DecodingConfig`] in place of what `config` says.

    Args:
        path: The file.
        config: The settings that all share.
        n_written: Replies to each prompt in all, where the sources do not say how many each writes.

    Raises:
        ImportError: If `pyyaml` is not installed.
        OSError: If the file cannot be read.
        ValueError: If it holds no such list. The message says which source and what.
    """
    yaml = require("yaml", "openai")
    try:
        listed = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML file: {error}") from error
    listed = listed.get("sources") if isinstance(listed, Mapping) else listed
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"{path} must hold a list of sources, each with `base_url` and `model`.")
    shares = _shares(path, listed, n_written)
    sources = []
    for place, (entry, share) in enumerate(zip(listed, shares, strict=True), 1):
        try:
            sources.append(_source(entry, config, share))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, source {place}: {error}") from error
    return sources


def named_apart(sources: Sequence[Source]) -> list[Source]:
    """Return the sources with names that tell them apart: the same ones are numbered.

    Example:
        >>> [source.name for source in named_apart([Source("http://a/v1", "m"), Source("http://b/v1", "m")])]
        ['m#1', 'm#2']
    """
    names = [source.name for source in sources]
    numbers = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [
        replace(source, name=f"{source.name}#{number}" if names.count(source.name) > 1 else source.name)
        for source, number in zip(sources, numbers, strict=True)
    ]


def even_shares(n_written: int, n_sources: int) -> list[int]:
    """Return how many replies each source writes: as evenly as can be, the first ones one more.

    Raises:
        ValueError: If there are fewer replies than sources.

    Example:
        >>> even_shares(8, 3)
        [3, 3, 2]
    """
    if n_written < n_sources:
        raise ValueError(
            f"{n_written} replies to a prompt cannot come from {n_sources} sources: ask for at least {n_sources}."
        )
    each, more = divmod(n_written, n_sources)
    return [each + (place < more) for place in range(n_sources)]


def _shares(path: str | Path, listed: Sequence[Any], n_written: int) -> list[int]:
    given = [entry.get("n") if isinstance(entry, Mapping) else None for entry in listed]
    if all(n is None for n in given):
        return even_shares(n_written, len(listed))
    for place, n in enumerate(given, 1):
        if type(n) is not int or n < 1:
            raise ValueError(
                f"{path}, source {place}: `n` must be an integer of at least 1 in all or none, got {n!r}."
            )
    return [int(n) for n in given if n is not None]


def _source(entry: Any, config: DecodingConfig, n: int) -> Source:  # noqa: ANN401 - what a file says
    if not isinstance(entry, Mapping):
        raise TypeError(f"it must be a mapping with `base_url` and `model`, got {entry!r:.80}.")
    own = [each.name for each in fields(Source) if each.name != "config"]
    decoding = [each.name for each in fields(config) if each.name not in ("num_return_sequences", "seed")]
    check_names(entry, [*own, "n", *decoding])
    missing = [name for name in ("base_url", "model") if name not in entry]
    if missing:
        raise ValueError(f"there is no `{missing[0]}`.")
    changes = {name: value for name, value in entry.items() if name in decoding}
    settings = {name: value for name, value in entry.items() if name in own and value is not None}
    return Source(config=replace(config, **changes, num_return_sequences=n), **settings)
