"""What a reply must not break to be any good: its length, its form. 0 = kept, below 0 = broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import regex

from hfdiv.ngrams import Corpus
from hfdiv.rewards.form import none_where_nan
from hfdiv.rewards.registry import register_reward
from hfdiv.text import Response, TokenizerLike, get_tokenizer, response_text


@register_reward("length_guard")
class LengthGuard:
    """0 for a reply of a length within bounds, down to −1 outside, in [−1, 0]. Higher = better.

    With L tokens: −(minimum − L) / minimum below the bounds, −(L − maximum) / maximum above, at the least −1. So an
    empty reply and one of twice the maximum score −1.

    Args:
        minimum: Fewest tokens, at least 0.
        maximum: Most tokens, at least 1 and not below the minimum. Defaults to no bound.
        tokenizer: What a token is, as [`~hfdiv.text.get_tokenizer`] takes it.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> LengthGuard(minimum=2, maximum=4)(prompts=["?"] * 3, completions=["no", "no no no", "no no no no no"])
        [-0.5, 0.0, -0.25]
    """

    __name__ = "length_guard"

    def __init__(self, minimum: int = 1, maximum: int | None = None, tokenizer: TokenizerLike = "mixed") -> None:
        if minimum < 0:
            raise ValueError(f"`minimum` must be at least 0, got {minimum!r}.")
        if maximum is not None and maximum < max(minimum, 1):
            raise ValueError(f"`maximum` must be at least 1 and not below `minimum` ({minimum!r}), got {maximum!r}.")
        self.minimum = minimum
        self.maximum = maximum
        self.tokenizer = get_tokenizer(tokenizer)

    def __call__(self, completions: Sequence[Response], **_: Any) -> list[float | None]:  # noqa: ANN401
        """Return one score a completion."""
        length = Corpus([response_text(completion) for completion in completions], self.tokenizer).lengths
        off = np.maximum(self.minimum - length, 0) / max(self.minimum, 1)
        if self.maximum is not None:
            off += np.maximum(length - self.maximum, 0) / self.maximum
        return none_where_nan(0.0 - np.minimum(off, 1.0))


@register_reward("format_guard")
class FormatGuard:
    r"""0 for a reply in which a pattern is found, −1 for one in which it is not. Higher = better.

    Args:
        pattern: A regular expression of the `regex` package. `\A` and `\Z` bind it to the whole reply, and
            `\A(?s:(?!.*As an AI).*)\Z` forbids words.

    Raises:
        ValueError: If the pattern is no regular expression.

    Example:
        >>> FormatGuard(r"[.?!]\s*\Z")(prompts=["?"] * 2, completions=["It is on its way.", "It is on"])
        [0.0, -1.0]
    """

    __name__ = "format_guard"

    def __init__(self, pattern: str) -> None:
        try:
            self.pattern = regex.compile(pattern)
        except regex.error as error:
            raise ValueError(f"`pattern` is no regular expression: {error}, got {pattern!r}.") from error

    def __call__(self, completions: Sequence[Response], **_: Any) -> list[float | None]:  # noqa: ANN401
        """Return one score a completion."""
        return [0.0 if self.pattern.search(response_text(completion)) else -1.0 for completion in completions]
