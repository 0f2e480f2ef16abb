"""Conversations of a table that has one message a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hfdiv.data.conversations.tolerant import BadRow
from hfdiv.data.conversations.turns import SPOKEN


IDS = ("conversation_id", "session_id", "thread_id", "chat_id", "dialogue_id")
"""Names of a column that tells which conversation a message belongs to."""


def gathered(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Yield rows with their numbers, those of one message each put together to a conversation.

    Messages that belong together stand one after another, oldest first: a conversation ends where another begins, and
    is numbered by its first row. What is no such message passes as it is. A row that cannot be read spoils the
    conversation that it stands in, and messages of a conversation that had ended are refused.

    Example:
        >>> table = [{"session_id": "7", "role": "user", "content": "Hi"},
        ...          {"session_id": "7", "role": "assistant", "content": "Hello!", "rating": "5"}]
        >>> ((number, row),) = gathered(enumerate(table, start=2))
        >>> number, row["session_id"], row["messages"][1]
        (2, '7', {'role': 'assistant', 'content': 'Hello!', 'rating': '5'})
    """
    ended: set[object] = set()
    current: _Conversation | None = None
    for number, row in rows:
        name = _id_of(row)
        if current is not None and (name is None or row[name] != current.id) and not isinstance(row, BadRow):
            yield current.number, current.row()
            ended.add(current.id)
            current = None
        if name is None:
            if current is not None:
                current.spoiled = number
            yield number, row
        elif row[name] in ended:
            reason = f"conversation {row[name]!r} goes on here, after another: sort the table by `{name}`."
            yield number, BadRow(reason, row)
        else:
            current = current or _Conversation(number, name, row[name])
            current.add(row)
    if current is not None:
        yield current.number, current.row()


class _Conversation:
    """What has been read of a conversation."""

    def __init__(self, number: int, name: str, value: object) -> None:
        self.number = number
        self.id = value
        self.spoiled: int | None = None
        self._name = name
        self._messages: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        said = {key for names in SPOKEN for key in names}
        self._messages.append(
            {
                key: value
                for key, value in row.items()
                if key != self._name and (key in said or value not in (None, ""))
            }
        )

    def row(self) -> dict[str, Any] | BadRow:
        if self.spoiled is None:
            return {self._name: self.id, "messages": self._messages}
        return BadRow(f"row {self.spoiled}, in the middle of this conversation, cannot be read.", self._messages)


def _id_of(row: object) -> str | None:
    """Return the name of the column that tells the conversation of a row with one message; else `None`."""
    if not isinstance(row, Mapping):
        return None
    if not any(all(isinstance(row.get(key), str) for key in names) for names in SPOKEN):
        return None
    return next((name for name in IDS if isinstance(row.get(name), (str, int)) and row[name] != ""), None)
