"""A source of replies: a model at an OpenAI-compatible server, and how it is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from hfdiv.generation.backends.engines import ENGINES, check_settings, engine_of
from hfdiv.generation.config import DecodingConfig


_OURS = {"model", "messages", "prompt", "n", "stream"}  # of a request, what `extra_body` must leave alone
_TEXTS = ("base_url", "model", "name", "engine", "system", "api_key_env")


@dataclass(frozen=True)
class Source:
    """A model at an OpenAI-compatible server, and how it is asked.

    Args:
        base_url: Where the API is, such as `http://localhost:8000/v1`.
        model: The model's name there.
        config: How to decode; `num_return_sequences` is the number of replies to each prompt.
        engine: What the server is: "openai", "vllm", "sglang", "llama.cpp", or "compatible" for any other. Only the
            settings that it takes are allowed. Defaults to "openai" for api.openai.com and else "compatible".
        name: What the replies' source is called. Defaults to the model.
        system: Text of a system message. It is put behind that of the prompt, if there is one.
        extra_body: Further fields of each request, as the server's manual has them.
        api_key_env: Environment variable with the API key. Defaults to OPENAI_API_KEY for the engine "openai" and to
            none for others: a key is sent only where it was meant to go.
        n_per_request: Ask for at most so many replies at a time, of servers that refuse more. Defaults to all.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument is out of its range, or the server has no such setting.

    Example:
        >>> source = Source("http://localhost:8000/v1", "qwen", DecodingConfig(top_k=40), engine="vllm")
        >>> source.name
        'qwen'
    """

    base_url: str
    model: str
    config: DecodingConfig = field(default_factory=DecodingConfig)
    engine: str = ""
    name: str = ""
    system: str | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    api_key_env: str | None = None
    n_per_request: int | None = None

    def __post_init__(self) -> None:
        self._check_types()
        _check_url(self.base_url)
        defaults = {"engine": engine_of(self.base_url), "name": self.model}
        for name, value in defaults.items():
            object.__setattr__(self, name, getattr(self, name) or value)
        if self.engine not in ENGINES:
            raise ValueError(f"`engine` must be one of {', '.join(ENGINES)}, got {self.engine!r}.")
        if self.n_per_request is not None and self.n_per_request < 1:
            raise ValueError(f"`n_per_request` must be at least 1, got {self.n_per_request}.")
        if ours := sorted(_OURS.intersection(self.extra_body)):
            raise ValueError(f"`extra_body` must leave {', '.join(ours)} to hfdiv, got {dict(self.extra_body)}.")
        check_settings(self.config, self.engine)
        of_processors = ENGINES[self.engine].processor_settings(self.config)
        if self.engine == "sglang" and of_processors and "custom_logit_processor" not in self.extra_body:
            raise ValueError(
                f"`{next(iter(of_processors))}` needs hfdiv's processor in SGLang: give the text of it, which "
                "`hfdiv.generation.sglang.DiversityLogitProcessor.to_str()` returns, as `custom_logit_processor` in "
                "`extra_body`."
            )

    @property
    def n(self) -> int:
        """Replies to each prompt."""
        return self.config.num_return_sequences

    def api_key(self) -> str | None:
        """Return the key from the environment; None where none is needed.

        Raises:
            ValueError: If the variable is not set.
        """
        variable = self.api_key_env or ("OPENAI_API_KEY" if self.engine == "openai" else None)
        if variable is None:
            return None
        if not os.environ.get(variable):
            raise ValueError(
                f"{self.name}: the environment variable {variable} is to hold the API key and is not set."
            )
        return os.environ[variable]

    def settings(self) -> dict[str, Any]:
        """Return what decides about the replies, as JSON values: all but where the server is and its key."""
        kept = ("name", "model", "engine", "system", "extra_body", "n_per_request")
        changed = {
            setting.name: getattr(self.config, setting.name)
            for setting in fields(self.config)
            if getattr(self.config, setting.name) != setting.default
        }
        return {**{name: getattr(self, name) for name in kept}, "decoding": changed}

    def _check_types(self) -> None:
        for name in _TEXTS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise TypeError(f"`{name}` must be a text, got {value!r}.")
        if not self.model:
            raise ValueError("`model` must be the name of a model at the server, got ''.")
        if not isinstance(self.extra_body, Mapping):
            raise TypeError(f"`extra_body` must hold fields by name, got {self.extra_body!r}.")
        if self.n_per_request is not None and type(self.n_per_request) is not int:
            raise TypeError(f"`n_per_request` must be an integer, got {self.n_per_request!r}.")


def _check_url(url: str) -> None:
    if any(sign in url for sign in "@?#"):
        raise ValueError(
            "`base_url` must not hold a user, a password, or anything behind `?` or `#`: it is written down. Give a "
            "key in an environment variable, and its name as `api_key_env`."
        )
    try:
        parts = urlsplit(url)
        proper = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        proper = False
    if not proper:
        raise ValueError(f"`base_url` must be such as http://localhost:8000/v1, got {url!r}.")
