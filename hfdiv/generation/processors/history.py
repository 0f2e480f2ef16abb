"""The processor that keeps a chat bot from saying what it said in earlier turns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hfdiv.generation.penalties import HistoryPenalty, MatchPenalty, ReplyIndex
from hfdiv.generation.processors.rows import RowPenaltyProcessor
from hfdiv.text import sentences


def ending(reply: str) -> str:
    """Return how a reply closes: its last sentence, and what ends the one before.

    So that the first word of a repeated ending is a repeat too: turning away there costs least.

    Example:
        >>> ending("I am sorry. Anything else?"), ending("抱歉。还有别的问题吗？"), ending("Hello!")
        ('. Anything else?', '。还有别的问题吗？', 'Hello!')
    """
    last = (sentences(reply) or [""])[-1]
    before = reply.rstrip().removesuffix(last).rstrip()
    return reply.rstrip()[max(len(before) - 1, 0) :]


class HistoryPenaltyLogitsProcessor(RowPenaltyProcessor):
    """History penalty: a token that would continue a stretch of an earlier reply costs the more the longer that is.

    The price is DRY's, `multiplier * base ** (L - allowed_length)`, for the longest stretch of L >= `allowed_length`
    tokens that ends this reply and stands in an earlier one. The user's words are in neither: quoting the user is
    free. The replies are indexed here, once; make a new processor for each turn.

    Args:
        histories: The earlier replies of each conversation of the batch, as token ids: `histories[c][turn]`; see
            [`assistant_replies`]. Rows are shared out evenly and in order, as `num_return_sequences` lays them out,
            so that a single history holds for all rows.
        multiplier: At least 0; 0 is neutral.
        base: At least 1.
        allowed_length: Repeats shorter than this are free, at least 1.
        breakers: Tokens that no repeat contains, and that are never penalized: at least those that end a turn, and as
            a rule those that end a sentence, see [`~hfdiv.generation.processors.breaker_ids`].
        max_length: Longer repeats count as this long.

    Raises:
        ValueError: If a value is out of its range or, when called, the rows cannot be shared out evenly.

    Example:
        >>> import torch
        >>> processor = HistoryPenaltyLogitsProcessor([[[1, 2, 3]]], multiplier=0.5, allowed_length=1)
        >>> _ = processor(torch.tensor([[1]]), torch.zeros(1, 4))  # the prompt, which is not looked at
        >>> processor(torch.tensor([[1, 2]]), torch.zeros(1, 4))
        tensor([[ 0.0000,  0.0000,  0.0000, -0.5000]])
    """

    def __init__(
        self,
        histories: Sequence[Sequence[Sequence[int]]],
        multiplier: float = 0.8,
        base: float = 1.75,
        allowed_length: int = 2,
        breakers: Collection[int] = (),
        max_length: int = 50,
    ) -> None:
        super().__init__()
        self.price = MatchPenalty(multiplier, base, allowed_length, max_length)
        if not histories:
            raise ValueError("`histories` must hold one list of replies for each conversation, got none.")
        self._indexes = [ReplyIndex(replies, breakers) for replies in histories]

    @property
    def is_neutral(self) -> bool:
        """Whether the settings change nothing."""
        return self.price.multiplier == 0 or not any(len(index.ids) for index in self._indexes)

    def new_row(self, prompt: list[int], row: int, n_rows: int, vocabulary_size: int) -> HistoryPenalty:
        """Return the state of a row of which nothing but the prompt is written."""
        if n_rows % len(self._indexes):
            raise ValueError(
                f"{n_rows} rows cannot be shared out evenly to {len(self._indexes)} conversations: pass one history "
                "for each prompt of the batch, or a single one for all."
            )
        return HistoryPenalty(self._indexes[row * len(self._indexes) // n_rows], self.price)
