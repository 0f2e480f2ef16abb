"""How replies are compared with the earlier ones of their conversation: what every trainer lets a user set of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args

from hfdiv.rewards.history import HistoryScope


@dataclass
class HistoryArguments:
    """Arguments of the comparison with earlier replies, beside those of the parent's config.

    Raises:
        ValueError: If a value is out of its range.
    """

    history_threshold: float = field(
        default=0.8,
        metadata={
            "help": "Similarity to an earlier reply, in [0, 1), from which on a completion loses reward, or a pair "
            "weight."
        },
    )
    history_scope: HistoryScope = field(
        default="last_sentence",
        metadata={
            "help": "What is compared with the earlier replies: the 'last_sentence' of each, or the 'response'."
        },
    )
    history_column: str = field(
        default="history",
        metadata={
            "help": "Dataset column with the earlier replies: texts or chat messages. Without it they are the "
            "assistant's turns in a conversational prompt."
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[misc]  # the parent config's
        if not 0 <= self.history_threshold < 1:
            raise ValueError(f"`history_threshold` must be at least 0 and below 1, got {self.history_threshold}.")
        if self.history_scope not in get_args(HistoryScope):
            known = list(get_args(HistoryScope))
            raise ValueError(f"`history_scope` must be one of {known}, got {self.history_scope!r}.")
