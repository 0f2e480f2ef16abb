"""A conversation as its turns, whatever names a log gives them, and the replies in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from hfdiv.data.entry import names, shown
from hfdiv.data.records import DataError
from hfdiv.text import Response


Message: TypeAlias = dict[str, str]
"""One chat message: `{"role": ..., "content": ...}`."""

ROLES = {
    "assistant": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "claude": "assistant",
    "developer": "system",
    "gpt": "assistant",
    "human": "user",
    "model": "assistant",
    "system": "system",
    "user": "user",
}
"""Who speaks, by the names that logs use: OpenAI's and those of ShareGPT."""

SPOKEN = (("role", "content"), ("from", "value"))
"""Who speaks and what is said, by OpenAI's names and ShareGPT's."""
_BESIDE = {name for names in SPOKEN for name in names}


class Reply(NamedTuple):
    """One reply of a conversation, and what led to it.

    Attributes:
        history: What the assistant said before, oldest first.
        prompt: What was said before the reply: chat messages, or a text.
        response: The reply.
        columns: What the log says about it.
    """

    history: list[str]
    prompt: Response
    response: str
    columns: dict[str, Any]


class Turn(NamedTuple):
    """One message, and what the log says about it."""

    role: str
    content: str
    columns: dict[str, Any]


def turns_of(messages: object) -> list[Turn]:
    """Return the turns of a conversation in OpenAI's form (`role`, `content`) or ShareGPT's (`from`, `value`).

    Content in blocks is joined where all of them are text.

    Raises:
        DataError: If it is no such conversation, somebody unknown speaks, or something else than text is in it.

    Example:
        >>> turns_of([{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello!", "rating": 5}])
        [Turn(role='user', content='Hi', columns={}), Turn(role='assistant', content='Hello!', columns={'rating': 5})]
    """
    if not isinstance(messages, list) or not messages:
        raise DataError(f"a conversation must be a list of at least one message, got {shown(messages)}.")
    return [_turn(place, message) for place, message in enumerate(messages, start=1)]


def replies_in(turns: Sequence[Turn]) -> Iterator[Reply]:
    """Yield each reply of a conversation that answers somebody, with the conversation up to it.

    Messages of the assistant one after another are one reply, one a line. Blank ones are left out, also of what later
    replies are given as their prompt. What the assistant says before anybody asked is history, and no reply.

    Example:
        >>> turns = turns_of([{"role": role, "content": text} for role, text in [
        ...     ("assistant", "Welcome!"), ("user", "Hi"), ("assistant", "Hello!"), ("user", "Bye"),
        ...     ("assistant", "Bye!")]])
        >>> [(reply.history, len(reply.prompt), reply.response) for reply in replies_in(turns)]
        [(['Welcome!'], 2, 'Hello!'), (['Welcome!', 'Hello!'], 4, 'Bye!')]
    """
    before: list[Message] = []
    history: list[str] = []
    asked = False
    heard = (turn for turn in turns if turn.content.strip())
    for role, group in groupby(heard, key=lambda turn: turn.role):
        spoken = list(group)
        if role != "assistant":
            asked = asked or role == "user"
            before += [{"role": role, "content": turn.content} for turn in spoken]
            continue
        text = "\n".join(turn.content for turn in spoken)
        if asked:
            columns = {name: value for turn in spoken for name, value in turn.columns.items()}
            yield Reply(list(history), list(before), text, columns)
        before.append({"role": role, "content": text})
        history.append(text)


def _turn(place: int, message: object) -> Turn:
    if not isinstance(message, Mapping):
        raise DataError(f"message {place} must be a JSON object, got {shown(message)}.")
    who, what = next((pair for pair in SPOKEN if pair[0] in message and pair[1] in message), (None, None))
    if who is None or what is None:
        raise DataError(f"message {place} needs `role` and `content`, or `from` and `value`; it has {names(message)}.")
    role = ROLES.get(str(message[who]).lower())
    if role is None or message.get("tool_calls") or message.get("function_call"):
        said = "calls a tool" if role else f"is from {message[who]!r}"
        raise DataError(f"message {place} {said}: conversations of {sorted(set(ROLES.values()))} in text are read.")
    columns = {name: value for name, value in message.items() if name not in _BESIDE and value is not None}
    return Turn(role, _content(place, message[what]), columns)


def _content(place: int, content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(block, Mapping) for block in content):
        others = [block.get("type") for block in content if not isinstance(block.get("text"), str)]
        if not others:
            return "".join(block["text"] for block in content)
        raise DataError(f"message {place} holds a block of type {others[0]!r}: only text is read.")
    raise DataError(f"message {place} must say a text or blocks of text, got {shown(content)}.")
