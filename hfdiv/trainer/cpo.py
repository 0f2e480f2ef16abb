"""CPO, and SimPO by its `loss_type`, with a weight for each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from trl.experimental.cpo import CPOConfig, CPOTrainer

from hfdiv.trainer.preference import BatchWeightMixin, PairWeightArguments


PAIR_LOSSES = ("sigmoid", "hinge", "ipo", "simpo")
"""TRL's losses that are a mean over pairs; its "alphapo" becomes "simpo"."""
MEAN_LOG_PROB = ("ipo", "simpo")
"""Those for which TRL takes the mean log-probability of a reply's tokens, and not the sum."""


@dataclass
class DiverseCPOConfig(PairWeightArguments, CPOConfig):
    """[`trl.experimental.cpo.CPOConfig`] with the arguments of the pair weights.

    SimPO is `loss_type="simpo"` with `cpo_alpha=0`.

    Raises:
        ValueError: If a value is out of its range, or the loss has no weight by pair.

    Example:
        >>> config = DiverseCPOConfig(
        ...     "out", loss_type="simpo", cpo_alpha=0.0, use_cpu=True, bf16=False, report_to="none"
        ... )
        >>> config.pair_weighting
        'deviation'
    """

    def _check_loss(self) -> None:
        if self.loss_type not in PAIR_LOSSES:
            raise ValueError(
                f"`loss_type={self.loss_type!r}` is not known to be a mean over pairs, and takes no pair weights. Use "
                f"one of {list(PAIR_LOSSES)}, or `pair_weighting='none'`."
            )


class DiverseCPOTrainer(BatchWeightMixin, CPOTrainer):
    """[`trl.experimental.cpo.CPOTrainer`] in whose loss each pair has a weight: w_1·ℓ_1 + … + w_B·ℓ_B over B.

    For CPO (*Contrastive Preference Optimization*, Xu et al., 2024, https://huggingface.co/papers/2401.08417) and for
    SimPO (Meng et al., 2024, https://huggingface.co/papers/2405.14734). ℓ_i is the loss that the parent has for the
    pair alone: with `cpo_alpha` above 0 it holds the mean negative log-likelihood of the chosen reply's tokens, where
    the parent takes the mean over the tokens of a batch. With `pair_weighting="none"`, or where all weights are 1, it
    is the parent, bit for bit. The logged loss is the weighted one; the loss of an evaluation is not.

    Args:
        args, kwargs: As for [`trl.experimental.cpo.CPOTrainer`], with a [`DiverseCPOConfig`] as `args`.
        similarity: A [`~hfdiv.similarity.Similarity`] of replies, in place of the one that the config names.

    Raises:
        TypeError: If `args` is not a [`DiverseCPOConfig`], or the weights are no numbers.
        ValueError: If a weight is negative, NaN or infinite, or what weights are made of is missing.

    Example:
        args = DiverseCPOConfig("out", loss_type="simpo", cpo_alpha=0.0)
        trainer = DiverseCPOTrainer("Qwen/Qwen3-0.6B", args=args, train_dataset=pairs, processing_class=tokenizer)
        trainer.train()
    """

    _config_class = DiverseCPOConfig
    _tag_names = ["trl", "cpo", "hfdiv"]  # noqa: RUF012 - the parent's form
    _name = "Diverse-CPO"

    def cpo_loss(
        self, policy_chosen_logps: torch.Tensor, policy_rejected_logps: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return the parent's losses, `(B,)`, times the weights, and its rewards."""
        losses, *rewards = super().cpo_loss(policy_chosen_logps, policy_rejected_logps)
        return (self._weighted(losses), *rewards)

    def concatenated_forward(self, model: torch.nn.Module, batch: dict[str, Any]) -> tuple[torch.Tensor, ...]:
        """Return what the parent does, with the likelihood of the chosen replies weighted by pair."""
        outputs: tuple[torch.Tensor, ...] = super().concatenated_forward(model, batch)
        if self._batch_weights is None or self.cpo_alpha == 0:
            return outputs
        chosen_logps, *others = outputs
        if self.loss_type not in MEAN_LOG_PROB:
            chosen_logps = chosen_logps / (batch["chosen_labels"][:, 1:] != -100).sum(dim=1)
        others[3] = self._weighted(-chosen_logps).mean()  # the mean over tokens has no weight by pair
        return (outputs[0], *others)
