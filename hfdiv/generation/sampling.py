"""Sample several replies to each of many prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfdiv._extras import require
from hfdiv.generation.end import end_ids
from hfdiv.generation.seed import seeded


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sampled:
    """Replies to one prompt.

    Attributes:
        responses (`list[str]`): The replies, without special tokens and outer blanks.
        finished (`list[bool]`): Whether each ended by itself, rather than at the token limit.
    """

    responses: list[str]
    finished: list[bool]


def sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    num_return_sequences: int = 8,
    max_new_tokens: int = 48,
    temperature: float = 1.0,
    batch_size: int = 128,
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> list[Sampled]:
    """Sample replies to plain-text prompts from the whole distribution (no top-k, no top-p).

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a pad token.
        prompts: The prompts.
        num_return_sequences: Replies to each prompt.
        max_new_tokens: Token limit of a reply.
        temperature: Sampling temperature, > 0.
        batch_size: Replies sampled at once.
        seed: Seed of the sampling. The state of torch's generators is restored afterwards.
        on_progress: Called after each batch with the number of prompts that are done.

    Returns:
        One [`Sampled`] a prompt, in order.

    Raises:
        ValueError: If `temperature` or `num_return_sequences` is out of its range.
    """
    if temperature <= 0 or num_return_sequences < 1:
        raise ValueError(
            "`temperature` must be > 0 and `num_return_sequences` at least 1, "
            f"got {temperature} and {num_return_sequences}."
        )
    torch = require("torch", "generation")
    ends = torch.tensor(sorted(end_ids(model, tokenizer)))
    results: list[Sampled] = []
    step = max(1, batch_size // num_return_sequences)
    # Not `inference_mode`: the model may be in training, and what its first forward makes and keeps, such as FSDP2's
    # buffers, would be inference tensors that no later training step can use.
    with seeded(model, seed), torch.no_grad():
        for start in range(0, len(prompts), step):
            batch = list(prompts[start : start + step])
            inputs = tokenizer(batch, return_tensors="pt", padding=True, padding_side="left").to(model.device)
            output = model.generate(
                **inputs,
                do_sample=True,
                temperature=temperature,
                top_k=0,
                top_p=1.0,
                max_new_tokens=max_new_tokens,
                num_return_sequences=num_return_sequences,
                pad_token_id=tokenizer.pad_token_id,
            )
            completions = output[:, inputs["input_ids"].shape[1] :]
            texts = [text.strip() for text in tokenizer.batch_decode(completions, skip_special_tokens=True)]
            finished = torch.isin(completions, ends.to(completions.device)).any(dim=1).tolist()
            for first in range(0, len(texts), num_return_sequences):
                rows = slice(first, first + num_return_sequences)
                results.append(Sampled(texts[rows], finished[rows]))
            if on_progress is not None:
                on_progress(len(results))
    return results
