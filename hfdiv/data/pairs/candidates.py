"""The replies to one prompt, with what the judges say of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from hfdiv._extras import require
from hfdiv.data.conversations.feedback import as_number
from hfdiv.data.conversations.turns import Reply
from hfdiv.data.records import DataError
from hfdiv.text import Response


Score: TypeAlias = Callable[..., Sequence[float | None]]
"""A function in the form of TRL's rewards, `f(prompts, completions, **columns)` → one number a completion, or None."""


class Candidate(NamedTuple):
    """A reply, and what the judges say of it.

    Attributes:
        reply: The reply.
        quality: Higher = better; NaN where it is not known.
        refused: Why it must not be preferred; "" where it may be.
    """

    reply: Reply
    quality: float
    refused: str = ""


@dataclass(frozen=True)
class Judge:
    """What is known of the quality of replies, and which of them may be preferred.

    A reply that is unsafe, of too low a quality, or on which a judge has no opinion is never preferred: it may be what
    another one is preferred to.

    Args:
        quality: Column of numbers, or a [`Score`]. Higher = better. Defaults to none.
        min_quality: Lowest quality of a reply that may be preferred.
        safety: A [`Score`]. Higher = safer. Defaults to none.
        min_safety: Lowest safety of a reply that may be preferred.
        quality_name: Name of the quality in signatures. Defaults to that of the column or function.
        safety_name: Name of the safety, likewise.

    Raises:
        ValueError: If `min_quality` is given without a quality.

    Example:
        >>> judge = Judge(quality="rating", min_quality=3)
        >>> replies = [Reply([], "Hi", "Hello", {"rating": 4}), Reply([], "Hi", "Go away", {"rating": 1})]
        >>> [(found.quality, found.refused) for found in judge(replies)]
        [(4.0, ''), (1.0, 'quality below 3')]
    """

    quality: str | Score | None = None
    min_quality: float | None = None
    safety: Score | None = None
    min_safety: float = 0.5
    quality_name: str | None = None
    safety_name: str | None = None

    def __post_init__(self) -> None:
        if self.min_quality is not None and self.quality is None:
            raise ValueError("`min_quality` needs a quality: a column or a function.")

    @property
    def signature(self) -> str:
        """The judges and their thresholds."""
        column = isinstance(self.quality, str)
        quality = f"column:{self.quality}" if column else self.quality_name or _name(self.quality)
        at_least = "" if self.min_quality is None else f">={self.min_quality:g}"
        safety = "none" if self.safety is None else f"{self.safety_name or _name(self.safety)}>={self.min_safety:g}"
        return f"quality={quality}{at_least},safety={safety}"

    def __call__(self, replies: Sequence[Reply]) -> list[Candidate]:
        """Return the replies to one prompt, judged.

        Raises:
            DataError: If a quality is no number, or a function does not give one a reply.
        """
        qualities = self._qualities(replies)
        safeties = [math.inf] * len(replies) if self.safety is None else _scores(self.safety, replies)
        return [
            Candidate(reply, quality, self._refused(quality, safety))
            for reply, quality, safety in zip(replies, qualities, safeties, strict=True)
        ]

    def _qualities(self, replies: Sequence[Reply]) -> list[float]:
        if self.quality is None:
            return [math.nan] * len(replies)
        if not isinstance(self.quality, str):
            return _scores(self.quality, replies)
        try:
            return [as_number(reply.columns.get(self.quality)) for reply in replies]
        except DataError as error:
            raise DataError(f"The column {self.quality!r} is the quality: {error}") from error

    def _refused(self, quality: float, safety: float) -> str:
        if math.isnan(safety):
            return "safety not known"
        if safety < self.min_safety:
            return f"safety below {self.min_safety:g}"
        if self.min_quality is not None and not quality >= self.min_quality:
            return "quality not known" if math.isnan(quality) else f"quality below {self.min_quality:g}"
        return ""


class ClassifierScore:
    """Probability of a label under a text classification model, in [0, 1], as a [`Score`].

    It is given the replies alone, without their prompts, each cut to what the model takes.

    Args:
        model: Name on the Hub or folder on disk of a model for `transformers`' pipeline `text-classification`, with
            safetensors weights.
        label: Label whose probability is meant.
        unless: Return the probability of all *other* labels: 1 − p. For labels such as `toxic`.

    Raises:
        ImportError: If `transformers` is not installed.
        ValueError: If the model has no such label.
    """

    def __init__(self, model: str, label: str, unless: bool = False) -> None:
        pipeline = require("transformers", "rewards").pipeline
        self._pipeline: Any = pipeline("text-classification", model=model, model_kwargs={"use_safetensors": True})
        labels = list(self._pipeline.model.config.id2label.values())
        if label not in labels:
            raise ValueError(f"{model!r} has no label {label!r}, only {labels}.")
        self._label = label
        self._unless = unless
        self.__name__ = f"{model}:{'not ' if unless else ''}{label}"

    def __call__(self, prompts: Sequence[Response], completions: Sequence[Response], **columns: object) -> list[float]:
        """Return one probability a completion."""
        texts = [text if isinstance(text, str) else str(text[-1]["content"]) for text in completions]
        found = self._pipeline(texts, top_k=None, truncation=True)
        shares = [next(each["score"] for each in labels if each["label"] == self._label) for labels in found]
        return [1.0 - share if self._unless else share for share in shares]


def as_completion(prompt: Response, text: str) -> Response:
    """Return a reply in the form of its prompt, as TRL has it: a text to a text, messages to messages."""
    return text if isinstance(prompt, str) else [{"role": "assistant", "content": text}]


def _scores(score: Score, replies: Sequence[Reply]) -> list[float]:
    prompts = [reply.prompt for reply in replies]
    completions = [as_completion(reply.prompt, reply.response) for reply in replies]
    shared = set.intersection(*(set(reply.columns) for reply in replies))
    columns = {name: [reply.columns[name] for reply in replies] for name in sorted(shared)}
    histories = [reply.history for reply in replies]
    values = score(prompts=prompts, completions=completions, **{**columns, "history": histories})
    if inspect.iscoroutine(values):
        values.close()
        raise DataError(f"{_name(score)} is asynchronous: give a plain function.")
    if len(values) != len(replies):
        raise DataError(f"{_name(score)} returned {len(values)} scores for {len(replies)} replies.")
    return [math.nan if value is None else float(value) for value in values]


def _name(score: object) -> str:
    return "none" if score is None else str(getattr(score, "__name__", type(score).__name__))
