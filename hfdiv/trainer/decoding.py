"""Processors of `generate` in the rollouts of a trainer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from hfdiv.generation.config import DecodingConfig, Histories
from hfdiv.rewards.conversation import earlier_replies
from hfdiv.trainer.history import check_history


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TRAINERS = ("max_new_tokens", "do_sample", "temperature", "top_k", "top_p", "min_p", "num_beams", "seed")
_OTHER_SAMPLING = ("contrastive_search", "arithmetic_sampling")
ENGINES = ("use_vllm", "use_transformers_continuous_batching")
"""Settings of TRL's configs by which another engine writes the completions."""
WRITERS = ("tools", "rollout_func", "environment_factory")
"""Arguments of TRL's GRPO trainer by which completions are not written in one go."""


def refuse_other_generation(given: Mapping[str, Any], option: str, use: str) -> None:
    """Refuse an option that acts on `generate` where something else writes the completions.

    Args:
        given: The trainer's arguments by name.
        option: What is set.
        use: What to use in its place.

    Raises:
        ValueError: If completions come from another engine, from a function or through tools.
    """
    others = {name: getattr(given["args"], name, False) for name in ENGINES}
    for name, value in (others | {name: given.get(name) for name in WRITERS}).items():
        if value:
            raise ValueError(f"{option} acts inside `generate`, which `{name}` bypasses. {use}")


class RolloutDecoding:
    """Puts the logits processors of a [`~hfdiv.generation.DecodingConfig`] into the `generate` calls of training.

    The completions are then no longer samples of the policy, while TRL's loss takes them for such: this is off-policy,
    and nothing corrects for it. In evaluation nothing is changed.

    Args:
        config: Penalties, top-nσ, XTC or an amateur. Temperature, top-k, top-p, min-p and the token limit are the
            trainer's own arguments.
        group_size: Completions of a prompt in training.

    Raises:
        ValueError: If the config sets what is the trainer's, samples by other means, or has another group size.

    Example:
        >>> RolloutDecoding(DecodingConfig(dry_multiplier=0.8), group_size=8).config.dry_multiplier
        0.8
    """

    def __init__(self, config: DecodingConfig, group_size: int) -> None:
        default = {field.name: field.default for field in fields(DecodingConfig)}
        for name in (*_TRAINERS, *_OTHER_SAMPLING):
            if getattr(config, name) != default[name]:
                where = "set it in the trainer's config" if name in _TRAINERS else "rollouts are sampled"
                raise ValueError(f"`decoding` cannot set `{name}`, got {getattr(config, name)!r}: {where}.")
        if config.sibling_multiplier and config.num_return_sequences != group_size:
            raise ValueError(
                "The sibling penalty needs `num_return_sequences` to be the trainer's `num_generations`, "
                f"{group_size}, got {config.num_return_sequences}."
            )
        self.config = config
        self.amateur: Any = None

    def histories(self, rows: Sequence[Mapping[str, Any]], column: str) -> list[list[str]]:
        """Return the earlier replies of each dataset row, from its column or its conversational prompt.

        Raises:
            ValueError: If the history penalty is on and there is neither.
        """
        prompts = [row["prompt"] for row in rows]
        if self.config.history_multiplier:
            check_history("history_multiplier", column, prompts, rows[0])
        return earlier_replies(prompts, [row[column] for row in rows] if column in rows[0] else None)

    @contextmanager
    def writing(
        self,
        model: Any,  # noqa: ANN401 - a model, perhaps wrapped by peft
        tokenizer: PreTrainedTokenizerBase,
        histories: Histories,
        end_ids: Collection[int],
    ) -> Iterator[None]:
        """Give each `generate` call of `model` inside this block fresh processors.

        Raises:
            ValueError: If a group does not lie whole in these rows, as the sibling penalty needs.
        """
        if self.config.sibling_multiplier and len(histories) % self.config.num_return_sequences:
            raise ValueError(
                f"The sibling penalty needs whole groups of {self.config.num_return_sequences} on each process, got "
                f"{len(histories)} completions. Make the generation batch of a device a multiple of `num_generations`."
            )
        if self.config.amateur is not None and self.amateur is None:
            self.amateur = self.config.load_amateur(model, tokenizer)
        plain = model.generate

        def generate(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what transformers takes and returns
            processors = self.config.processors(tokenizer, histories, self.amateur, end_ids)
            return plain(*args, logits_processor=processors, **kwargs)

        model.generate = generate
        try:
            yield
        finally:
            del model.generate
