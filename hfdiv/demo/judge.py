"""What the demo knows of a reply beside its text: did it end, is it about the question, is it fluent?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hfdiv.data import Records
from hfdiv.demo.texts import Message
from hfdiv.rewards import Fluency, Relevance
from hfdiv.similarity import Encoder


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Judge:
    """Relevance by a sentence encoder, fluency by a model that was taught many good ways to reply.

    Args:
        encoder: Sentence encoder.
        model: The model that judges fluency; it is not trained.
        tokenizer: Its tokenizer.
    """

    def __init__(self, encoder: Encoder, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self.relevance = Relevance(encoder, column="question")
        self.model = model
        self.tokenizer = tokenizer

    def rewards(self, good: Records) -> list[Relevance | Fluency]:
        """Return reward functions for training: relevance, and fluency up to the level of good varied replies.

        The level is the 10th percentile of the good replies' log-probability: from there on nothing is gained by
        being more probable, which is what a template is.
        """
        scores = [score for scores in good.columns["logprob"] for score in scores]
        return [self.relevance, Fluency(self.model, self.tokenizer, floor=float(np.quantile(scores, 0.1)))]

    def records(
        self, messages: Sequence[Message], groups: list[list[str]], finished: Sequence[Sequence[bool]]
    ) -> Records:
        """Return replies to messages with columns `finished`, `relevance` and `logprob` (nats a token)."""
        fluency = Fluency(self.model, self.tokenizer)
        columns: dict[str, list[list[float]]] = {"finished": [], "relevance": [], "logprob": []}
        for message, group, ends in zip(messages, groups, finished, strict=True):
            n = len(group)
            columns["finished"].append([float(end) for end in ends])
            columns["relevance"].append(self.relevance([message.prompt] * n, group, question=[message.text] * n))
            scores = fluency([message.prompt] * n, [self._said(*reply) for reply in zip(group, ends, strict=True)])
            columns["logprob"].append([math.nan if score is None else score for score in scores])
        return Records([message.text for message in messages], groups, columns)

    def share(self, model: PreTrainedModel, messages: Sequence[Message], reply: str) -> float:
        """Return the probability that `model` answers with `reply`, exact, as a mean over messages."""
        said = self._said(reply, True)
        means = Fluency(model, self.tokenizer)([message.prompt for message in messages], [said] * len(messages))
        n_tokens = len(self.tokenizer(said)["input_ids"])
        return float(np.mean([math.exp(mean * n_tokens) for mean in means if mean is not None]))

    def _said(self, text: str, ended: bool) -> str:
        """The reply as the model wrote it. One that ended is judged with its end: stopping in place is fluent too."""
        return f" {text}{self.tokenizer.eos_token if ended else ''}"
