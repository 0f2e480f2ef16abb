"""Which tokens stay in the draw: XTC and top-nσ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfdiv._extras import require


if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 128


def exclude_top_choices(scores: Tensor, rows: Tensor, threshold: float, protected: Sequence[int] = ()) -> Tensor:
    """Remove all tokens with probability >= `threshold` except the least likely of them (XTC), on the given rows.

    A row keeps all its tokens if one of the `protected` would go. Of equally unlikely ones the first in the
    vocabulary stays. Defined by p-e-w (2024, https://github.com/oobabooga/text-generation-webui/pull/6335).

    Args:
        scores: Logits, `(rows, vocabulary)`; minus infinity where a token is out already.
        rows: Which rows, `(rows,)`, bool.
        threshold: In (0, 1]; above 0.5 nothing ever goes.
        protected: Token ids, such as newline and end of text.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
        >>> exclude_top_choices(scores, torch.tensor([True]), 0.1).exp()
        tensor([[0.0000, 0.0000, 0.1500, 0.0500]])
    """
    drawn = rows.nonzero().squeeze(1)
    logits = scores.index_select(0, drawn).float()
    n_rows, width = logits.shape
    weights = relative_weights(logits)
    row, token = at_least(weights, threshold * weights.sum(dim=-1, keepdim=True))
    likely = logits[row, token]
    least = likely.new_full((n_rows,), math.inf).scatter_reduce(0, row, likely, "amin")
    unlikeliest = likely == least[row]
    kept = row.new_full((n_rows,), width).scatter_reduce(0, row[unlikeliest], token[unlikeliest], "amin")
    goes = token != kept[row]
    if len(protected):
        spared = goes & require("torch", "generation").isin(token, token.new_tensor(protected))
        spoilt = row.new_zeros(n_rows).scatter_reduce(0, row, spared.to(row.dtype), "amax")
        goes = goes & (spoilt[row] == 0)
    if not goes.any():
        return scores
    result = scores.clone()
    result[drawn[row[goes]], token[goes]] = -math.inf
    return result


def top_n_sigma(scores: Tensor, n: float) -> Tensor:
    """Keep the logits within `n` standard deviations of the largest (*Top-nσ*, Tang et al., 2024).

    The deviation is over all tokens that are still in the draw, as a population's. The set that is kept is the same
    at every temperature, which is the method's point (https://huggingface.co/papers/2411.07641).

    Args:
        scores: Logits, `(rows, vocabulary)`; minus infinity where a token is out already.
        n: > 0; 1 in the paper.

    Example:
        >>> import torch
        >>> top_n_sigma(torch.tensor([[4.0, 3.0, 0.0, 1.0]]), 1.0)
        tensor([[4., 3., -inf, -inf]])
    """
    logits = scores.float()
    floor = logits.amax(dim=-1, keepdim=True) - n * _deviation(logits)
    row, token = at_least(logits, floor)
    result = scores.new_full(scores.shape, -math.inf)
    result[row, token] = scores[row, token]
    return result


def _deviation(logits: Tensor) -> Tensor:
    """Return the standard deviation of each row's finite logits, `(rows, 1)`."""
    mean = logits.mean(dim=-1, keepdim=True)
    if mean.isfinite().all():  # no token is out
        variance = (logits - mean).norm(dim=-1, keepdim=True).square() / logits.shape[1]
    else:  # `nan_to_num_` takes a quarter of the time of a mask
        n_out = (logits * 0.0).nan_to_num_(nan=1.0).sum(dim=-1, keepdim=True)
        n_inside = logits.shape[1] - n_out
        mean = logits.nan_to_num(neginf=0.0).sum(dim=-1, keepdim=True) / n_inside
        variance = (logits - mean).nan_to_num_(neginf=0.0).norm(dim=-1, keepdim=True).square() / n_inside
    deviation: Tensor = variance.sqrt()  # torch's own takes ten times as long
    return deviation


def relative_weights(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Return exp((logits - largest) / temperature), each token's probability by that of the likeliest, in float32.

    Example:
        >>> import torch
        >>> relative_weights(torch.tensor([[0.2, 0.4]]).log())
        tensor([[0.5000, 1.0000]])
    """
    logits = logits.float()
    # In powers of two: torch's `exp` takes two to four times as long, and `softmax` twice.
    return (logits - logits.amax(dim=-1, keepdim=True)).mul_(math.log2(math.e) / temperature).exp2_()


def at_least(values: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
    """Return row and column of all values that reach their row's floor, in no particular order.

    Made for the case that few do: blocks of columns are looked at first, by their largest.

    Args:
        values: `(rows, columns)`.
        floor: `(rows, 1)`.

    Example:
        >>> import torch
        >>> at_least(torch.tensor([[1.0, 5.0], [3.0, 2.0]]), torch.tensor([[4.0], [2.0]]))
        (tensor([0, 1, 1]), tensor([1, 0, 1]))
    """
    whole = values.shape[1] // _BLOCK * _BLOCK
    blocks = values[:, :whole].unflatten(1, (whole // _BLOCK, _BLOCK))
    row, block = (blocks.amax(dim=-1) >= floor).nonzero(as_tuple=True)
    hit, place = (blocks[row, block] >= floor[row]).nonzero(as_tuple=True)
    row, column = row[hit], block[hit] * _BLOCK + place
    if whole == values.shape[1]:
        return row, column
    rest_row, rest = (values[:, whole:] >= floor).nonzero(as_tuple=True)
    torch = require("torch", "generation")
    return torch.cat([row, rest_row]), torch.cat([column, rest + whole])
