"""Blind tasks for people: which of two replies is better, or how good is one?"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any, Literal, TypeAlias

from hfdiv.data.records import DataError, Records


Kind: TypeAlias = Literal["pairwise", "rating"]

LARGEST_SCALE = 9
"""One key press a rating."""


@dataclass(frozen=True)
class Reply:
    """One reply, and what the annotator must not see.

    Attributes:
        text (`str`): The reply.
        source (`str`): Name of the file that it comes from.
        numbers (`dict[str, float | None]`): Its columns in that file, such as a reward; `None` where missing.
    """

    text: str
    source: str
    numbers: dict[str, float | None]


@dataclass(frozen=True)
class Task:
    """One thing to judge.

    Attributes:
        id (`str`): A hash of what the annotator sees, which tells nothing else.
        prompt (`str`): The prompt.
        replies (`tuple[Reply, ...]`): Replies a and b, or the only one.
        swapped (`bool`): Whether b stands on the left.
    """

    id: str
    prompt: str
    replies: tuple[Reply, ...]
    swapped: bool = False

    @property
    def shown(self) -> dict[str, str]:
        """What the annotator sees, by name: `task`, `prompt`, and `left` and `right`, or `reply`."""
        texts = [reply.text for reply in self.replies][:: -1 if self.swapped else 1]
        return {"task": self.id, "prompt": self.prompt, **dict(zip(shown_names(len(texts)), texts, strict=True))}


@dataclass(frozen=True)
class TaskSet:
    """Tasks in the order in which they are shown.

    Attributes:
        kind (`str`): "pairwise" or "rating".
        question (`str`): What the annotator is asked.
        scale (`int`): Ratings are 1 to so many; of no meaning for pairs.
        tasks (`list[Task]`): The tasks, with what is kept from the annotator.
    """

    kind: Kind
    question: str
    scale: int
    tasks: list[Task]

    @property
    def id(self) -> str:
        """A hash of kind, scale and tasks: answers are to this set and to no other."""
        return _hash([self.kind, self.scale, sorted(task.id for task in self.tasks)])

    @property
    def answers(self) -> tuple[str, ...]:
        """What an answer may be, as text.

        Example:
            >>> TaskSet("rating", "How good?", 3, []).answers
            ('1', '2', '3')
        """
        if self.kind == "pairwise":
            return ("left", "right", "tie")
        return tuple(str(rating) for rating in range(1, self.scale + 1))


def shown_names(n_replies: int) -> tuple[str, ...]:
    """Return what the replies of a task are called where they are shown.

    Example:
        >>> shown_names(2), shown_names(1)
        (('left', 'right'), ('reply',))
    """
    return ("left", "right") if n_replies == 2 else ("reply",)


def pairwise_tasks(
    files: Sequence[Records],
    names: Sequence[str],
    *,
    per_prompt: int = 1,
    limit: int | None = None,
    question: str | None = None,
    seed: int = 0,
) -> TaskSet:
    """Draw pairs of replies to one prompt, within a file or between two.

    Equal replies are one: there is nothing to choose between. Each file's reply stands on the left in half of the
    tasks (one more or less), and the tasks are shuffled.

    Args:
        files: One file, whose replies are compared with one another; or two, where a is of the first and b of the
            second. The k-th group of a prompt in one file meets the k-th of the same prompt in the other.
        names: Their names, which the key keeps.
        per_prompt: Pairs drawn for each prompt, or as many as there are.
        limit: Keep so many tasks, drawn from all. Defaults to all.
        question: What to ask. Defaults to "Which reply is better?".
        seed: Seed of the draws, the sides and the order.

    Raises:
        DataError: If a file has no prompts, or no prompt has two different replies.
        ValueError: If `per_prompt` or `limit` is less than 1, or there are more than two files.

    Example:
        >>> tasks = pairwise_tasks([Records(["Hi"], [["Hello", "Hey"]])], ["replies.jsonl"]).tasks
        >>> [sorted(reply.text for reply in task.replies) for task in tasks]
        [['Hello', 'Hey']]
    """
    if len(files) not in (1, 2):
        raise ValueError(f"`files` must be one file or two, got {len(files)}.")
    rng = _checked(files, per_prompt, limit, seed)
    drawn: list[tuple[str, tuple[Reply, ...]]] = []
    for prompt, groups in _groups(files, names):
        pairs = list(combinations(groups[0], 2) if len(groups) == 1 else product(*groups))
        pairs = [pair for pair in pairs if pair[0].text != pair[1].text]
        drawn.extend((prompt, pair) for pair in rng.sample(pairs, min(per_prompt, len(pairs))))
    if not drawn:
        raise DataError("There is no pair to compare: no prompt has two different replies.")
    return TaskSet("pairwise", question or "Which reply is better?", 0, _arranged(drawn, limit, rng))


def rating_tasks(
    files: Sequence[Records],
    names: Sequence[str],
    *,
    per_prompt: int | None = None,
    limit: int | None = None,
    question: str | None = None,
    scale: int = 5,
    seed: int = 0,
) -> TaskSet:
    """Draw single replies to be rated, from any number of files at once. Equal replies in one group are one.

    Args:
        files: Files of replies.
        names: Their names, which the key keeps.
        per_prompt: Replies drawn for each prompt from each file. Defaults to all.
        limit: Keep so many tasks, drawn from all. Defaults to all.
        question: What to ask, with which end of the scale is best. Defaults to "How good is this reply, from 1 (worst)
            to 5 (best)?", or whatever the scale is.
        scale: Ratings are 1 to so many, from 2 to 9.
        seed: Seed of the draws and the order.

    Raises:
        DataError: If a file has no prompts, or there are no replies.
        ValueError: If a number is out of its range.

    Example:
        >>> len(rating_tasks([Records(["Hi"], [["Hello", "Hey", "Hey"]])], ["replies.jsonl"]).tasks)
        2
    """
    if not 2 <= scale <= LARGEST_SCALE:
        raise ValueError(f"`scale` must be from 2 to {LARGEST_SCALE}, one key a rating, got {scale}.")
    rng = _checked(files, per_prompt, limit, seed)
    drawn: list[tuple[str, tuple[Reply, ...]]] = []
    for records, name in zip(files, names, strict=True):
        for prompt, (group,) in _groups([records], [name]):
            chosen = group if per_prompt is None else rng.sample(group, min(per_prompt, len(group)))
            drawn.extend((prompt, (reply,)) for reply in chosen)
    if not drawn:
        raise DataError("There is no reply to rate.")
    question = question or f"How good is this reply, from 1 (worst) to {scale} (best)?"
    return TaskSet("rating", question, scale, _arranged(drawn, limit, rng))


def named(tasks: Iterable[Task]) -> list[Task]:
    """Return the tasks, each with the id that follows from what it shows and how often that came before."""
    seen: Counter[str] = Counter()
    result = []
    for task in tasks:
        shown = json.dumps({**task.shown, "task": ""})
        # a letter in front, or spreadsheet programs would make numbers of some
        result.append(replace(task, id="t" + _hash([shown, seen[shown]])))
        seen[shown] += 1
    return result


def _checked(files: Sequence[Records], per_prompt: int | None, limit: int | None, seed: int) -> random.Random:
    for name, value in (("per_prompt", per_prompt), ("limit", limit)):
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1, got {value}.")
    if not all(records.has_prompts for records in files):
        raise DataError("A file has replies without prompts: nobody can judge a reply without what it replies to.")
    return random.Random(seed)


def _groups(files: Sequence[Records], names: Sequence[str]) -> list[tuple[str, list[list[Reply]]]]:
    """Each prompt that all files have, with its different replies in each."""
    tables = [_numbered(records, name) for records, name in zip(files, names, strict=True)]
    common = [key for key in tables[0] if all(key in table for table in tables)]
    if not common and tables[0]:
        raise DataError("The two files have no prompt in common. Prompts must be equal to the character.")
    return [(key[0], [table[key] for table in tables]) for key in common]


def _numbered(records: Records, source: str) -> dict[tuple[str, int], list[Reply]]:
    """Different replies by prompt, and by how often that prompt came before."""
    seen: Counter[str] = Counter()
    table = {}
    for place, (prompt, group) in enumerate(zip(records.prompts, records.groups, strict=True)):
        replies: dict[str, Reply] = {}
        for index, text in enumerate(group):
            values = {name: column[place][index] for name, column in records.columns.items()}
            numbers = {name: value if math.isfinite(value) else None for name, value in values.items()}
            replies.setdefault(text, Reply(text, source, numbers))
        table[prompt, seen[prompt]] = list(replies.values())
        seen[prompt] += 1
    return table


def _arranged(drawn: list[tuple[str, tuple[Reply, ...]]], limit: int | None, rng: random.Random) -> list[Task]:
    """Shuffle, cut and choose sides."""
    rng.shuffle(drawn)
    drawn = drawn[:limit]
    sides = [place % 2 == 1 for place in range(len(drawn))]
    rng.shuffle(sides)
    return named(
        Task("", prompt, replies, swapped=side and len(replies) == 2)
        for (prompt, replies), side in zip(drawn, sides, strict=True)
    )


def _hash(content: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
