"""A classifier of pairs of texts: do both say the same?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hfdiv._deepspeed import whole_weights
from hfdiv._extras import require


if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, eq=False)
class PairClassifier:
    """Tells of each pair of texts whether both say the same, by a sequence classification model. True = the same.

    The input is `[CLS] text [SEP] other [SEP]`, each text cut to `max_length` tokens of its own, as NoveltyBench does;
    the answer is yes where the probability of label 1 is above the threshold.

    Args:
        model: Model with two labels, of which label 1 is "the same".
        tokenizer: Its tokenizer, with a CLS and a SEP token.
        name: Name in signatures.
        threshold: Probability above which two texts are the same, in [0, 1).
        max_length: Tokens kept of each text.
        batch_size: Pairs in one forward pass.

    Raises:
        ValueError: If an argument is out of its range, the tokenizer has no CLS or SEP token, or the model has not two
            labels.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    threshold: float
    max_length: int = 128
    batch_size: int = 32

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise ValueError(f"`threshold` must be at least 0 and below 1, got {self.threshold!r}.")
        for option in ("max_length", "batch_size"):
            if getattr(self, option) < 1:
                raise ValueError(f"`{option}` must be at least 1, got {getattr(self, option)!r}.")
        if self.tokenizer.cls_token_id is None or self.tokenizer.sep_token_id is None:
            raise ValueError(f"The tokenizer of {self.name!r} must have a CLS and a SEP token.")
        if self.model.config.num_labels != 2:
            raise ValueError(f"{self.name!r} must have two labels, got {self.model.config.num_labels}.")

    @property
    def signature(self) -> str:
        """Name, threshold and length, as they stand in a score's signature."""
        return f"{self.name},p>{self.threshold},len={self.max_length}"

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Return for each pair whether both texts say the same."""
        return [probability > self.threshold for probability in self.probabilities(pairs)]

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the probability that both texts of a pair say the same, for each pair."""
        torch = require("torch", "similarity")
        found: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(pairs), self.batch_size):
                inputs = self._inputs(pairs[start : start + self.batch_size])
                found += self.model(**inputs).logits.float().softmax(dim=-1)[:, 1].tolist()
        return found

    def _inputs(self, pairs: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
        cls, sep = [self.tokenizer.cls_token_id], [self.tokenizer.sep_token_id]
        texts = [text for pair in pairs for text in pair]
        ids = self.tokenizer(texts, add_special_tokens=False, truncation=True, max_length=self.max_length)["input_ids"]
        rows = list(zip(ids[::2], ids[1::2], strict=True))
        features = {
            "input_ids": [cls + left + sep + right + sep for left, right in rows],
            "token_type_ids": [[0] * (len(left) + 2) + [1] * (len(right) + 1) for left, right in rows],
        }
        if "token_type_ids" not in self.tokenizer.model_input_names:
            del features["token_type_ids"]
        return dict(self.tokenizer.pad(features, return_tensors="pt").to(self.model.device))


def load_pair_classifier(
    name_or_path: str | Path,
    device: str | None = None,
    threshold: float = 0.5,
    tokenizer: str | Path | None = None,
    max_length: int = 128,
) -> PairClassifier:
    """Load a sequence classification model as a [`PairClassifier`]. True = the same.

    NoveltyBench's is `load_pair_classifier("yimingzhang/deberta-v3-large-generation-similarity", threshold=0.102,
    tokenizer="microsoft/deberta-v3-large")`.

    Args:
        name_or_path: Name on the Hub or folder on disk, with safetensors weights.
        device: `"cpu"`, `"cuda"`, ... Defaults to the GPU where there is one.
        threshold: Probability above which two texts are the same, in [0, 1).
        tokenizer: Name or folder of the tokenizer, where it is not the model's.
        max_length: Tokens kept of each text.

    Raises:
        ImportError: If `transformers` is not installed.
        ValueError: As [`PairClassifier`].
    """
    transformers, torch = require("transformers", "similarity"), require("torch", "similarity")
    with whole_weights():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            str(name_or_path), use_safetensors=True
        )
    model = model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()
    its_tokenizer = transformers.AutoTokenizer.from_pretrained(str(tokenizer or name_or_path))
    return PairClassifier(model, its_tokenizer, str(name_or_path), threshold, max_length)
