"""Replies written by vLLM in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hfdiv._extras import require
from hfdiv.generation.backends.engines import ENGINES, PROBE, check_settings
from hfdiv.generation.backends.request import decoding_fields, seed_of
from hfdiv.generation.config import DecodingConfig
from hfdiv.generation.prompts import earlier_replies, prompt_ids
from hfdiv.generation.replies import Chooser, Replies
from hfdiv.text import Response


def replies_of_vllm(
    llm: Any,  # noqa: ANN401 - a `vllm.LLM`
    prompts: Sequence[Response],
    config: DecodingConfig | None = None,
    *,
    histories: Sequence[Sequence[str]] | None = None,
    n_written: int | None = None,
    choose: Chooser | None = None,
    first: int = 0,
    batch_size: int = 256,
) -> Iterator[Replies]:
    """Yield the replies to each prompt, in order, batch by batch.

    What is drawn depends on the seed and on the prompt's place, not on `batch_size` or on where the work began.

    Args:
        llm: A `vllm.LLM`. For penalties that are not vLLM's own, hfdiv's logits processors must be in it.
        prompts: Strings, which are continued as they are, or chat messages, to which the chat template is applied.
        config: How to decode; what vLLM and hfdiv's processors in it do not have is refused.
        histories: For the history penalty, earlier replies for each prompt, in addition to the assistant's own
            messages in the prompt.
        n_written: Replies written to each prompt, of which `choose` keeps some. Defaults to all that are asked for.
        choose: A function from the replies to a prompt, which have log-probabilities, to the places of those to keep.
        first: Begin with this prompt.
        batch_size: Prompts given to vLLM at a time, between which replies are yielded.

    Raises:
        TypeError: If a prompt is neither a string nor chat messages.
        ValueError: If a prompt cannot be replied to, or vLLM has no such setting, or not the processors for it.

    Example:
        llm = vllm.LLM("Qwen/Qwen3-0.6B")
        for replies in replies_of_vllm(llm, ["Once upon a time"], DecodingConfig(num_return_sequences=4)):
            print(replies.responses)
    """
    config = DecodingConfig() if config is None else config
    check_settings(config, "vllm")
    writer = _Writer(llm, config, n_written or config.num_return_sequences, choose)
    rows = [writer.checked(place, prompt) for place, prompt in enumerate(prompts)]
    if ENGINES["vllm"].processor_settings(config):
        writer.check_processors(rows[0])
    given = [()] * len(prompts) if histories is None else histories
    earlier = [[*replies, *earlier_replies(prompt)] for replies, prompt in zip(given, prompts, strict=True)]
    return writer.batches(rows, earlier, first, batch_size)


@dataclass(frozen=True)
class _Writer:
    llm: Any
    config: DecodingConfig
    n: int
    choose: Chooser | None

    def checked(self, place: int, prompt: Response) -> list[int]:
        """Return a prompt's token ids, which are those of the backend transformers."""
        try:
            ids = prompt_ids(prompt, self.llm.get_tokenizer())
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"Prompt {place} cannot be replied to: {error}") from error
        limit = self.llm.llm_engine.model_config.max_model_len
        if len(ids) >= limit:
            raise ValueError(
                f"Prompt {place} cannot be replied to: it has {len(ids)} tokens, and vLLM reads {limit} at most, "
                "reply included (`max_model_len`)."
            )
        return ids

    def check_processors(self, row: list[int]) -> None:
        """Refuse an engine without hfdiv's processors, which would pass over their settings."""
        probe = require("vllm", "vllm").SamplingParams(max_tokens=1, extra_args=PROBE)
        try:
            self.llm.generate([{"prompt_token_ids": row}], [probe], use_tqdm=False)
        except Exception as error:  # vLLM's own, in newer versions no ValueError
            if next(iter(PROBE)) in str(error):
                return
            raise
        needing = next(iter(ENGINES["vllm"].processor_settings(self.config)))
        raise ValueError(
            f"This vLLM does not have hfdiv's logits processors, which `{needing}` needs: install hfdiv where vLLM is "
            "installed, or leave it out."
        )

    def batches(self, rows: list[list[int]], earlier: list[list[str]], first: int, size: int) -> Iterator[Replies]:
        """Yield the replies to the prompts from `first` on."""
        for start in range(first, len(rows), size):
            places = range(start, min(start + size, len(rows)))
            outputs = self.llm.generate(
                [{"prompt_token_ids": rows[place]} for place in places],
                [self._sampling(place, earlier[place]) for place in places],
                use_tqdm=False,
            )
            for place, output in zip(places, outputs, strict=True):
                replies = self._replies(place, output.outputs)
                yield replies if self.choose is None else replies.kept(self.choose(replies))

    def _sampling(self, place: int, earlier: Sequence[str]) -> Any:  # noqa: ANN401 - vLLM's
        own, of_processors = decoding_fields("vllm", self.config, earlier)
        return require("vllm", "vllm").SamplingParams(
            **own,
            n=self.n,
            seed=seed_of(self.config.seed, place, 0, 0),
            logprobs=None if self.choose is None else 0,  # of the token that was drawn alone
            extra_args=of_processors or None,
        )

    def _replies(self, place: int, outputs: Sequence[Any]) -> Replies:
        outputs = sorted(outputs, key=lambda output: int(output.index))
        numbers = None
        if self.choose is not None:
            numbers = [output.cumulative_logprob / max(len(output.token_ids), 1) for output in outputs]
        return Replies(
            place,
            [output.text.strip() for output in outputs],
            [output.finish_reason == "stop" for output in outputs],
            numbers,
        )
