"""How far is a reply from the others to the same prompt?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from hfdiv.diversity import novelty
from hfdiv.ngrams import check_order
from hfdiv.rewards.form import none_where_nan
from hfdiv.rewards.registry import register_reward
from hfdiv.similarity import NgramSimilarity, Similarity
from hfdiv.text import Response, TokenizerLike, response_text


@register_reward("novelty_reward")
class NoveltyReward:
    """Mean distance of a reply to the others of its group, in [0, 1]. Higher = more varied.

    Σ_{j ≠ i} (1 − sim(i, j)) / (G − 1) over the G completions of one prompt ([`~hfdiv.diversity.novelty`]); by default
    the distance is that of Jaccard, on n-grams. `None` for a group of one, and for a reply that cannot be compared.

    The function finds the groups itself: equal prompts one after another. TRL shows a reward function the completions
    of *one process*, so that a group may be cut in two there. Such a part is refused, because its novelty would be
    another number; [`~hfdiv.trainer.DiverseGRPOTrainer`] gathers the groups first.

    Args:
        n: Order of the n-grams, at least 1.
        tokenizer: How they are split, as [`~hfdiv.text.get_tokenizer`] takes it.
        similarity: Any [`~hfdiv.similarity.Similarity`] in place of n-grams.
        num_generations: G. Defaults to what the calling `GRPOTrainer` or `RLOOTrainer` has, and outside of one to the
            number of equal prompts one after another.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> novelty_reward(prompts=["?"] * 3, completions=["yes it is", "yes it is", "no way"])
        [0.5, 0.5, 1.0]
    """

    __name__ = "novelty_reward"

    def __init__(
        self,
        n: int = 2,
        tokenizer: TokenizerLike = "mixed",
        similarity: Similarity | None = None,
        num_generations: int | None = None,
    ) -> None:
        check_order(n)
        if num_generations is not None and (not isinstance(num_generations, int) or num_generations < 1):
            raise ValueError(f"`num_generations` must be an integer of at least 1, got {num_generations!r}.")
        self.similarity = similarity or NgramSimilarity(n, tokenizer)
        self.num_generations = num_generations

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        log_metric: Any = None,  # noqa: ANN401 - the trainer's method
        **_: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion.

        Raises:
            ValueError: If a group is not whole.
        """
        texts = [response_text(completion) for completion in completions]
        values = np.full(len(texts), np.nan)
        for group in whole_groups(prompts, self.num_generations or group_size_of_trainer(log_metric)):
            values[group] = novelty(self.similarity(texts[group]))
        return none_where_nan(values)


def whole_groups(prompts: Sequence[Response], size: int | None) -> list[slice]:
    """Return the rows of each group of completions, from the prompt of each completion.

    Args:
        prompts: `(n,)`, the prompt of each completion.
        size: Completions in a group, where that is known. Else equal prompts one after another are a group.

    Raises:
        ValueError: If a group is not whole: equal prompts one after another are no multiple of `size` or, where that
            is not known, of any size but 1.

    Example:
        >>> whole_groups(["a", "a", "a", "a", "b", "b"], 2)
        [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    starts = [0] + [row for row, (former, prompt) in enumerate(pairwise(prompts), start=1) if prompt != former]
    runs = [end - start for start, end in pairwise([*starts, len(prompts)])]
    if size is None and math.gcd(*runs) == 1 and max(runs) > 1:
        raise ValueError(
            f"Cannot tell the groups: equal prompts come in runs of {runs} completions, which are not whole groups of "
            "one size. Give `num_generations`, and whole groups."
        )
    groups = []
    for start, run in zip(starts, runs, strict=True):
        if size and run % size:
            raise ValueError(
                f"The {run} completions of one prompt from row {start} on are not whole groups of {size}: a reward "
                "function sees those of its own process only. Make `per_device_train_batch_size` (for evaluation "
                "`per_device_eval_batch_size`) a multiple of the generations of a prompt; or take, in place of this "
                "reward, the diversity term of DiverseGRPOTrainer, which gathers the groups first."
            )
        step = size or run
        groups += [slice(row, row + step) for row in range(start, start + run, step)]
    return groups


def group_size_of_trainer(log_metric: Any) -> int | None:  # noqa: ANN401 - the trainer's method
    """Return how many completions a prompt has in the trainer that a reward function's `log_metric` belongs to.

    TRL tells reward functions neither that number nor the trainer, but this argument is a method of it. `None` outside
    of a trainer, and in an asynchronous one, which scores whole groups.
    """
    trainer: Any = getattr(log_metric, "__self__", None)
    if not hasattr(trainer, "num_generations_eval"):
        return None
    size: int = trainer.num_generations if trainer.model.training else trainer.num_generations_eval
    return size


novelty_reward = NoveltyReward()
