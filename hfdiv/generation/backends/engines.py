"""What servers take beside OpenAI's API: the name of each setting in a request, and what is not to be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from hfdiv.generation.config import DecodingConfig


_ALWAYS = {"max_new_tokens", "do_sample", "num_return_sequences", "seed"}  # every server has them, in some form
_OPENAI = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_VLLM = (*_OPENAI, "top_k", "min_p", "repetition_penalty")
_DRY = ("dry_multiplier", "dry_base", "dry_allowed_length")
_XTC = ("xtc_probability", "xtc_threshold")
_HISTORY = ("history_multiplier", "history_base", "history_allowed_length", "history_scope")

PROCESSOR_SETTINGS = (*_DRY, *_XTC, *_HISTORY, "lz_strength", "top_n_sigma", "repetition_window")
"""What hfdiv's own processors ([`~hfdiv.generation.serving.PARAMETERS`]) bring into a vLLM or SGLang server."""

_WHOLE_TEXT = 1 << 17  # tokens; llama.cpp's own word for it, -1, is refused by newer versions of it

PROBE = {"dry_multiplier": -1}
"""What a server refuses if hfdiv's processors are in it, and else passes over."""


@dataclass(frozen=True)
class Engine:
    """What a kind of server takes.

    Attributes:
        names: By setting of [`~hfdiv.generation.DecodingConfig`], its name in a request.
        off: By setting, what a request says where it is off, if not what the config says.
        token_limit: Name of the limit of tokens.
        sends_defaults: Whether also settings at their defaults are sent, because the server may have others: those of
            the model's own generation config, say.
        processors: Field of a request for hfdiv's processors in the server, if there can be any.
    """

    names: Mapping[str, str]
    off: Mapping[str, Any] = field(default_factory=dict)
    token_limit: str = "max_tokens"
    sends_defaults: bool = True
    processors: str | None = None

    def body(self, config: DecodingConfig) -> dict[str, Any]:
        """Return what a request says of the settings."""
        body: dict[str, Any] = {self.token_limit: config.max_new_tokens}
        for setting in fields(config):
            value = getattr(config, setting.name)
            at_default = value == setting.default
            if setting.name in self.names and (self.sends_defaults or not at_default):
                body[self.names[setting.name]] = self.off.get(setting.name, value) if at_default else value
        if not config.samples:
            body["temperature"] = 0.0
        return body

    def knows(self, setting: str) -> bool:
        """Tell whether a server of this kind takes a setting, by itself or with hfdiv's processors in it."""
        return setting in self.names or (self.processors is not None and setting in PROCESSOR_SETTINGS)

    def processor_settings(self, config: DecodingConfig) -> dict[str, Any]:
        """Return the settings that are not the server's own, but of hfdiv's processors in it."""
        return {
            setting.name: getattr(config, setting.name)
            for setting in fields(config)
            if self.knows(setting.name)
            and setting.name not in self.names
            and getattr(config, setting.name) != setting.default
        }


ENGINES: dict[str, Engine] = {
    # OpenAI's own: some of its models refuse `temperature` and `top_p` even at 1, and others `max_tokens`.
    "openai": Engine({name: name for name in _OPENAI}, token_limit="max_completion_tokens", sends_defaults=False),
    # Any other server, of which nothing more is known.
    "compatible": Engine({name: name for name in _OPENAI}),
    "vllm": Engine({name: name for name in _VLLM}, off={"top_k": -1}, processors="vllm_xargs"),
    "sglang": Engine({name: name for name in _VLLM}, off={"top_k": -1}, processors="custom_params"),
    "llama.cpp": Engine(
        {name: name for name in (*_VLLM, *_DRY, *_XTC, "top_n_sigma")}
        | {"repetition_penalty": "repeat_penalty", "repetition_window": "repeat_last_n"},
        off={"top_n_sigma": -1, "repetition_window": _WHOLE_TEXT},
    ),
}


def engine_of(base_url: str) -> str:
    """Return the name of the engine that a server is taken for, where the user does not say.

    Example:
        >>> engine_of("https://api.openai.com/v1"), engine_of("http://localhost:8000/v1")
        ('openai', 'compatible')
    """
    return "openai" if urlsplit(base_url).hostname == "api.openai.com" else "compatible"


def check_settings(config: DecodingConfig, engine: str) -> None:
    """Refuse settings that a server of this kind does not have: it would pass over them in silence.

    Raises:
        ValueError: If there is one. The message says where it can be had.

    Example:
        >>> check_settings(DecodingConfig(top_k=40), "compatible")
        Traceback (most recent call last):
        ...
        ValueError: `top_k` is no setting of OpenAI's API, so that a server would pass over it. If it is one of vllm, \
sglang, llama.cpp, say so as its `engine`; else leave it out.
    """
    for setting in fields(config):
        name = setting.name
        if name in _ALWAYS or ENGINES[engine].knows(name) or getattr(config, name) == setting.default:
            continue
        where = ", ".join(other for other, its in ENGINES.items() if its.knows(name))
        if not where:
            raise ValueError(
                f"`{name}` needs the model in this process, and a server would pass over it: leave it out, or use the "
                "backend transformers."
            )
        of = "of OpenAI's API" if engine in ("openai", "compatible") else f"of the engine {engine}"
        raise ValueError(
            f"`{name}` is no setting {of}, so that a server would pass over it. If it is one of {where}, say so as "
            "its `engine`; else leave it out."
        )
