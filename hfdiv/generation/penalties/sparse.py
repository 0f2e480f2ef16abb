"""Penalties on a few tokens of the vocabulary, and how they are taken off the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hfdiv._extras import require


if TYPE_CHECKING:
    from torch import Tensor


class Penalties(NamedTuple):
    """What one sequence's next token is charged: each token once, in logits. Tokens not named are charged nothing.

    Attributes:
        tokens (`NDArray[np.int64]`): Token ids, without repeats.
        values (`NDArray[np.float64]`): What is subtracted from each one's logit.
    """

    tokens: NDArray[np.int64]
    values: NDArray[np.float64]


NO_PENALTIES = Penalties(np.empty(0, np.int64), np.empty(0))


def subtract(scores: Tensor, penalties: Sequence[Penalties]) -> Tensor:
    """Return `scores` less each row's penalties: the same tensor where there are none, else a new one.

    The arithmetic is in float32 whatever the type of `scores`. Ids that the scores do not reach are left out.

    Args:
        scores: Logits, `(rows, vocabulary)`.
        penalties: One [`Penalties`] a row.

    Example:
        >>> import torch
        >>> subtract(torch.tensor([[1.0, 2.0, 3.0]]), [Penalties(np.array([2]), np.array([0.5]))])
        tensor([[1.0000, 2.0000, 2.5000]])
    """
    placed = _placed(dict(enumerate(penalties)), scores.shape[1])
    if placed is None:
        return scores
    result = scores.clone(memory_format=require("torch", "generation").contiguous_format)
    _take_off(result, *placed)
    return result


def subtract_(scores: Tensor, penalties: Mapping[int, Penalties]) -> Tensor:
    """Take the penalties of some rows off `scores`, in place, and return it; otherwise as [`subtract`].

    Args:
        scores: Logits, `(rows, vocabulary)`.
        penalties: By row, its [`Penalties`].

    Example:
        >>> import torch
        >>> subtract_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), {1: Penalties(np.array([0]), np.array([0.5]))})
        tensor([[1.0000, 2.0000],
                [2.5000, 4.0000]])
    """
    placed = _placed(penalties, scores.shape[1])
    if placed is not None:
        _take_off(scores, *placed)
    return scores


def _placed(
    penalties: Mapping[int, Penalties], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]] | None:
    """Return rows and tokens that are charged, and how much; `None` if there are none."""
    tokens = np.concatenate([each.tokens for each in penalties.values()])
    known = tokens < width
    if not known.any():
        return None
    values = np.concatenate([each.values for each in penalties.values()])
    row = np.repeat(list(penalties), [len(each.tokens) for each in penalties.values()])
    return row[known], tokens[known], values[known].astype(np.float32)


def _take_off(scores: Tensor, rows: NDArray[np.int64], tokens: NDArray[np.int64], values: NDArray[np.float32]) -> None:
    torch = require("torch", "generation")
    row, token, taken = (torch.from_numpy(array).to(scores.device) for array in (rows, tokens, values))
    scores[row, token] = (scores[row, token].float() - taken).to(scores.dtype)


def without(exempt: frozenset[int], penalties: Penalties) -> Penalties:
    """Return the penalties of all tokens but the `exempt`.

    Example:
        >>> without(frozenset([3]), Penalties(np.array([3, 5]), np.array([1.0, 2.0])))
        Penalties(tokens=array([5]), values=array([2.]))
    """
    if not exempt or not len(penalties.tokens):
        return penalties
    keep = np.array([token not in exempt for token in penalties.tokens.tolist()])
    return Penalties(penalties.tokens[keep], penalties.values[keep])
