"""Quality of a response: is it about the prompt, and is it well-formed language? Higher = better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hfdiv._deepspeed import whole_weights
from hfdiv._extras import require
from hfdiv.rewards.registry import register_reward
from hfdiv.similarity import Encoder, load_encoder
from hfdiv.text import Response, prompt_text, response_text


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_Asked: TypeAlias = tuple[str, bool]  # a prompt as text, and whether the tokenizer adds its special tokens


@register_reward("relevance")
class Relevance:
    """Cosine similarity of a response to what it answers, in [−1, 1]. Higher = more relevant.

    A TRL reward function. It rewards naming the topic, not being right.

    Args:
        encoder: Function from texts to embeddings of length 1, such as [`~hfdiv.similarity.load_encoder`] returns; or
            the name on the Hub or folder of a sentence-transformers model.
        column: Dataset column with the text to be relevant to. Defaults to the prompt.

    Example:
        >>> vectors = {"Where is my order?": [1.0, 0.0], "It is on its way.": [0.6, 0.8]}
        >>> relevance = Relevance(lambda texts: np.array([vectors[text] for text in texts]))
        >>> relevance(prompts=["Where is my order?"], completions=["It is on its way."])
        [0.6]
    """

    __name__ = "relevance"

    def __init__(self, encoder: Encoder | str | Path, column: str = "prompt") -> None:
        self.encoder = load_encoder(encoder) if isinstance(encoder, (str, Path)) else encoder
        self.column = column

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        **columns: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float]:
        """Return one score a completion.

        Raises:
            KeyError: If the dataset has no such column.
        """
        if self.column != "prompt" and self.column not in columns:
            raise KeyError(f"The dataset has no column {self.column!r} to be relevant to; it has {sorted(columns)}.")
        asked = prompts if self.column == "prompt" else columns[self.column]
        questions = self.encoder([prompt_text(question) for question in asked])
        answers = self.encoder([response_text(completion) for completion in completions])
        return [float(score) for score in np.sum(questions * answers, axis=1)]


@register_reward("fluency")
class Fluency:
    """Mean log-probability of a response's tokens under a reference model, in nats, ≤ 0. Higher = more fluent.

    A TRL reward function; chat messages go through the tokenizer's template. Variety *is* lower probability: a good
    reply that is one of many scores below a template. So give it a `floor`, the level of good varied replies: then a
    reply at or above it scores 0, and only one below it loses the difference.

    Args:
        model: The reference model, or its name on the Hub or folder, with safetensors weights; it is not trained.
        tokenizer: Its tokenizer. Defaults to the one saved with the model.
        floor: Mean log-probability from which on a reply is fluent enough. Defaults to none: the score is the
            log-probability.
        batch_size: Replies in one forward pass.

    Raises:
        ValueError: If a model in memory comes without its tokenizer.
    """

    __name__ = "fluency"

    def __init__(
        self,
        model: PreTrainedModel | str | Path,
        tokenizer: PreTrainedTokenizerBase | None = None,
        floor: float | None = None,
        batch_size: int = 32,
    ) -> None:
        if isinstance(model, (str, Path)):
            transformers, torch = require("transformers", "rewards"), require("torch", "rewards")
            tokenizer = tokenizer or transformers.AutoTokenizer.from_pretrained(str(model))
            with whole_weights():
                loaded = transformers.AutoModelForCausalLM.from_pretrained(str(model), use_safetensors=True)
            model = loaded.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        if tokenizer is None:
            raise ValueError("A model in memory must come with its `tokenizer`.")
        self.model = model
        self.tokenizer = tokenizer
        self.floor = floor
        self.batch_size = batch_size

    def __call__(
        self,
        prompts: Sequence[Response],
        completions: Sequence[Response],
        **_: Any,  # noqa: ANN401 - dataset columns of any type
    ) -> list[float | None]:
        """Return one score a completion; `None` for a completion without tokens."""
        asked = [self._as_asked(prompt) for prompt in prompts]
        pairs = list(zip(asked, map(response_text, completions), strict=True))
        different = list(dict.fromkeys(pairs))  # a monotone model says the same thing often
        found: dict[tuple[_Asked, str], float | None] = {}
        for start in range(0, len(different), self.batch_size):
            batch = different[start : start + self.batch_size]
            found.update(zip(batch, self._log_probabilities(batch), strict=True))
        scores = [found[pair] for pair in pairs]
        if self.floor is None:
            return scores
        return [None if score is None else min(score - self.floor, 0.0) for score in scores]

    def _as_asked(self, prompt: Response) -> _Asked:
        if isinstance(prompt, str):
            return prompt, True
        begun = prompt[-1]["role"] == "assistant"  # the completion goes on with the last message
        text: str = self.tokenizer.apply_chat_template(
            list(prompt), tokenize=False, add_generation_prompt=not begun, continue_final_message=begun
        )
        return text, False

    def _log_probabilities(self, pairs: Sequence[tuple[_Asked, str]]) -> list[float | None]:
        torch = require("torch", "rewards")
        prompt_ids = [self.tokenizer(text, add_special_tokens=special)["input_ids"] for (text, special), _ in pairs]
        reply_ids = [self.tokenizer(reply, add_special_tokens=False)["input_ids"] for _, reply in pairs]
        width = max(len(p) + len(r) for p, r in zip(prompt_ids, reply_ids, strict=True))
        ids = torch.zeros((len(prompt_ids), width), dtype=torch.long)  # what fills up is not attended to
        attended = torch.zeros((len(prompt_ids), width), dtype=torch.long)
        replied = torch.zeros((len(prompt_ids), width), dtype=torch.bool)
        for row, (prompt, reply) in enumerate(zip(prompt_ids, reply_ids, strict=True)):
            length = len(prompt) + len(reply)
            ids[row, :length] = torch.tensor(prompt + reply)
            attended[row, :length] = 1
            replied[row, len(prompt) : length] = True
        device = self.model.device
        with torch.inference_mode():
            logits = self.model(input_ids=ids.to(device), attention_mask=attended.to(device)).logits[:, :-1]
            targets = ids[:, 1:].to(device)
            chosen = torch.gather(logits, 2, targets[..., None])[..., 0].float()
            log_probability = chosen - torch.logsumexp(logits.float(), dim=-1)
        counted = replied[:, 1:].to(device)
        totals = (log_probability * counted).sum(dim=1).tolist()
        return [
            total / count if count else None for total, count in zip(totals, counted.sum(dim=1).tolist(), strict=True)
        ]
