"""How probable replies are under a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfdiv._extras import require


if TYPE_CHECKING:
    from transformers import PreTrainedModel

_MOST_LOGITS = 1 << 27  # at a time: half a gigabyte in float32


def mean_log_probabilities(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], replies: Sequence[Sequence[int]]
) -> list[float]:
    """Return the mean log-probability of each reply's tokens under the model, in nats, ≤ 0. Higher = more likely.

    At temperature 1 and without any processor, whatever the replies were decoded with.

    Args:
        model: A causal language model.
        prompts: Token ids of each reply's prompt, at least one.
        replies: Token ids of each reply, at least one, with the end-of-text token if it ended.
    """
    torch = require("torch", "generation")
    longest = max(len(prompt) + len(reply) for prompt, reply in zip(prompts, replies, strict=True))
    vocabulary_size = model.config.get_text_config(decoder=True).vocab_size
    n_rows = max(1, _MOST_LOGITS // (longest * vocabulary_size))
    means = []
    for start in range(0, len(replies), n_rows):
        chunk = slice(start, start + n_rows)
        # Padded on the right, where nothing that counts can see it.
        texts = [[*prompt, *reply] for prompt, reply in zip(prompts[chunk], replies[chunk], strict=True)]
        width = max(map(len, texts))
        ids = torch.tensor([text + [0] * (width - len(text)) for text in texts], device=model.device)
        with torch.no_grad():  # not `inference_mode`: the model may be in training, see `sample`
            logits = model(input_ids=ids).logits
        for row, (prompt, text) in enumerate(zip(prompts[chunk], texts, strict=True)):
            scores = logits[row, len(prompt) - 1 : len(text) - 1].float().log_softmax(dim=-1)
            chosen = scores.gather(1, ids[row, len(prompt) : len(text), None])
            means.append(float(chosen.mean()))
    return means
