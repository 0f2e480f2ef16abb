"""ORPO with a weight for each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

from hfdiv.trainer.preference import BatchWeightMixin, PairWeightArguments


@dataclass
class DiverseORPOConfig(PairWeightArguments, ORPOConfig):
    """[`trl.experimental.orpo.ORPOConfig`] with the arguments of the pair weights.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> config = DiverseORPOConfig("out", use_cpu=True, bf16=False, report_to="none")
        >>> config.pair_weighting
        'deviation'
    """


class DiverseORPOTrainer(BatchWeightMixin, ORPOTrainer):
    """[`trl.experimental.orpo.ORPOTrainer`] in whose loss each pair has a weight: w_1·ℓ_1 + … + w_B·ℓ_B over B.

    ℓ_i is the whole loss that the parent has for the pair alone, *ORPO* (Hong et al., 2024,
    https://huggingface.co/papers/2403.07691): the mean negative log-likelihood of the tokens of prompt and chosen
    reply, and the odds-ratio term. (The parent takes the first as a mean over the tokens of a batch. DORPO, Chung et
    al., 2025, https://huggingface.co/papers/2503.17126, has the weight on the first as here, but inside the logsigmoid
    of the second.) With `pair_weighting="none"`, or where all weights are 1, it is the parent, bit for bit. The logged
    loss is the weighted one; the loss of an evaluation is not.

    Args:
        args, kwargs: As for [`trl.experimental.orpo.ORPOTrainer`], with a [`DiverseORPOConfig`] as `args`.
        similarity: A [`~hfdiv.similarity.Similarity`] of replies, in place of the one that the config names.

    Raises:
        TypeError: If `args` is not a [`DiverseORPOConfig`], or the weights are no numbers.
        ValueError: If a weight is negative, NaN or infinite, or what weights are made of is missing.

    Example:
        args = DiverseORPOConfig("out", beta=0.1)
        trainer = DiverseORPOTrainer("Qwen/Qwen3-0.6B", args=args, train_dataset=pairs, processing_class=tokenizer)
        trainer.train()
    """

    _config_class = DiverseORPOConfig
    _tag_names = ["trl", "orpo", "hfdiv"]  # noqa: RUF012 - the parent's form
    _name = "Diverse-ORPO"

    def odds_ratio_loss(
        self, policy_chosen_logps: torch.Tensor, policy_rejected_logps: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return the parent's losses, `(B,)`, times the weights, and its other values."""
        losses, *others = super().odds_ratio_loss(policy_chosen_logps, policy_rejected_logps)
        return (self._weighted(losses), *others)

    def concatenated_forward(self, model: torch.nn.Module, batch: dict[str, Any]) -> tuple[torch.Tensor, ...]:
        """Return what the parent does, with the likelihood of the chosen replies weighted by pair."""
        outputs: tuple[torch.Tensor, ...] = super().concatenated_forward(model, batch)
        if self._batch_weights is None:
            return outputs
        chosen_logps, rejected_logps, chosen_logits, rejected_logits, _, *aux_loss = outputs
        labels = batch["chosen_input_ids"].masked_fill(batch["chosen_attention_mask"] == 0, -100)[:, 1:]
        # The logits come shifted against the tokens already, as those of an encoder-decoder are.
        mean_logps = self.get_batch_logps(
            chosen_logits[:, : labels.shape[1]], labels, average_log_prob=True, is_encoder_decoder=True
        )
        nll = self._weighted(-mean_logps).mean()  # the mean over tokens has no weight by pair
        return (chosen_logps, rejected_logps, chosen_logits, rejected_logits, nll, *aux_loss)
