"""Several replies to each of many prompts, as a [`~hfdiv.generation.DecodingConfig`] says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from hfdiv.generation.choice import choose
from hfdiv.generation.config import DecodingConfig
from hfdiv.generation.end import end_ids, pad_id
from hfdiv.generation.log_probability import mean_log_probabilities
from hfdiv.generation.prompts import earlier_replies, left_padded, prompt_ids
from hfdiv.generation.seed import seeded
from hfdiv.selection import Method
from hfdiv.text import Response


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from transformers.generation.streamers import BaseStreamer


@dataclass(frozen=True)
class Replies:
    """Replies to one prompt.

    Attributes:
        index (`int`): The prompt's place among all.
        responses (`list[str]`): The replies, without special tokens and outer blanks.
        finished (`list[bool]`): Whether each ended by itself, rather than at the token limit.
        log_probabilities (`list[float] | None`): Mean log-probability of each reply's tokens under the model, in
            nats, where the replies were chosen from more.
    """

    index: int
    responses: list[str]
    finished: list[bool]
    log_probabilities: list[float] | None = None

    def kept(self, places: Sequence[int]) -> Replies:
        """Return the replies at these places, in this order."""
        numbers = self.log_probabilities
        return Replies(
            self.index,
            [self.responses[place] for place in places],
            [self.finished[place] for place in places],
            None if numbers is None else [numbers[place] for place in places],
        )


Chooser: TypeAlias = Callable[[Replies], Sequence[int]]
"""A function from the replies written to a prompt to the places of those to keep."""


def generate_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Response],
    config: DecodingConfig | None = None,
    *,
    batch_size: int = 8,
    histories: Sequence[Sequence[str]] | None = None,
    amateur: PreTrainedModel | None = None,
    best_of: int | None = None,
    selection: Method | Chooser = "mmr",
    first: int = 0,
    streamer: BaseStreamer | None = None,
) -> Iterator[Replies]:
    """Yield the replies to each prompt, in order, batch by batch.

    What is drawn depends on the seed, on `batch_size` and on the prompt's place, not on where the work began: with
    `first` an interrupted run goes on as if it had not stopped. torch's own generators are left as they were.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        prompts: Strings, which are continued as they are, or chat messages, to which the chat template is applied.
        config: How to decode. Defaults to plain sampling.
        batch_size: Replies written at once; all replies to one prompt are, also if they are more.
        histories: For the history penalty, earlier replies for each prompt, in addition to the assistant's own
            messages in the prompt.
        amateur: For contrastive decoding, the loaded model. Defaults to loading what the config names.
        best_of: Write this many replies to each prompt and keep `config.num_return_sequences` of them: likely ones
            under the model that differ from one another. Replies cut off at the limit are kept only for want of
            others.
        selection: How those are chosen, see [`~hfdiv.selection.select`]; or a function that does it.
        first: Begin with this prompt.
        streamer: Is given the tokens as they are written; for one reply at a time.

    Raises:
        TypeError: If a prompt is neither a string nor chat messages.
        ValueError: If an argument is out of its range, a prompt cannot be replied to, or settings don't go together.

    Example:
        config = DecodingConfig(num_return_sequences=4, sibling_multiplier=0.8)
        for replies in generate_replies(model, tokenizer, ["Once upon a time"], config):
            print(replies.responses)
    """
    config = DecodingConfig() if config is None else config
    _check_numbers(config, batch_size, first, best_of)
    n_written = config.num_return_sequences if best_of is None else best_of
    step = max(1, batch_size // n_written)
    if streamer is not None and (step * n_written > 1 or config.num_beams > 1):
        raise ValueError(
            "A streamer shows one reply at a time: set `batch_size`, `num_return_sequences` and `num_beams` to 1."
        )
    if histories is not None and len(histories) != len(prompts):
        raise ValueError(f"There are {len(histories)} histories and {len(prompts)} prompts: give one for each.")
    if amateur is None:
        amateur = config.load_amateur(model, tokenizer)
    best = None if best_of is None else _chooser(config.num_return_sequences, selection)
    written = replace(config, num_return_sequences=n_written)
    writer = _Writer(model, tokenizer, written, amateur, streamer, best)
    rows = [writer.checked(place, prompt) for place, prompt in enumerate(prompts)]
    given = [()] * len(prompts) if histories is None else histories
    earlier = [[*replies, *earlier_replies(prompt)] for replies, prompt in zip(given, prompts, strict=True)]
    return writer.batches(rows, earlier, step, first)


def _check_numbers(config: DecodingConfig, batch_size: int, first: int, best_of: int | None) -> None:
    for name, value, least in (("batch_size", batch_size, 1), ("first", first, 0)):
        if value < least:
            raise ValueError(f"`{name}` must be at least {least}, got {value}.")
    if best_of is not None and best_of <= config.num_return_sequences:
        raise ValueError(
            f"`best_of` must be more than the {config.num_return_sequences} replies to keep "
            f"(`num_return_sequences`), got {best_of}."
        )


@dataclass(frozen=True)
class _Writer:
    """Everything that stays the same from batch to batch."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    config: DecodingConfig
    amateur: PreTrainedModel | None
    streamer: BaseStreamer | None
    best: Chooser | None

    def checked(self, place: int, prompt: Response) -> list[int]:
        """Return a prompt's token ids."""
        try:
            ids = prompt_ids(prompt, self.tokenizer)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"Prompt {place} cannot be replied to: {error}") from error
        limit = getattr(self.model.config.get_text_config(decoder=True), "max_position_embeddings", None)
        if limit is not None and len(ids) >= limit:
            raise ValueError(
                f"Prompt {place} cannot be replied to: it has {len(ids)} tokens, and the model reads {limit} at most, "
                "reply included."
            )
        return ids

    def batches(self, prompts: list[list[int]], earlier: list[list[str]], step: int, first: int) -> Iterator[Replies]:
        """Yield the replies to the prompts from `first` on. Batches begin where they do without it."""
        for start in range(first - first % step, len(prompts), step):
            batch = slice(start, start + step)
            for replies in self.write(start, prompts[batch], earlier[batch]):
                if replies.index >= first:
                    yield replies if self.best is None else replies.kept(self.best(replies))

    def write(self, start: int, prompts: list[list[int]], earlier: list[list[str]]) -> list[Replies]:
        """Return the replies to one batch, of which the first prompt's place is `start`."""
        draw_seed, config_seed = _seeds(self.config.seed, start)
        # The processors draw by themselves: from torch's seed, they would draw the same numbers.
        config = replace(self.config, seed=config_seed)
        n, device = config.num_return_sequences, self.model.device
        ends, padded = end_ids(self.model, self.tokenizer), left_padded(prompts, pad_id(self.tokenizer))
        inputs = {name: values.to(device) for name, values in padded.items()}
        histories = earlier if config.history_multiplier else None
        kwargs = config.generate_kwargs(self.model, self.tokenizer, histories, self.amateur, self.streamer)
        with seeded(self.model, draw_seed), _evaluating(self.model):
            output = self.model.generate(**inputs, **kwargs)
            completions = output[:, inputs["input_ids"].shape[1] :].tolist()
            ids, finished = zip(*(_until_end(row, ends) for row in completions), strict=True)
            numbers = None
            if self.best is not None:
                numbers = mean_log_probabilities(self.model, [prompt for prompt in prompts for _ in range(n)], ids)
        texts = [text.strip() for text in self.tokenizer.batch_decode(list(ids), skip_special_tokens=True)]
        groups = [slice(k, k + n) for k in range(0, len(texts), n)]
        return [
            Replies(start + k, texts[rows], list(finished[rows]), None if numbers is None else numbers[rows])
            for k, rows in enumerate(groups)
        ]


def _chooser(k: int, selection: Method | Chooser) -> Chooser:
    """Return what keeps k replies, finished ones first."""
    if callable(selection):
        return selection

    def likely_and_varied(replies: Replies) -> list[int]:
        return choose(
            replies.responses, k, selection, replies.log_probabilities, [not end for end in replies.finished]
        )

    return likely_and_varied


def _seeds(seed: int, start: int) -> tuple[int, int]:
    """Return two seeds for the batch that begins with prompt `start`."""
    first, second = np.random.SeedSequence([seed, start]).generate_state(2, np.uint64).tolist()
    return first >> 1, second >> 1


def _until_end(ids: list[int], ends: Collection[int]) -> tuple[list[int], bool]:
    """Return a reply with the token that ends it, without the padding behind, and whether it ends."""
    place = next((place for place, token in enumerate(ids) if token in ends), None)
    return (ids, False) if place is None else (ids[: place + 1], True)


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    """Switch dropout off in this block."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        if training:
            model.train()
