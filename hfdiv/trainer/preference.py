"""Weights of preference pairs in TRL's DPO, CPO and ORPO: what can be set, and how a weight reaches the loss."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from datasets import Dataset, IterableDataset

from hfdiv.similarity import Similarity
from hfdiv.text import TEXT_TOKENIZERS
from hfdiv.trainer.history_arguments import HistoryArguments
from hfdiv.trainer.model_card import DiversityCardMixin
from hfdiv.trainer.pair_card import weighting_in_words
from hfdiv.trainer.pair_columns import pair_weights
from hfdiv.trainer.pair_weights import check_pair_weights


PairWeighting = Literal["none", "column", "deviation", "history"]

PAIR_WEIGHT = "pair_weight"
"""Column of the training dataset, and key of a batch, with the weights."""

# The private and undocumented names of TRL that the trainers of preference read or override, by TRL's class. A test
# compares them with the installed TRL, so that a change upstream fails there and not in somebody's run.
SEAMS = {
    "DPOTrainer": {
        "compute_loss": ("model", "inputs", "return_outputs", "num_items_in_batch"),
        "_set_signature_columns_if_needed": (),
    },
    "CPOTrainer": {
        "get_batch_loss_metrics": ("model", "batch", "train_eval"),
        "concatenated_forward": ("model", "batch"),
        "cpo_loss": ("policy_chosen_logps", "policy_rejected_logps"),
        "_set_signature_columns_if_needed": (),
    },
    "ORPOTrainer": {
        "get_batch_loss_metrics": ("model", "batch", "train_eval"),
        "concatenated_forward": ("model", "batch"),
        "odds_ratio_loss": ("policy_chosen_logps", "policy_rejected_logps"),
        "get_batch_logps": ("logits", "labels", "average_log_prob", "is_encoder_decoder"),
        "_set_signature_columns_if_needed": (),
    },
}
SEAM_ATTRIBUTES = {
    "DPOTrainer": ("use_weighting", "data_collator", "_signature_columns"),
    "CPOTrainer": ("loss_type", "cpo_alpha", "is_encoder_decoder", "data_collator", "_signature_columns"),
    "ORPOTrainer": ("is_encoder_decoder", "data_collator", "_signature_columns"),
}


@dataclass
class PairWeightArguments(HistoryArguments):
    """Arguments of the pair weights, beside those of the parent's config.

    Raises:
        ValueError: If a value is out of its range, or two of them do not go together.
    """

    pair_weighting: PairWeighting = field(
        default="deviation",
        metadata={
            "help": "Where the weight of a pair in the loss comes from. 'none': no weights, the parent trainer bit "
            "for bit. 'column': `pair_weight_column` of the training dataset, as it is. 'deviation' (DDPO, DORPO): "
            "how far the chosen reply is from the others to its prompt, mean 1 over a prompt's replies. 'history': "
            "falls from 1 to 0 as the chosen reply comes to repeat the conversation's earlier ones."
        },
    )
    pair_weight_column: str = field(
        default="weight", metadata={"help": "Column with the weights, for `pair_weighting='column'`."}
    )
    deviation_columns: list[str] | None = field(
        default=None,
        metadata={
            "help": "Columns with the deviation of the chosen reply, one for each encoder, for "
            "`pair_weighting='deviation'`. Default: it is measured on the dataset's replies."
        },
    )
    pair_encoders: list[str] | None = field(
        default=None,
        metadata={
            "help": "Names or folders of sentence-transformers models that measure how alike two replies are; of "
            "several the geometric mean is taken. Default: n-grams."
        },
    )
    pair_ngram_size: int = field(default=2, metadata={"help": "Order of the n-grams, where there is no encoder."})
    pair_tokenizer: str = field(
        default="mixed",
        metadata={"help": f"Tokenizer of those n-grams, one of: {', '.join(TEXT_TOKENIZERS)}; or `hf:NAME_OR_PATH`."},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("deviation_columns", "pair_encoders"):
            if isinstance(getattr(self, name), str):
                setattr(self, name, [getattr(self, name)])
        if self.pair_weighting not in get_args(PairWeighting):
            known = list(get_args(PairWeighting))
            raise ValueError(f"`pair_weighting` must be one of {known}, got {self.pair_weighting!r}.")
        if self.pair_ngram_size < 1:
            raise ValueError(f"`pair_ngram_size` must be at least 1, got {self.pair_ngram_size}.")
        if self.pair_weighting == "history" and self.pair_encoders and len(self.pair_encoders) > 1:
            raise ValueError(f"`pair_weighting='history'` takes one of `pair_encoders`, got {self.pair_encoders}.")
        if self.pair_weighting != "none":
            self._check_loss()

    def _check_loss(self) -> None:
        """Refuse what has no weight by pair; for the trainer's own losses to override."""


