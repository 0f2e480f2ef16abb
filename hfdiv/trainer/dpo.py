"""DPO with a weight for each pair."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from trl import DPOConfig, DPOTrainer

from hfdiv.trainer.preference import PAIR_WEIGHT, PairWeightArguments, PairWeightMixin


PAIR_LOSSES = (
    "sigmoid",
    "hinge",
    "ipo",
    "exo_pair",
    "nca_pair",
    "robust",
    "bco_pair",
    "sppo_hard",
    "apo_zero",
    "apo_down",
    "discopop",
    "sigmoid_norm",
)
"""TRL's losses that are a mean over pairs of something that each pair has alone."""
OTHER_LOSSES = {
    "aot": "it sorts the log-ratios of a batch, and so belongs to no pair",
    "aot_unpaired": "it sorts the log-ratios of a batch, and so belongs to no pair",
    "sft": "it is a mean over the tokens of a batch, where a longer reply counts for more",
}


@dataclass
class DiverseDPOConfig(PairWeightArguments, DPOConfig):
    """[`trl.DPOConfig`] with the arguments of the pair weights.

    Raises:
        ValueError: If a value is out of its range, or the loss has no weight by pair.

    Example:
        >>> config = DiverseDPOConfig("out", pair_weighting="history", use_cpu=True, bf16=False, report_to="none")
        >>> config.history_threshold
        0.8
    """

    def _check_loss(self) -> None:
        for name in self.loss_type:
            if name not in PAIR_LOSSES:
                reason = OTHER_LOSSES.get(name, "it is not known to be a mean over pairs")
                raise ValueError(
                    f"`loss_type={name!r}` takes no pair weights: {reason}. Use any of {list(PAIR_LOSSES)}, or "
                    "`pair_weighting='none'`."
                )
        if self.padding_free:
            raise ValueError(
                "`padding_free=True` puts all pairs of a batch into one row, where no weight by pair is left. Use "
                "`padding_free=False`, or `pair_weighting='none'`."
            )


class DiverseDPOTrainer(PairWeightMixin, DPOTrainer):
    """[`trl.DPOTrainer`] in whose loss each pair has a weight: w_1·ℓ_1 + … + w_B·ℓ_B over B (DDPO).

    *Modifying Large Language Model Post-Training for Diverse Creative Writing* (Chung et al., 2025,
    https://huggingface.co/papers/2503.17126). With `pair_weighting="none"`, or where all weights are 1, it is the
    parent, bit for bit. The logged loss is the weighted one; the other metrics and the loss of an evaluation are not.

    Args:
        args, kwargs: As for [`trl.DPOTrainer`], with a [`DiverseDPOConfig`] as `args`.
        similarity: A [`~hfdiv.similarity.Similarity`] of replies, in place of the one that the config names.

    Raises:
        TypeError: If `args` is not a [`DiverseDPOConfig`], or the weights are no numbers.
        ValueError: If a weight is negative, NaN or infinite, or what weights are made of is missing.

    Example:
        trainer = DiverseDPOTrainer("Qwen/Qwen3-0.6B", args=DiverseDPOConfig("out"), train_dataset=pairs)
        trainer.train()
    """

    _config_class = DiverseDPOConfig
    _tag_names = ["trl", "dpo", "hfdiv"]  # noqa: RUF012 - the parent's form
    _name = "Diverse-DPO"
    use_weighting: bool

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:  # noqa: ANN401 - the parent's
        """Return the weighted loss of a batch; the parent's in an evaluation."""
        inputs = dict(inputs)
        weights = inputs.pop(PAIR_WEIGHT, None)
        if weights is None or not self.model.training:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        with ExitStack() as stack:
            forward = _forward_with_weights(model, weights, inputs["completion_mask"][:, 1:], stack)
            stack.callback(setattr, self, "use_weighting", self.use_weighting)
            self.use_weighting = True
            return super().compute_loss(forward, inputs, return_outputs, num_items_in_batch)


def _forward_with_weights(
    model: torch.nn.Module, weights: torch.Tensor, mask: torch.Tensor, stack: ExitStack
) -> Callable[..., Any]:
    """Return the model's forward with outputs by which TRL's own weighting of pairs (WPO) gives our weights.

    WPO multiplies the loss of a pair by exp(m_chosen)·exp(m_rejected), m being the mean over a reply's tokens of
    `log_probs` − `log_sum_sq_probs`. Taking log w off the latter, on one reply of the pair, is a factor of w; without
    WPO the rest is made 0.
    """
    n = len(weights)
    log_weights = weights.log()
    on_chosen = mask[:n].any(dim=1)  # an empty reply has no token to carry it
    added = torch.cat([log_weights.where(on_chosen, 0.0), log_weights.where(~on_chosen, 0.0)])
    added = added[:, None].where(mask.bool(), 0.0)

    def forward(**kwargs: Any) -> Any:  # noqa: ANN401 - the model's
        outputs = model(**kwargs)
        if not kwargs.get("fused_lm_head"):
            return outputs
        base = outputs.log_probs if outputs.log_sum_sq_probs is None else outputs.log_sum_sq_probs
        shifted = base.detach().to(added, copy=True)
        shifted[:, -added.shape[1] :] -= added
        outputs.log_sum_sq_probs = shifted
        # TRL multiplies the losses in place, which would overwrite what hinge's relu keeps for the backward pass.
        stack.enter_context(
            torch.autograd.graph.saved_tensors_hooks(lambda kept: kept.detach().clone(), lambda kept: kept)
        )
        return outputs

    return forward
