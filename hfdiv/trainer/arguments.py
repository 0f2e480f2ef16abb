"""What a user can set of the diversity term, and what is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from hfdiv.text import TEXT_TOKENIZERS
from hfdiv.trainer.history_arguments import HistoryArguments


Form = Literal["additive", "multiplicative", "adjustment", "set_marginal", "frequency", "advantage"]
Adjustment = Literal["graph_cut", "log_det"]
SimilarityName = Literal["ngram", "bleu", "embedding", "policy", "partition"]

ROW_SCALING = ("multiplicative", "adjustment")
"""Forms that scale a reply's quality."""
ON_THE_ADVANTAGE = ("set_marginal", "advantage")
"""Forms that enter after the parent has made advantages of the rewards."""
TARGET_MEASURES = ("distinct_1", "distinct_2", "distinct_3", "distinct_4", "novelty")
"""What `diversity_target` can be a level of, measured in each group."""


@dataclass
class DiversityArguments(HistoryArguments):
    """Arguments of the diversity term, beside those of the parent's config.

    Raises:
        TypeError: If a value is of the wrong type.
        ValueError: If a value is out of its range, or two of them do not go together.
    """

    diversity_weight: float = field(
        default=0.5,
        metadata={
            "help": "Weight λ ≥ 0 of the diversity term. 0 gives the parent trainer, bit for bit; diversity is then "
            "still measured and logged. At most 1 for the forms 'multiplicative' and 'adjustment', where 1 is the "
            "paper's form. Not used with a `diversity_target`."
        },
    )
    diversity_form: Form = field(
        default="additive",
        metadata={
            "help": "Where the term enters. 'additive': λ times the novelty of each completion is added to its "
            "reward, before the parent normalizes the rewards. 'multiplicative' (DARLING): the reward times the "
            "novelty. 'adjustment' (DRA): the reward over 1 + what the completion shares with its group. "
            "'frequency' (GAPO): λ times how much rarer than average its class is, added to the reward. "
            "'advantage': λ times the novelty, centred in its group, is added to the advantage, where "
            "`scale_rewards` cannot rescale it. 'set_marginal' (SetPO): the same with what the completion adds to "
            "the log-determinant of its group."
        },
    )
    diversity_adjustment: Adjustment = field(
        default="graph_cut",
        metadata={"help": "What a completion shares with its group, for `diversity_form='adjustment'`."},
    )
    diversity_similarity: SimilarityName = field(
        default="ngram",
        metadata={
            "help": "How alike two completions are: 'ngram' (Jaccard), 'bleu', 'embedding' (cosine of the sentence "
            "encoder in `diversity_encoder`), 'policy' (cosine of the policy's own hidden states, kept while it "
            "generates), or 'partition' (1 within a class of alike completions, else 0; alike by n-grams, or by "
            "`diversity_encoder` where it is given, from `diversity_threshold` on). Not used when the trainer is "
            "given a `similarity`."
        },
    )
    diversity_ngram_size: int = field(
        default=2,
        metadata={
            "help": "Order of the n-grams of 'ngram' and 'partition', and highest order of 'bleu'. Not used when the "
            "trainer is given a `similarity`."
        },
    )
    diversity_tokenizer: str = field(
        default="mixed",
        metadata={"help": f"Tokenizer of those n-grams, one of: {', '.join(TEXT_TOKENIZERS)}; or `hf:NAME_OR_PATH`."},
    )
    diversity_encoder: str | None = field(
        default=None,
        metadata={"help": "Name or folder of a sentence-transformers model, for 'embedding' and 'partition'."},
    )
    diversity_threshold: float = field(
        default=0.5,
        metadata={
            "help": "Similarity in (0, 1] from which on two completions are of one class, for the similarity "
            "'partition' and the form 'frequency'."
        },
    )
    diversity_finished_only: bool = field(
        default=True,
        metadata={
            "help": "Whether only completions that ended by themselves count: one cut off at "
            "`max_completion_length` earns no diversity and is compared with nobody. Without it, length is the "
            "exploit."
        },
    )
    quality_gate: float | str | None = field(
        default=None,
        metadata={
            "help": "Weighted quality that a completion needs in order to count for diversity: a number, or 'running' "
            "for the running mean of quality. Default: none."
        },
    )
    diversity_target: float | None = field(
        default=None,
        metadata={
            "help": "Level of `diversity_target_measure` to settle at. A controller then chooses the weight, group by "
            "group, in place of `diversity_weight`. Needs `diversity_form` 'advantage' or 'set_marginal'."
        },
    )
    diversity_target_measure: str = field(
        default="distinct_2",
        metadata={
            "help": f"What `diversity_target` is a level of, measured in each group over the completions that count; "
            f"one of: {', '.join(TARGET_MEASURES)}."
        },
    )
    history_weight: float = field(
        default=0.0,
        metadata={
            "help": "Weight ≥ 0 of the history penalty: what a completion shares with the conversation's earlier "
            "replies, above `history_threshold`, is taken off its reward. 0: off."
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_numbers()
        self._check_names()
        self._check_combinations()

    def _check_numbers(self) -> None:
        if not (math.isfinite(self.diversity_weight) and self.diversity_weight >= 0):
            raise ValueError(
                f"`diversity_weight` must be a finite number ≥ 0, got {self.diversity_weight}. To train without "
                "diversity use 0."
            )
        if self.diversity_form in ROW_SCALING and self.diversity_weight > 1:
            raise ValueError(
                f"`diversity_weight` must be at most 1 for `diversity_form={self.diversity_form!r}`, where it is the "
                f"share of the reward that diversity scales, got {self.diversity_weight}."
            )
        if self.diversity_ngram_size < 1:
            raise ValueError(f"`diversity_ngram_size` must be at least 1, got {self.diversity_ngram_size}.")
        if not 0 < self.diversity_threshold <= 1:
            raise ValueError(f"`diversity_threshold` must be above 0 and at most 1, got {self.diversity_threshold}.")
        if not (math.isfinite(self.history_weight) and self.history_weight >= 0):
            raise ValueError(f"`history_weight` must be a finite number ≥ 0, got {self.history_weight}.")
        self.quality_gate = _gate(self.quality_gate)

    def _check_names(self) -> None:
        for name, known in {
            "diversity_form": get_args(Form),
            "diversity_adjustment": get_args(Adjustment),
            "diversity_similarity": get_args(SimilarityName),
            "diversity_target_measure": TARGET_MEASURES,
        }.items():
            if getattr(self, name) not in known:
                raise ValueError(f"`{name}` must be one of {list(known)}, got {getattr(self, name)!r}.")
        if self.diversity_tokenizer not in TEXT_TOKENIZERS and not self.diversity_tokenizer.startswith("hf:"):
            raise ValueError(
                f'`diversity_tokenizer` must be one of {list(TEXT_TOKENIZERS)} or "hf:NAME_OR_PATH", got '
                f"{self.diversity_tokenizer!r}."
            )

    def _check_combinations(self) -> None:
        adjusts_by_volume = self.diversity_form == "adjustment" and self.diversity_adjustment == "log_det"
        if self.diversity_similarity == "bleu" and (self.diversity_form == "set_marginal" or adjusts_by_volume):
            raise ValueError(
                "A log-determinant needs a positive semi-definite similarity, which `diversity_similarity='bleu'` is "
                "not. Use 'ngram', 'embedding', 'policy' or 'partition'."
            )
        aggregation = getattr(self, "multi_objective_aggregation", None)  # RLOO has none
        if self.diversity_form in ROW_SCALING and aggregation == "normalize_then_sum":
            raise ValueError(
                f"`diversity_form={self.diversity_form!r}` scales the sum of the rewards, which "
                "`multi_objective_aggregation='normalize_then_sum'` never forms. Use 'sum_then_normalize', or the "
                "form 'additive' or 'advantage'."
            )
        if self.diversity_target is None:
            return
        if not (math.isfinite(self.diversity_target) and 0 < self.diversity_target <= 1):
            raise ValueError(f"`diversity_target` must be above 0 and at most 1, got {self.diversity_target}.")
        if self.diversity_form not in ON_THE_ADVANTAGE:
            raise ValueError(
                f"`diversity_target` needs `diversity_form` to be one of {list(ON_THE_ADVANTAGE)}, got "
                f"{self.diversity_form!r}: only there can a weight push back, and nothing rescales it."
            )
        if self.diversity_weight == 0:
            raise ValueError(
                "`diversity_weight` is 0, which switches diversity off, but `diversity_target` is "
                f"{self.diversity_target}. Leave one of them out."
            )


def _gate(value: object) -> float | str | None:
    """Read the quality gate, which a command line gives as a string."""
    if value is None or value == "running":
        return value  # type: ignore[return-value]
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"`quality_gate` must be a number, 'running' or None, got {value!r}.")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"`quality_gate` must be a finite number, 'running' or None, got {value!r}.")
    return number
