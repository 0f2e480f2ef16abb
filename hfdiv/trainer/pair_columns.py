"""The weights of a dataset's pairs: read from its columns, or measured on its replies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from trl import extract_prompt

from hfdiv.diversity.contribution import novelty
from hfdiv.rewards.conversation import earlier_replies
from hfdiv.rewards.history import history_similarity
from hfdiv.similarity import EmbeddingSimilarity, NgramSimilarity, Similarity, load_encoder
from hfdiv.text import Response, response_text
from hfdiv.trainer.pair_weights import check_pair_weights, deviation_weights, history_weights
from hfdiv.trainer.similarities import group_similarities


if TYPE_CHECKING:
    from hfdiv.trainer.preference import PairWeightArguments


def pair_weights(
    dataset: Dataset, config: PairWeightArguments, similarity: Similarity | None = None
) -> NDArray[np.float64]:
    """Return the weight of each pair, `(n,)`, by the config's `pair_weighting`.

    Must be called on every process: what is measured with an encoder is shared out among them.

    Args:
        dataset: Rows with `chosen` and `rejected`, and a `prompt` unless these hold it, as TRL reads them.
        config: Its fields of pair weights are read.
        similarity: Takes the place of what the config names.

    Raises:
        ValueError: If a column is missing, or a weight is none.
    """
    if config.pair_weighting == "column":
        return check_pair_weights(
            _column(dataset, config.pair_weight_column), f"the column {config.pair_weight_column!r}"
        )
    if "prompt" not in dataset.column_names:
        dataset = dataset.map(extract_prompt)
    if config.pair_weighting == "deviation" and config.deviation_columns:
        deviations = [_column(dataset, name) for name in config.deviation_columns]
        return deviation_weights(deviations, [_key(prompt) for prompt in dataset["prompt"]])
    similarities = [similarity] if similarity is not None else _similarities(config)
    if config.pair_weighting == "history":
        return _by_history(dataset, config, similarities[0])
    return _by_deviation(dataset, similarities)


def _by_deviation(dataset: Dataset, similarities: Sequence[Similarity]) -> NDArray[np.float64]:
    prompts = [_key(prompt) for prompt in dataset["prompt"]]
    chosen, rejected = ([response_text(reply) for reply in dataset[name]] for name in ("chosen", "rejected"))
    replies_of: dict[str, dict[str, None]] = {}
    for prompt, *pair in zip(prompts, chosen, rejected, strict=True):
        replies_of.setdefault(prompt, {}).update(dict.fromkeys(pair))
    groups = [list(replies) for replies in replies_of.values()]
    deviations = [
        np.concatenate([novelty(matrix) for matrix in group_similarities(groups, similarity)])
        for similarity in similarities
    ]
    replies = [(prompt, reply) for prompt, group in zip(replies_of, groups, strict=True) for reply in group]
    found = dict(zip(replies, deviation_weights(deviations, [prompt for prompt, _ in replies]), strict=True))
    return np.array([found[pair] for pair in zip(prompts, chosen, strict=True)])


def _by_history(dataset: Dataset, config: PairWeightArguments, similarity: Similarity) -> NDArray[np.float64]:
    prompts = dataset["prompt"][:]
    in_column = config.history_column in dataset.column_names
    if not in_column and isinstance(prompts[0], str):
        raise ValueError(
            "`pair_weighting='history'` needs the earlier replies of each conversation, but the dataset has no column "
            f"{config.history_column!r} and its prompts are not conversational. Add the column, name another in "
            "`history_column`, or give the prompts as chat messages."
        )
    histories = earlier_replies(prompts, dataset[config.history_column][:] if in_column else None)
    texts = [response_text(reply) for reply in dataset["chosen"]]
    alike = history_similarity(texts, histories, similarity, config.history_scope)
    return history_weights(alike, config.history_threshold)


def _similarities(config: PairWeightArguments) -> list[Similarity]:
    if config.pair_encoders:
        device = str(config.device)  # type: ignore[attr-defined]  # of transformers' TrainingArguments
        return [EmbeddingSimilarity(load_encoder(name, device), name) for name in config.pair_encoders]
    return [NgramSimilarity(config.pair_ngram_size, config.pair_tokenizer)]


def _column(dataset: Dataset, name: str) -> list[Any]:
    if name not in dataset.column_names:
        raise ValueError(f"The dataset has no column {name!r}; there are {sorted(dataset.column_names)}.")
    values: list[Any] = dataset[name][:]
    return values


def _key(prompt: Response) -> str:
    return prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True)