class PairWeightMixin(DiversityCardMixin):
    """Gives the pairs of a TRL trainer of preference their weights, from the dataset to the batch.

    Only training is weighted: the loss of an evaluation is the parent's, and compares across weightings.
    """

    _config_class: ClassVar[type[PairWeightArguments]]

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - the parent's
        similarity: Similarity | None = None,
        **kwargs: Any,  # noqa: ANN401 - the parent's
    ) -> None:
        given = inspect.signature(super().__init__).bind(*args, **kwargs).arguments
        config = given.get("args")
        if config is None:
            config = given["args"] = self._config_class()
        if not isinstance(config, self._config_class):
            raise TypeError(
                f"`args` must be a {self._config_class.__name__}, got {type(config).__name__}. It takes the same "
                "arguments and those of the pair weights."
            )
        dataset = given.get("train_dataset")
        if config.pair_weighting != "none" and isinstance(dataset, (Dataset, IterableDataset)):
            given["train_dataset"] = with_pair_weights(dataset, config, similarity)
        self._similarity = similarity
        super().__init__(**given)
        if config.pair_weighting != "none":
            self.data_collator = PairWeightCollator(self.data_collator)  # type: ignore[has-type]

    def _in_words(self) -> str:
        pairs = self.train_dataset  # type: ignore[attr-defined]
        weighted = isinstance(pairs, Dataset) and PAIR_WEIGHT in pairs.column_names
        return weighting_in_words(
            self.args,  # type: ignore[attr-defined]
            self._similarity,
            pairs[PAIR_WEIGHT][:] if weighted else None,
        )

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()  # type: ignore[misc]
        columns = self._signature_columns  # type: ignore[attr-defined]
        if columns is not None and PAIR_WEIGHT not in columns:
            columns.append(PAIR_WEIGHT)


class BatchWeightMixin(PairWeightMixin):
    """Keeps the weights of a batch at hand while a TRL trainer with a loss by pair computes it."""

    _batch_weights: torch.Tensor | None = None

    def get_batch_loss_metrics(
        self, model: torch.nn.Module, batch: dict[str, Any], train_eval: Literal["train", "eval"] = "train"
    ) -> Any:  # noqa: ANN401 - the parent's
        """Return the weighted loss of a batch, in an evaluation the parent's, and the parent's metrics."""
        self._batch_weights = batch.get(PAIR_WEIGHT) if train_eval == "train" else None
        if self._batch_weights is not None and self.is_encoder_decoder:  # type: ignore[attr-defined]
            raise NotImplementedError("Pair weights need a decoder-only model. Use `pair_weighting='none'`.")
        try:
            return super().get_batch_loss_metrics(model, batch, train_eval)  # type: ignore[misc]
        finally:
            self._batch_weights = None

    def _weighted(self, losses: torch.Tensor) -> torch.Tensor:
        """Return the losses of the pairs, `(B,)`, times their weights where there are any."""
        return losses if self._batch_weights is None else losses * self._batch_weights.to(losses)


class PairWeightCollator:
    """A collator that takes the weights out of the rows, and puts them into the batch.

    Args:
        collator: The parent's, which knows nothing of weights.
    """

    def __init__(self, collator: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self.collator = collator

    def __call__(self, examples: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the batch; without weights where the rows have none, as those of an evaluation."""
        rows = [dict(example) for example in examples]
        weights = [row.pop(PAIR_WEIGHT) for row in rows if PAIR_WEIGHT in row]
        batch = self.collator(rows)
        if weights:
            batch[PAIR_WEIGHT] = torch.tensor(check_pair_weights(weights, "a batch"), dtype=torch.float32)
        return batch


def with_pair_weights(
    dataset: Dataset | IterableDataset, config: PairWeightArguments, similarity: Similarity | None = None
) -> Dataset | IterableDataset:
    """Return the dataset with a column of weights; as it is where all are 1, so that training is the parent's.

    Raises:
        ValueError: If all weights are 0, a column is missing, or a streamed dataset's weights would be measured.
    """
    if isinstance(dataset, IterableDataset):
        return _streamed(dataset, config)
    weights = pair_weights(dataset, config, similarity)
    if not weights.any():
        raise ValueError(
            f"All {len(weights)} pair weights of `pair_weighting={config.pair_weighting!r}` are 0: nothing would be "
            "learned."
        )
    if (weights == 1).all():
        warnings.warn(
            f"All pair weights of `pair_weighting={config.pair_weighting!r}` are 1: this is training without weights.",
            stacklevel=3,
        )
        return dataset
    if PAIR_WEIGHT in dataset.column_names:
        dataset = dataset.remove_columns(PAIR_WEIGHT)
    return dataset.add_column(PAIR_WEIGHT, np.asarray(weights))  # type: ignore[arg-type]


def _streamed(dataset: IterableDataset, config: PairWeightArguments) -> IterableDataset:
    if config.pair_weighting != "column":
        raise ValueError(
            f"`pair_weighting={config.pair_weighting!r}` measures the whole dataset, but it is streamed. Load it, or "
            "write the weights into a column and use 'column'."
        )
    name = config.pair_weight_column
    row = next(iter(dataset))
    if name not in row:
        raise ValueError(f"The dataset has no column {name!r}; there are {sorted(row)}.")
    return dataset.map(lambda row: {PAIR_WEIGHT: row[name]})
