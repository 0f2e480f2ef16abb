"""Replies to the same prompt brought together, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeAlias

from hfdiv.data.conversations.turns import Reply
from hfdiv.data.entry import Entry
from hfdiv.data.scattered import gather
from hfdiv.text import Response, prompt_text


Same: TypeAlias = Literal["prompt", "question"]
"""Which replies are to the same: those of one whole prompt, or of one last question, in whatever conversation."""

GROUP_LIMIT = 256
"""Replies compared with each other at most; a prompt with more is several groups, in the order of the file."""


def key_of(prompt: Response, same: Same) -> str:
    """Return what is equal for replies to the same.

    Questions are the user's last words, without regard to case and spaces.

    Example:
        >>> key_of([{"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "Where  IS it?"}], "question")
        'where is it?'
    """
    if same == "prompt":
        return prompt_text(prompt)
    if isinstance(prompt, str):
        asked = prompt
    else:
        asked = next((turn["content"] for turn in reversed(prompt) if turn["role"] == "user"), "")
    return " ".join(asked.casefold().split())


def together(
    rows: Iterable[tuple[str, Any]], budget: int, estimate: Callable[[int], float] = float
) -> Iterator[list[Any]]:
    """Yield the rows of each key, in groups of at most [`GROUP_LIMIT`].

    Args:
        rows: A key and a value that JSON can hold.
        budget: Bytes to hold in memory, nearly; more goes to temporary files.
        estimate: As [`~hfdiv.data.scattered.gather`] takes it.

    Example:
        >>> list(together([("a", 1), ("b", 2), ("a", 3)], budget=1_000_000))
        [[1, 3], [2]]
    """
    entries = (Entry(key, "", [json.dumps(row, ensure_ascii=False)], {}) for key, row in rows)
    for groups in gather(entries, budget, estimate):
        for entry in groups.entries():
            for start in range(0, len(entry.replies), GROUP_LIMIT):
                yield [json.loads(line) for line in entry.replies[start : start + GROUP_LIMIT]]


def reply_groups(
    replies: Iterable[Reply], same: Same, budget: int, estimate: Callable[[int], float] = float
) -> Iterator[list[Reply]]:
    """Yield the replies to the same prompt or question, as [`together`] does."""
    rows = ((key_of(reply.prompt, same), reply) for reply in replies)
    for group in together(rows, budget, estimate):
        yield [Reply(*row) for row in group]
