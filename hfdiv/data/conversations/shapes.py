"""From one row of a log to the replies in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hfdiv.data.columns import MANY, ONE, PROMPT
from hfdiv.data.conversations.feedback import feedback, of_reply
from hfdiv.data.conversations.gathered import IDS
from hfdiv.data.conversations.turns import SPOKEN, Reply, replies_in, turns_of
from hfdiv.data.entry import names, reply_of, shown
from hfdiv.data.records import DataError
from hfdiv.data.shapes import as_row
from hfdiv.text import Response, is_chat


TALK = ("messages", "conversations", "conversation")
"""Names of a column that holds a whole conversation."""

HISTORY = "history"


def replies_of(
    row: object, prompt_column: str | None = None, response_column: str | None = None, untyped: bool = False
) -> list[Reply]:
    """Return the replies in one row of a log: a conversation, or a prompt and its reply or replies.

    Args:
        row: The row.
        prompt_column: Name of the column of prompts, where it is not `prompt`.
        response_column: Name of the column of replies, where it is none of those that
            [`~hfdiv.data.read_records`] knows.
        untyped: Whether every cell is text, as in CSV: then lists are read from JSON in it.

    Raises:
        DataError: If the row holds no reply, or something cannot be understood.
        TypeError: If a prompt or a reply is neither text nor chat messages.

    Example:
        >>> replies_of({"prompt": "Hi", "responses": ["Hello", "Hey"], "rating": [5, 2]})[1]
        Reply(history=[], prompt='Hi', response='Hey', columns={'rating': 2.0})
    """
    columns = {str(name): value for name, value in as_row(row).items() if value is not None}
    if untyped:
        columns = {
            name: _cell(name, value) if isinstance(value, str) else value
            for name, value in columns.items()
            if value != ""
        }
    talk = next((name for name in TALK if name in columns), None)
    if talk is not None and prompt_column is None and response_column is None:
        return _of_conversation(columns.pop(talk), columns)
    return _of_table(columns, prompt_column or PROMPT, response_column)


def _of_conversation(messages: object, columns: dict[str, Any]) -> list[Reply]:
    known = feedback(columns)
    replies = list(replies_in(turns_of(messages)))
    if not replies:
        raise DataError("no reply: nobody answers a user in this conversation.")
    return [
        reply._replace(columns={**of_reply(known, place == len(replies)), **feedback(reply.columns)})
        for place, reply in enumerate(replies, start=1)
    ]


def _of_table(columns: dict[str, Any], prompt_column: str, response_column: str | None) -> list[Reply]:
    wanted = ONE + MANY if response_column is None else (response_column,)
    found = next((name for name in wanted if name in columns and name != prompt_column), None)
    if found is None or prompt_column not in columns:
        if any(all(name in columns for name in spoken) for spoken in SPOKEN):
            raise DataError(
                f"a message alone: a table with one message a row needs a column that tells conversations apart, such "
                f"as `{IDS[0]}`; this one has {names(columns)}."
            )
        lacking = f"`{prompt_column}`" if found else " or ".join(f"`{name}`" for name in (*wanted, *TALK[:2]))
        what = "prompt" if found else "reply"
        raise DataError(f"no {what}: a row needs {lacking}; this one has {names(columns)}.")
    value, prompt = columns.pop(found), as_prompt(columns.pop(prompt_column))
    history = earlier_replies(columns.pop(HISTORY, None), prompt)
    if not isinstance(value, list) or is_chat(value):
        return [Reply(history, prompt, _spoken(value), feedback(columns))]
    return [
        Reply(history, prompt, _spoken(response), feedback(_of_place(columns, place, len(value))))
        for place, response in enumerate(value)
    ]


def _of_place(columns: Mapping[str, Any], place: int, n: int) -> dict[str, Any]:
    """Return what belongs to one of a row's replies: its own of a list as long as theirs, and all of the rest."""
    return {
        name: value[place] if isinstance(value, list) and len(value) == n else value for name, value in columns.items()
    }


def _spoken(response: Response) -> str:
    text = reply_of(response)
    if not text.strip():
        raise DataError("the reply is empty.")
    return text


def as_prompt(prompt: object) -> Response:
    """Return a prompt as a text, or as messages of text.

    Raises:
        DataError: If it is neither.
    """
    if isinstance(prompt, str):
        return reply_of(prompt)
    return [{"role": turn.role, "content": turn.content} for turn in turns_of(prompt)]


def earlier_replies(value: object, prompt: Response) -> list[str]:
    """Return what was replied before: the row's own history, else the assistant's part of the prompt.

    Raises:
        DataError: If the history is neither a list of texts nor chat messages.
    """
    if value is None:
        value = [] if isinstance(prompt, str) else prompt
    if isinstance(value, list) and all(isinstance(reply, str) for reply in value):
        return value
    if is_chat(value):
        return [turn.content for turn in turns_of(value) if turn.role == "assistant" and turn.content.strip()]
    raise DataError(f"`history` must be a list of earlier replies or chat messages, got {shown(value)}.")


def _cell(name: str, cell: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    if name not in (*TALK, HISTORY) and not (name == PROMPT and cell.startswith("[{")):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError) as error:
        if name == PROMPT:
            return cell
        raise DataError(f"`{name}` must hold a JSON list in its cell ({error}).") from error
