"""What a prompt is found by, and what makes two answers the same sentence."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from hfdiv.data.entry import prompt_of, reply_of
from hfdiv.text import Response, is_chat


Namespace: TypeAlias = str | Mapping[str, Any]
"""What decides about answers beside the prompt: the model and its settings, as a name or as JSON values."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Key(NamedTuple):
    """What a prompt is found by.

    Attributes:
        exact: Hash of the whole prompt.
        context: Hash of all that must be the same in a prompt that is found by its meaning; empty where it cannot be.
        question: What is compared by meaning: the text of the last message.
    """

    exact: bytes
    context: bytes
    question: str


def prompt_key(prompt: Response) -> Key:
    r"""Return what a prompt, a text or chat messages, is found by. A text is a user's message.

    Texts are compared in Unicode NFC, with `\n` at the end of lines, and without space around them. All that stands in
    a message counts, images and calls of tools included; members that are None do not.

    By meaning, only the text of the last message is compared. All messages before it must be the same, and so must the
    numbers in it: an encoder hardly sees that order 123 is not order 124.

    Raises:
        DataError: If a text holds half of a surrogate pair.
        TypeError: If it is no prompt, or holds something that JSON has no form for.

    Example:
        >>> first = prompt_key("Where is order 123?\r\n")
        >>> first == prompt_key([{"role": "user", "content": "Where is order 123?"}])
        True
        >>> first.context == prompt_key("Where is my order 123").context
        True
        >>> first.context == prompt_key("Where is order 124?").context
        False
    """
    prompt_of(prompt)  # checks it
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    plain = [_plain({name: value for name, value in message.items() if value is not None}) for message in messages]
    exact = _hash(plain, 32)  # also checks that all of it has a form in JSON
    question = plain[-1].get("content")
    if not isinstance(question, str) or not question:
        return Key(exact, b"", "")
    numbers = _NUMBER.findall(unicodedata.normalize("NFKC", question))
    return Key(exact, _hash([plain[:-1], {**plain[-1], "content": numbers}], 16), question)


def prompt_json(prompt: Response) -> str:
    """Return a prompt as it was given, as JSON.

    Example:
        >>> prompt_json([{"role": "user", "content": "Hi "}])
        '[{"role": "user", "content": "Hi "}]'
    """
    return json.dumps(_built_in(prompt, str), ensure_ascii=False)


def namespace_name(namespace: Namespace) -> str:
    """Return a namespace as one text: itself, or JSON with sorted names.

    Raises:
        DataError: If a text holds half of a surrogate pair.
        TypeError: If it is neither a text nor a mapping of JSON values.
        ValueError: If it is empty.

    Example:
        >>> namespace_name({"temperature": 0.7, "model": "SmolLM2"})
        '{"model":"SmolLM2","temperature":0.7}'
    """
    if not isinstance(namespace, (str, Mapping)):
        raise TypeError(f"`namespace` must be a text or a mapping, got {type(namespace).__name__}: {namespace!r:.80}.")
    if not namespace:
        raise ValueError(
            "`namespace` must not be empty: name the model and its settings, such as "
            '{"model": "SmolLM2", "temperature": 0.7}, so that no other model\'s answers are served.'
        )
    return reply_of(namespace if isinstance(namespace, str) else _json(dict(namespace)))


def sentence_hash(text: str) -> int:
    """Return the same number for answers that are the same sentence: whatever the case, the spaces and Unicode form.

    It has 64 bits, as SQLite's integers.

    Example:
        >>> [sentence_hash("Of course!") == sentence_hash(text) for text in (" of  course!", "Of course.")]
        [True, False]
    """
    words = unicodedata.normalize("NFC", text).casefold().split()
    return _number(" ".join(words))


def conversation_hash(conversation_id: str | None) -> int | None:
    """Return the number that stands for a conversation in the file; None for none.

    Raises:
        DataError: If the text holds half of a surrogate pair.
        TypeError: If it is no text.
        ValueError: If it is empty, which would make one conversation of all that have no name.
    """
    if conversation_id is None:
        return None
    if not isinstance(conversation_id, str):
        raise TypeError(f"`conversation_id` must be a text, got {type(conversation_id).__name__}.")
    if not conversation_id:
        raise ValueError("`conversation_id` must not be empty: leave it out where there is none.")
    return _number(reply_of(conversation_id))


def earlier_answers(prompt: Response, history: Sequence[Response]) -> set[int]:
    """Return [`sentence_hash`] of what the assistant said before: in the prompt's messages and in `history`.

    Args:
        prompt: A text or chat messages.
        history: Earlier replies, as texts, or chat messages of which the assistant's count.

    Raises:
        TypeError: If `history` is neither.

    Example:
        >>> len(earlier_answers([{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "?"}], ["Hey"]))
        2
    """
    if isinstance(history, (str, bytes)):
        raise TypeError(f"`history` must be a list of earlier replies or chat messages, got {type(history).__name__}.")
    said = _of_assistant(history) if is_chat(history) else list(history)
    said += _of_assistant(prompt) if is_chat(prompt) else []
    return {sentence_hash(reply_of(reply)) for reply in said}


def letters_hash(text: str) -> int:
    """Return the same number for texts that differ in case, accents, punctuation and spaces alone.

    Example:
        >>> letters_hash("Où est-il ?") == letters_hash("ou est il"), letters_hash("退货") == letters_hash("换货")
        (True, False)
    """
    spelled = unicodedata.normalize("NFKD", text).casefold()
    return _number("".join(letter for letter in spelled if unicodedata.category(letter)[0] not in "CMPZ"))


def _of_assistant(messages: Sequence[Any]) -> list[Response]:
    return [[message] for message in messages if message["role"] == "assistant"]


def _plain(value: object) -> Any:  # noqa: ANN401 - as it was given
    """Return a value with its texts in the form in which they are compared."""
    return _built_in(
        value, lambda text: unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()
    )


def _built_in(value: Any, as_text: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever a message holds
    """Return a value in dicts and lists, which are all that JSON knows."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, Mapping):
        return {name: _built_in(item, as_text) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_built_in(item, as_text) for item in value]
    return value


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise TypeError(f"{error}: only what JSON has a form for can be part of a key.") from error
    except TypeError as error:
        raise TypeError(f"{error}: only texts, numbers, lists and mappings can be part of a key.") from error


def _hash(value: object, size: int) -> bytes:
    return blake2b(reply_of(_json(value)).encode("utf-8"), digest_size=size).digest()


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8"), digest_size=8).digest(), "big", signed=True)
