"""The earlier replies of a conversation: what the assistant said before the reply that is scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hfdiv.text import Response, is_chat, response_text


def earlier_replies(prompts: Sequence[Response], history: Sequence[Any] | None = None) -> list[list[str]]:
    """Return the earlier replies of each conversation, oldest first, without the empty ones.

    They are the row's own `history` where the dataset has that column, else the assistant's messages of the prompt. An
    assistant message at the end of the prompt is no earlier reply: it is the start of this one. A prompt in plain
    text has none.

    Args:
        prompts: `(n,)`, each a string or chat messages.
        history: `(n,)`, each a list of replies, chat messages or `None`.

    Raises:
        TypeError: If a row's history is none of these.

    Example:
        >>> chat = [
        ...     {"role": "user", "content": "Hi"},
        ...     {"role": "assistant", "content": "Hello!"},
        ...     {"role": "user", "content": "Bye"},
        ... ]
        >>> earlier_replies([chat, "Hi"])
        [['Hello!'], []]
        >>> earlier_replies(["Bye", "Bye"], [["Hello!"], None])
        [['Hello!'], []]
    """
    found = [_in_prompt(prompt) for prompt in prompts] if history is None else [_in_column(row) for row in history]
    return [[reply for reply in replies if reply.strip()] for replies in found]


def _in_prompt(prompt: Response) -> list[str]:
    if isinstance(prompt, str):
        return []
    if not is_chat(prompt):
        raise TypeError(f"A prompt must be a string or a list of chat messages, got {prompt!r:.80}.")
    return _assistant(prompt[:-1] if prompt[-1]["role"] == "assistant" else prompt)


def _in_column(row: Any) -> list[str]:  # noqa: ANN401 - what a dataset holds
    if row is None:
        return []
    if is_chat(row):
        return _assistant(row)
    if not isinstance(row, Sequence) or isinstance(row, str) or not all(isinstance(reply, str) for reply in row):
        raise TypeError(
            "The history of a row must be a list of earlier replies, chat messages or None, got "
            f"{type(row).__name__}: {row!r:.80}."
        )
    return list(row)


def _assistant(messages: Sequence[Any]) -> list[str]:
    return [response_text([message]) for message in messages if message["role"] == "assistant"]
