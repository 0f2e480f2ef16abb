"""The options of `hfdiv generate` that belong to one backend, and the servers that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfdiv.data import DataError
from hfdiv.generation.config import DecodingConfig


if TYPE_CHECKING:
    from hfdiv.generation.backends import Source

_OF = {
    "base_url": ("openai",),
    "sources": ("openai",),
    "engine": ("openai",),
    "api_key_env": ("openai",),
    "concurrency": ("openai",),
    "timeout": ("openai",),
    "retries": ("openai",),
    "vllm_config": ("vllm",),
    "dtype": ("transformers", "vllm"),
    "device": ("transformers",),
    "batch_size": ("transformers",),
    "streaming": ("transformers",),
}


def check_backend(backend: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a backend does not have.

    Args:
        backend: The backend.
        options: Those of one backend or two, by name; None, False or an empty list where they were not given.

    Raises:
        DataError: If there is one. The message says whose it is.
    """
    for name, value in options.items():
        if value is None or value is False or value == [] or backend in _OF[name]:
            continue
        whose = " or ".join(f"--backend {owner}" for owner in _OF[name])
        raise DataError(f"--{name.replace('_', '-')} goes with {whose}, not with --backend {backend}.")


def sources_of(
    config: DecodingConfig,
    best_of: int | None,
    model: str | None,
    base_url: list[str] | None,
    engine: str | None,
    api_key_env: str | None,
    sources: Path | None,
) -> list[Source]:
    """Return who is asked for replies: those of a file, or one model at several servers.

    The replies to write to a prompt, `best_of` or else `num_return_sequences`, are shared out evenly.

    Raises:
        DataError: If this is not said, or said twice, or a server has no such setting.
    """
    from hfdiv.generation.backends import Source, even_shares, named_apart, read_sources

    n_written = best_of or config.num_return_sequences
    of_one = {"--model": model, "--base-url": base_url, "--engine": engine, "--api-key-env": api_key_env}
    if sources is not None and (both := [name for name, value in of_one.items() if value]):
        raise DataError(f"{' and '.join(both)} cannot be used with --sources, which says it of each source.")
    if sources is None and not (base_url and model):
        raise DataError(
            "--backend openai needs --base-url, such as http://localhost:8000/v1, and --model, the name of a model "
            "there; or --sources."
        )
    try:
        if sources is not None:
            return named_apart(read_sources(sources, config, n_written))
        urls = base_url or []
        shares = even_shares(n_written, len(urls))
        return named_apart(
            [
                Source(url, str(model), replace(config, num_return_sequences=n), engine or "", api_key_env=api_key_env)
                for url, n in zip(urls, shares, strict=True)
            ]
        )
    except (TypeError, ValueError) as error:
        raise DataError(str(error)) from error


def check_numbers(config: DecodingConfig, best_of: int | None, sources: list[Source]) -> None:
    """Hold the number of replies that the sources write to what was asked for.

    Raises:
        DataError: If it is another one.
    """
    n, asked = sum(source.n for source in sources), config.num_return_sequences
    if best_of is None and asked not in (1, n):
        raise DataError(
            f"The sources write {n} replies to a prompt, and `num_return_sequences` is {asked}: give --best-of {n} to "
            f"keep {asked} of them."
        )
    if best_of is not None and best_of != n:
        raise DataError(f"The sources write {n} replies to a prompt, and --best-of is {best_of}: give --best-of {n}.")
