"""The replies in an answer of an OpenAI-compatible server, which may be anything."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hfdiv.generation.backends.failures import RetryableError


# "stop" is OpenAI's; the others are what Text Generation Inference and gateways to other APIs say instead.
_ENDED = {"stop", "eos_token", "stop_sequence", "end_turn"}


@dataclass(frozen=True)
class Choices:
    """Replies of one source to one prompt.

    Attributes:
        responses (`list[str]`): The replies, without outer blanks.
        finished (`list[bool]`): Whether each ended by itself, rather than at a limit.
        log_probabilities (`list[float | None]`): Mean log-probability of each reply's tokens in nats, where the
            server said it.
    """

    responses: list[str]
    finished: list[bool]
    log_probabilities: list[float | None]

    def __len__(self) -> int:
        return len(self.responses)


def read_choices(body: str, at_most: int) -> Choices:
    """Read an answer of `/chat/completions` or `/completions`.

    Choices without a text are left out, such as those whose tokens all went into hidden reasoning, and so are more
    than were asked for. Characters that are no whole characters become U+FFFD, as tokenizers have it.

    Args:
        body: What the server sent.
        at_most: How many replies were asked for.

    Raises:
        RetryableError: If it holds no reply. The message says what it holds.

    Example:
        >>> body = '{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop", "logprobs": null}]}'
        >>> read_choices(body, at_most=1)
        Choices(responses=['Hello'], finished=[True], log_probabilities=[None])
    """
    choices = _in_order(_listed(body))
    with_text = [(choice, text) for choice in choices if (text := _text(choice)) is not None][:at_most]
    if not with_text:
        reasons = sorted({str(choice.get("finish_reason")) for choice in choices})
        raise RetryableError(f"no choice of the answer has a text (finish_reason: {', '.join(reasons)})")
    return Choices(
        [text for _, text in with_text],
        [choice.get("finish_reason") in _ENDED for choice, _ in with_text],
        [_mean_log_probability(choice.get("logprobs")) for choice, _ in with_text],
    )


def _listed(body: str) -> list[Mapping[str, Any]]:
    """Return the choices that an answer holds."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RetryableError(f"the answer is no JSON: {body.strip()!r:.120}") from error
    if not isinstance(answer, Mapping):
        raise RetryableError(f"the answer is no JSON object: {body.strip()!r:.120}")
    choices = answer.get("choices")
    if not choices and answer.get("error"):  # some gateways send errors with status 200
        said = answer["error"]
        raise RetryableError(str(said.get("message", said) if isinstance(said, Mapping) else said))
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, Mapping) for choice in choices):
        raise RetryableError(f"the answer holds no choices: {body.strip()!r:.120}")
    return choices


def _in_order(choices: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Order choices by their index, if they have one each."""
    numbers = [choice.get("index") for choice in choices]
    if all(type(number) is int for number in numbers) and len(set(numbers)) == len(numbers):
        return sorted(choices, key=lambda choice: int(choice["index"]))
    return choices


def _text(choice: Mapping[str, Any]) -> str | None:
    message = choice.get("message")
    text = message.get("content") if isinstance(message, Mapping) else choice.get("text")
    if not isinstance(text, str):
        return None
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _mean_log_probability(logprobs: Any) -> float | None:  # noqa: ANN401 - whatever a server sends
    """Return the mean over a reply's tokens; None where the server did not say it, or not in finite numbers."""
    if not isinstance(logprobs, Mapping):
        return None
    tokens = logprobs.get("content")
    values: Any
    if isinstance(tokens, list):  # of chats
        values = [token.get("logprob") if isinstance(token, Mapping) else None for token in tokens]
    else:  # of completions
        values = logprobs.get("token_logprobs")
    try:
        mean = math.fsum(values) / len(values)
    except (TypeError, OverflowError, ValueError, ZeroDivisionError):  # no list of numbers, or an empty one
        return None
    return mean if math.isfinite(mean) else None
