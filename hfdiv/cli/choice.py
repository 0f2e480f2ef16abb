"""Which of the replies written to a prompt are kept: `--best-of`, `--selection`, `--quality`, `--stale-above`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from hfdiv.data import DataError
from hfdiv.data.prompts import Prompts
from hfdiv.generation.choice import choose
from hfdiv.generation.prompts import earlier_replies


if TYPE_CHECKING:
    from hfdiv.generation.replies import Replies

NO_QUALITY = "none"


@dataclass(frozen=True)
class Choice:
    """Chooses the replies to keep, from those written to a prompt.

    Args:
        given: The prompts.
        k: Replies to keep.
        method: How they are chosen.
        quality: Name of a reward function, or "none" to choose by variety alone. Defaults to the log-probability.
        stale_above: A reply whose last sentence is more alike than this to that of an earlier reply is kept only for
            want of others. Defaults to not looking at earlier replies.

    Raises:
        DataError: If there are no earlier replies to look at.
    """

    given: Prompts
    k: int
    method: Literal["mmr", "max_min", "dpp"]
    quality: str | None = None
    stale_above: float | None = None

    def __post_init__(self) -> None:
        if self.stale_above is not None and not any(map(self._earlier, range(len(self.given.prompts)))):
            raise DataError(
                "`--stale-above` compares with earlier replies, and the prompts hold none, neither assistant messages "
                "nor a column `history`: leave it out."
            )
        _ = self._reward  # what cannot be loaded is said before any reply is written

    @property
    def by_log_probability(self) -> bool:
        """Whether the quality of a reply is its log-probability."""
        return self.quality is None

    def settings(self) -> dict[str, Any]:
        """Return how replies are chosen, as JSON values."""
        more = {"quality": self.quality, "stale_above": self.stale_above}
        return {"selection": self.method, **{name: value for name, value in more.items() if value is not None}}

    def __call__(self, replies: Replies) -> list[int]:
        """Return the places of the replies to keep.

        Raises:
            DataError: If the reward function fails.
        """
        if not replies.responses:
            return []
        stale = self._stale(replies)
        faults = [2 * (not end) + old for end, old in zip(replies.finished, stale, strict=True)]
        return choose(replies.responses, self.k, self.method, self._qualities(replies), faults)

    def _qualities(self, replies: Replies) -> Sequence[float] | None:
        if self.by_log_probability:
            return replies.log_probabilities
        if self._reward is None:
            return None
        from hfdiv.data.pairs.candidates import as_completion

        prompt, n = self.given.prompts[replies.index], len(replies.responses)
        try:
            scores = self._reward(
                prompts=[prompt] * n,
                completions=[as_completion(prompt, text) for text in replies.responses],
                history=[self._earlier(replies.index)] * n,
            )
        except (RuntimeError, TypeError, ValueError) as error:
            raise DataError(f"`--quality {self.quality}`, prompt {replies.index}: {error}") from error
        known = [score for score in scores if score is not None]
        if not known:
            return None
        return [min(known) if score is None else score for score in scores]

    def _stale(self, replies: Replies) -> Sequence[bool]:
        earlier = self._earlier(replies.index)
        if self.stale_above is None or not earlier:
            return [False] * len(replies.responses)
        from hfdiv.rewards import history_similarity
        from hfdiv.similarity import NgramSimilarity

        similar = history_similarity(replies.responses, [earlier] * len(replies.responses), NgramSimilarity(1))
        return list(similar > self.stale_above)  # NaN, which is not comparable, is not above

    def _earlier(self, place: int) -> list[str]:
        return [*self.given.histories[place], *earlier_replies(self.given.prompts[place])]

    @cached_property
    def _reward(self) -> Callable[..., Sequence[float | None]] | None:
        if self.quality in (None, NO_QUALITY):
            return None
        from hfdiv.rewards import load_rewards

        try:
            reward = load_rewards([self.quality]).functions[0]
        except (TypeError, ValueError) as error:
            raise DataError(f"`--quality {self.quality}`: {error}") from error
        if inspect.iscoroutinefunction(type(reward).__call__):
            raise DataError(f"`--quality {self.quality}` is asynchronous: give a plain function.")
        return reward
