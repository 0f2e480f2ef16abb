"""The conversation's earlier replies in a trainer: where they are, and the penalty for repeating them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from hfdiv.rewards.history import HistoryReward
from hfdiv.similarity import NgramSimilarity, Similarity
from hfdiv.text import Response


if TYPE_CHECKING:
    from hfdiv.trainer.arguments import DiversityArguments


def check_history(option: str, column: str, prompts: Sequence[Response], columns: Collection[str]) -> None:
    """Refuse an option that needs the earlier replies where a dataset has none.

    Args:
        option: What is set.
        column: Column of the earlier replies.
        prompts: The prompts; conversational ones hold the earlier replies.
        columns: The columns that there are.

    Raises:
        ValueError: If there is neither the column nor a conversational prompt.
    """
    if column not in columns and isinstance(prompts[0], str):
        raise ValueError(
            f"`{option}` is above 0, but the dataset has no column {column!r} and its prompts are not conversational. "
            "Add the column with each conversation's earlier replies, name another in `history_column`, or give the "
            "prompts as chat messages."
        )


class HistoryPenalty:
    """What a completion loses for repeating the conversation's earlier replies, in [−1, 0]. Higher = repeats less.

    [`~hfdiv.rewards.history.HistoryReward`] with the settings of a config: −max(0, s − t) / (1 − t), s being the
    similarity to the nearest earlier reply and t the threshold.

    Args:
        config: Its `history_*` fields are read.
        similarity: How alike two texts are. Defaults to n-grams as the config says.
    """

    __name__ = "history"

    def __init__(self, config: DiversityArguments, similarity: Similarity | None) -> None:
        self.column = config.history_column
        self.reward = HistoryReward(
            config.history_threshold,
            config.history_scope,
            similarity=similarity or NgramSimilarity(config.diversity_ngram_size, config.diversity_tokenizer),
        )

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        **columns: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion; None for one without history.

        Raises:
            ValueError: If there is neither the column nor a conversational prompt.
        """
        check_history("history_weight", self.column, prompts, columns)
        return self.reward(prompts=prompts, completions=completions, history=columns.get(self.column))
