"""Does a reply repeat what the conversation has already heard? Its similarity to the earlier replies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from hfdiv.ngrams import check_order
from hfdiv.rewards.conversation import earlier_replies
from hfdiv.rewards.form import none_where_nan
from hfdiv.rewards.registry import register_reward
from hfdiv.similarity import NgramSimilarity, Similarity
from hfdiv.text import Response, TokenizerLike, response_text, sentences


HistoryScope: TypeAlias = Literal["last_sentence", "response"]
"""What is compared: the last sentences, or the whole replies."""


def history_similarity(
    texts: Sequence[str],
    histories: Sequence[Sequence[str]],
    similarity: Similarity,
    scope: HistoryScope = "last_sentence",
) -> NDArray[np.float64]:
    """Similarity of each text to the most similar earlier reply of its conversation. Higher = more repetitive.

    Sentence embeddings of whole replies do not see that replies end alike; their last sentences show it.
    `similarity` is called once for each different history, on the texts that have it followed by its replies.

    Args:
        texts: `(n,)`, the replies.
        histories: `(n,)`, the earlier replies of each.
        similarity: A [`~hfdiv.similarity.Similarity`]. Of one that is not symmetric, the reply is the row.
        scope: `"last_sentence"` compares the last sentence of each, `"response"` the whole.

    Returns:
        `(n,)`, in [0, 1]; NaN for a text without history, or whose similarity to all of it is undefined.

    Raises:
        ValueError: If there is not one history a text, or `scope` is unknown.

    Example:
        >>> history = ["It is on its way. Anything else?"]
        >>> history_similarity(["Done! Anything else?", "Done!"], [history, []], NgramSimilarity(1))
        array([ 1., nan])
    """
    check_scope(scope)
    if len(texts) != len(histories):
        raise ValueError(f"There must be one history a text, got {len(histories)} for {len(texts)} texts.")
    part = last_sentence if scope == "last_sentence" else str
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for row, history in enumerate(histories):
        rows_of.setdefault(tuple(dict.fromkeys(part(reply) for reply in history)), []).append(row)
    values = np.full(len(texts), np.nan)
    for earlier, rows in rows_of.items():
        if earlier:
            values[rows] = _nearest([part(texts[row]) for row in rows], earlier, similarity)
    return values


def _nearest(texts: Sequence[str], earlier: Sequence[str], similarity: Similarity) -> NDArray[np.float64]:
    different = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    n = len(different)
    to_history = similarity([*different, *earlier])[:n, n:]
    nearest = np.where(np.isnan(to_history), -math.inf, to_history).max(axis=1)
    found: NDArray[np.float64] = np.where(np.isneginf(nearest), np.nan, nearest)[[different[text] for text in texts]]
    return found


def last_sentence(text: str) -> str:
    """Return the last sentence of a text, as [`~hfdiv.text.sentences`] finds it; "" where there is none.

    Example:
        >>> last_sentence("It is on its way. Anything else?")
        'Anything else?'
    """
    return (sentences(text) or [""])[-1]


def check_scope(scope: str) -> None:
    """Refuse a scope that is not a [`HistoryScope`].

    Raises:
        ValueError: If it is not.
    """
    if scope not in get_args(HistoryScope):
        raise ValueError(f"`scope` must be one of {list(get_args(HistoryScope))}, got {scope!r}.")


@register_reward("history_reward")
class HistoryReward:
    """Penalty for a reply too like an earlier one of its conversation, in [−1, 0]. Higher = better.

    0 up to the threshold, then falling evenly to −1 for a reply that is the same: −(s − t) / (1 − t) for the
    similarity s to the nearest earlier reply ([`history_similarity`]). `None` for a reply without history. The earlier
    replies are those of the `history` column where the dataset has one, else the assistant's messages in the prompt
    ([`~hfdiv.rewards.earlier_replies`]).

    Args:
        threshold: Similarity from which on it is too like, in [0, 1).
        scope: `"last_sentence"` compares how replies end, `"response"` the whole.
        n: Order of the n-grams compared, at least 1.
        tokenizer: How they are split, as [`~hfdiv.text.get_tokenizer`] takes it.
        similarity: Any [`~hfdiv.similarity.Similarity`] in place of the Jaccard similarity of n-grams.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> history_reward(
        ...     prompts=["And?"] * 2,
        ...     completions=["Done! Anything else?", "Done! Have a good day."],
        ...     history=[["It is on its way. Anything else?"]] * 2,
        ... )
        [-1.0, 0.0]
    """

    __name__ = "history_reward"

    def __init__(
        self,
        threshold: float = 0.8,
        scope: HistoryScope = "last_sentence",
        n: int = 1,
        tokenizer: TokenizerLike = "mixed",
        similarity: Similarity | None = None,
    ) -> None:
        if not 0 <= threshold < 1:
            raise ValueError(f"`threshold` must be at least 0 and below 1, got {threshold!r}.")
        check_scope(scope)
        check_order(n)
        self.threshold = threshold
        self.scope: HistoryScope = scope
        self.similarity = similarity or NgramSimilarity(n, tokenizer)

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        history: Sequence[Any] | None = None,
        **columns: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion.

        Raises:
            KeyError: If the prompts are plain text and the dataset has no column `history`.
        """
        if history is None and all(isinstance(prompt, str) for prompt in prompts):
            raise KeyError(
                "The prompts are plain text: history_reward needs a column 'history' with the earlier replies of each "
                f"conversation; there are {sorted(columns)}. Or give the prompts as chat messages."
            )
        texts = [response_text(completion) for completion in completions]
        similar = history_similarity(texts, earlier_replies(prompts, history), self.similarity, self.scope)
        return none_where_nan(0.0 - np.maximum(similar - self.threshold, 0.0) / (1.0 - self.threshold))


history_reward = HistoryReward()
