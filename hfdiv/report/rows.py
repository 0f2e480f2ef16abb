"""The rows of a comparison: every diversity measure, and every quality column beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hfdiv import __version__
from hfdiv.data import Records
from hfdiv.diversity import Level, distinct_n, measure
from hfdiv.diversity.suite import HIGHER_IS_LESS_VARIED, NOT_OF_VARIETY, STANDARD
from hfdiv.ngrams import Corpus
from hfdiv.report.comparison import Row
from hfdiv.report.pooled import pooled_distinct
from hfdiv.report.significance import N_RESAMPLES, PairedEstimate, paired_bootstrap
from hfdiv.report.values import column_values, length_values, score_values
from hfdiv.text import TokenizerLike, get_tokenizer


Floats = NDArray[np.float64]

VARIETY = tuple(name for name in STANDARD if name not in NOT_OF_VARIETY)
"""The standard set without lengths: the length of replies has a row beside the quality columns."""

POOLED_ORDERS = (1, 2)
"""Orders of the Distinct-n over all replies pooled."""


def pooled_name(n: int) -> str:
    """Return the name of the row of pooled Distinct-n.

    Example:
        >>> pooled_name(2)
        'distinct_2 (pooled)'
    """
    return f"distinct_{n} (pooled)"


def diversity_rows(before: Corpus, after: Corpus, *, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Iterator[Row]:
    """Yield a row for each measure of the standard set, and for Distinct-1 and 2 over all replies pooled.

    Args:
        before: One group a prompt.
        after: The same prompts in the same order.
        n_resamples: Draws of the bootstrap.
        seed: Seed of the draws.

    Raises:
        ValueError: If the two hold different numbers of prompts.

    Example:
        >>> rows = diversity_rows(Corpus([["a", "a"]]), Corpus([["a", "b"]]))
        >>> {row.name: (row.before.value, row.after.value) for row in rows}["distinct_1"]
        (0.5, 1.0)
    """
    found = measure(after, measures=VARIETY)
    for name, score in measure(before, measures=VARIETY).items():
        values = score_values(score, before), score_values(found[name], after)
        estimate = paired_bootstrap(*values, n_resamples=n_resamples, seed=seed)
        # Replies are averaged within their prompt first, which the measure alone does not: another number, so signed.
        signature = score.signature + ("|mean:prompt" if score.level == "response" else "")
        yield _row("diversity", name, score.level, estimate, signature, values)
    for n in POOLED_ORDERS:
        score = distinct_n(before, n, level="corpus")
        estimate = pooled_distinct(before, after, n, n_resamples=n_resamples, seed=seed)
        yield _row("diversity", pooled_name(n), score.level, estimate, score.signature)


def quality_rows(
    before: Records, after: Records, tokenizer: TokenizerLike, *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> Iterator[Row]:
    """Yield a row for the length in tokens and for each column that both sides have: means over all replies.

    Whether higher is better is for the reader to know. Values that are missing or infinite are left out.

    Args:
        before: One group a prompt.
        after: The same prompts in the same order.
        tokenizer: What a token is.
        n_resamples: Draws of the bootstrap.
        seed: Seed of the draws.

    Raises:
        ValueError: If the two hold different numbers of prompts, or no prompt.

    Example:
        >>> one = Records(["p"], [["a b", "c"]], {"reward": [[1.0, 0.0]]})
        >>> [(row.name, row.before.value) for row in quality_rows(one, one, "mixed")]
        [('length', 1.5), ('reward', 0.5)]
    """
    tokenizer = get_tokenizer(tokenizer)
    lengths = length_values(before, tokenizer), length_values(after, tokenizer)
    estimate = paired_bootstrap(*lengths, n_resamples=n_resamples, seed=seed)
    signature = f"length|level:response|mean:prompt|tok:{tokenizer.signature}|version:{__version__}"
    name = "length (tokens)" if "length" in before.columns else "length"
    yield _row("quality", name, "response", estimate, signature, lengths)
    for column in before.columns:
        if column in after.columns:
            values = column_values(before, column), column_values(after, column)
            estimate = paired_bootstrap(*values, n_resamples=n_resamples, seed=seed)
            signature = f"column:{column}|level:response|mean:prompt|version:{__version__}"
            yield _row("quality", column, "response", estimate, signature, values)


def _row(
    kind: Literal["diversity", "quality"],
    name: str,
    level: Level,
    estimate: PairedEstimate,
    signature: str,
    values: tuple[Floats, Floats] | None = None,
) -> Row:
    return Row(
        kind=kind,
        name=name,
        level=level,
        before=estimate.before,
        after=estimate.after,
        difference=estimate.difference,
        n_counted=estimate.n_counted,
        signature=signature,
        less_varied=kind == "diversity" and name.startswith(HIGHER_IS_LESS_VARIED),
        pairs=() if values is None else tuple(zip(values[0].tolist(), values[1].tolist(), strict=True)),
    )
