"""How varied is a reply in itself? Of the words of one reply; its group does not matter here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hfdiv.diversity import distinct_n, ngram_entropy, seq_rep_n
from hfdiv.ngrams import Corpus, check_order
from hfdiv.rewards.form import none_where_nan
from hfdiv.rewards.registry import register_reward
from hfdiv.text import Response, TokenizerLike, get_tokenizer, response_text


@register_reward("diversity_entropy")
class DiversityEntropy:
    """Entropy of a reply's tokens over that of as many different ones, in [0, 1]. Higher = more varied.

    H(tokens) / log(number of tokens): 1 where no token occurs twice, 0 where all are the same, and 0 for a reply of
    fewer than two tokens. It sees one reply alone: replies that are all the same can each score 1. For variety
    between replies take [`NoveltyReward`].

    Args:
        tokenizer: As [`~hfdiv.text.get_tokenizer`] takes it.

    Raises:
        ValueError: If the tokenizer is unknown.

    Example:
        >>> diversity_entropy(prompts=["?"] * 3, completions=["yes yes", "yes no", "yes"])
        [0.0, 1.0, 0.0]
    """

    __name__ = "diversity_entropy"

    def __init__(self, tokenizer: TokenizerLike = "mixed") -> None:
        self.tokenizer = get_tokenizer(tokenizer)

    def __call__(self, completions: Sequence[Response], **_: Any) -> list[float | None]:  # noqa: ANN401
        """Return one score a completion."""
        corpus = Corpus([response_text(completion) for completion in completions], self.tokenizer)
        entropy = ngram_entropy(corpus, 1, level="response").values
        most = np.log(np.maximum(corpus.lengths, 2))
        return none_where_nan(np.where(corpus.lengths < 2, 0.0, np.minimum(entropy / most, 1.0)))


@register_reward("distinct_reward")
class DistinctReward:
    """Distinct-n of one reply: unique n-grams / all n-grams, in (0, 1]. Higher = more varied.

    `None` for a reply of fewer than n tokens. Short replies score high: take it together with a [`LengthGuard`].

    Args:
        n: N-gram order, at least 1.
        tokenizer: As [`~hfdiv.text.get_tokenizer`] takes it.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> distinct_reward(prompts=["?"] * 2, completions=["no no no", "no"])
        [0.5, None]
    """

    __name__ = "distinct_reward"

    def __init__(self, n: int = 2, tokenizer: TokenizerLike = "mixed") -> None:
        check_order(n)
        self.n = n
        self.tokenizer = get_tokenizer(tokenizer)

    def __call__(self, completions: Sequence[Response], **_: Any) -> list[float | None]:  # noqa: ANN401
        """Return one score a completion."""
        texts = [response_text(completion) for completion in completions]
        return none_where_nan(distinct_n(texts, self.n, self.tokenizer, level="response").values)


@register_reward("repetition_reward")
class RepetitionReward:
    """−seq-rep-n of one reply, the share of its n-grams that repeat an earlier one, in (−1, 0]. Higher = better.

    A penalty for loops ([`~hfdiv.diversity.seq_rep_n`]); 0 for a reply of fewer than n tokens, which has none.

    Args:
        n: N-gram order, at least 1.
        tokenizer: As [`~hfdiv.text.get_tokenizer`] takes it.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> repetition_reward(prompts=["?"] * 2, completions=["no no no no no", "no"])
        [-0.5, 0.0]
    """

    __name__ = "repetition_reward"

    def __init__(self, n: int = 4, tokenizer: TokenizerLike = "mixed") -> None:
        check_order(n)
        self.n = n
        self.tokenizer = get_tokenizer(tokenizer)

    def __call__(self, completions: Sequence[Response], **_: Any) -> list[float | None]:  # noqa: ANN401
        """Return one score a completion."""
        texts = [response_text(completion) for completion in completions]
        repeated = seq_rep_n(texts, self.n, self.tokenizer).values
        return none_where_nan(0.0 - np.nan_to_num(repeated))


diversity_entropy = DiversityEntropy()
distinct_reward = DistinctReward()
repetition_reward = RepetitionReward()
