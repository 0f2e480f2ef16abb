"""What is asked of a server: the fields of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from hfdiv.generation.backends.engines import ENGINES
from hfdiv.generation.backends.source import Source
from hfdiv.generation.config import DecodingConfig
from hfdiv.text import Response, is_chat, prompt_text


class Asked(NamedTuple):
    """One prompt, as a source is asked it.

    Attributes:
        prompt: A string, or chat messages.
        raw: Whether a string is to be continued as it is, rather than taken for a user's message.
        earlier: Earlier replies of the conversation, for the history penalty.
        log_probabilities: Whether the server is asked for them.
    """

    prompt: Response
    raw: bool = False
    earlier: Sequence[str] = ()
    log_probabilities: bool = False

    @property
    def is_text(self) -> bool:
        """Whether this goes to `/completions`, and not to `/chat/completions`."""
        return self.raw and isinstance(self.prompt, str)


def request_fields(source: Source, asked: Asked, n: int, seed: int) -> dict[str, Any]:
    """Return the fields of a request, those that are not in OpenAI's API under `extra_body`.

    Args:
        source: Who is asked.
        asked: What.
        n: For how many replies.
        seed: Of what is drawn.

    Example:
        >>> source = Source("http://localhost:8000/v1", "qwen", engine="vllm")
        >>> asked = request_fields(source, Asked("Hi"), n=2, seed=7)
        >>> asked["messages"], asked["max_tokens"], asked["extra_body"]
        ([{'role': 'user', 'content': 'Hi'}], 256, {'top_k': -1, 'min_p': 0.0, 'repetition_penalty': 1.0})
    """
    decoding, of_processors = decoding_fields(source.engine, source.config, asked.earlier)
    body = {"model": source.model, **_prompt(source, asked), "n": n, "seed": seed, **decoding}
    if asked.log_probabilities:
        body["logprobs"] = 1 if asked.is_text else True  # llama.cpp takes 0 for none
    extra = {name: body.pop(name) for name in list(body) if name not in _IN_OPENAIS_API}
    if of_processors:
        extra[str(ENGINES[source.engine].processors)] = of_processors
    extra |= source.extra_body
    return {**body, "extra_body": extra} if extra else body


def decoding_fields(
    engine: str, config: DecodingConfig, earlier: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return how to decode, by the engine's names for it, and what goes to hfdiv's processors in it.

    Example:
        >>> decoding_fields("vllm", DecodingConfig(dry_multiplier=0.8), [])[1]
        {'dry_multiplier': 0.8}
    """
    of_processors = ENGINES[engine].processor_settings(config)
    if "repetition_window" in of_processors:  # then the penalty is the processor's, too
        of_processors["repetition_penalty"] = config.repetition_penalty
        config = replace(config, repetition_penalty=1.0)
    if earlier and "history_multiplier" in of_processors:
        of_processors["history"] = list(earlier)
    else:  # nothing to look back upon
        of_processors = {name: value for name, value in of_processors.items() if not name.startswith("history_")}
    return ENGINES[engine].body(config), of_processors


def seed_of(seed: int, place: int, source: int, n_had: int) -> int:
    """Return the seed of a request: another one for each prompt, source and number of replies that are there already.

    It is from 0 to 2³¹ − 1, which every server takes, so that an interrupted run draws what it would have drawn.
    """
    (drawn,) = np.random.SeedSequence([seed, place, source, n_had]).generate_state(1, np.uint32).tolist()
    return int(drawn >> 1)


def check_prompt(prompt: Response, raw: bool) -> None:
    """Refuse a prompt that cannot be replied to.

    Raises:
        TypeError: If it is neither a string nor chat messages.
        ValueError: If it is empty, or its last message is the assistant's.
    """
    prompt_text(prompt)
    if is_chat(prompt) and prompt[-1]["role"] == "assistant":  # type: ignore[index]
        raise ValueError("its last message is the assistant's, so that there is nothing to reply to.")
    if raw and isinstance(prompt, str) and not prompt:
        raise ValueError("it is empty, and a model needs a token to go on from.")


_IN_OPENAIS_API = {
    *("model", "messages", "prompt", "n", "seed", "temperature", "top_p", "max_tokens", "max_completion_tokens"),
    *("frequency_penalty", "presence_penalty", "logprobs"),
}


def _prompt(source: Source, asked: Asked) -> dict[str, Any]:
    if asked.is_text:
        return {"prompt": asked.prompt}
    chat: list[Mapping[str, Any]]
    chat = [{"role": "user", "content": asked.prompt}] if isinstance(asked.prompt, str) else list(asked.prompt)
    return {"messages": _with_system(chat, source.system)}


def _with_system(chat: list[Mapping[str, Any]], text: str | None) -> list[Mapping[str, Any]]:
    """Put a source's system message in front, or behind the text of the one that is there."""
    if text is None:
        return chat
    first = chat[0]
    if first["role"] not in ("system", "developer"):
        return [{"role": "system", "content": text}, *chat]
    if isinstance(first["content"], str):
        joined: Any = f"{first['content']}\n\n{text}"
    else:
        joined = [*first["content"], {"type": "text", "text": text}]
    return [{**first, "content": joined}, *chat[1:]]
