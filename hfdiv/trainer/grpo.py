"""GRPO with a diversity term."""

from __future__ import annotations

from dataclasses import dataclass

from trl import GRPOConfig, GRPOTrainer

from hfdiv.trainer.rollout import DiverseRolloutMixin, DiversityArguments


@dataclass
class DiverseGRPOConfig(DiversityArguments, GRPOConfig):
    """[`trl.GRPOConfig`] with the arguments of the diversity term.

    Raises:
        ValueError: If a value is out of its range.

    Example:
        >>> config = DiverseGRPOConfig("out", diversity_weight=0.5, use_cpu=True, bf16=False, report_to="none")
        >>> config.diversity_form
        'additive'
    """


class DiverseGRPOTrainer(DiverseRolloutMixin, GRPOTrainer):
    """[`trl.GRPOTrainer`] whose reward or advantage grows with a completion's novelty in its group.

    With `diversity_weight=0` it is the parent, bit for bit.

    The additive form is r_i + λ · Σ_{j ≠ i} D(y_i, y_j) / (G − 1), where D is 1 − similarity; the advantage form adds
    λ times that novelty, centred over the completions of the group that count, to the advantage of GRPO
    (*DeepSeekMath*, Shao et al., 2024, https://huggingface.co/papers/2402.03300).

    Args:
        args, kwargs: As for [`trl.GRPOTrainer`], with a [`DiverseGRPOConfig`] as `args`.
        similarity: A [`~hfdiv.similarity.Similarity`] of the texts of a group. Defaults to
            [`~hfdiv.similarity.NgramSimilarity`] as the config says.

    Raises:
        TypeError: If `args` is not a [`DiverseGRPOConfig`].
        ValueError: If a reward function is already named `diversity`.

    Example:
        trainer = DiverseGRPOTrainer(
            model="Qwen/Qwen3-0.6B",
            reward_funcs=my_quality_reward,
            args=DiverseGRPOConfig("out", diversity_weight=0.5),
            train_dataset=dataset,
        )
        trainer.train()
    """

    _config_class = DiverseGRPOConfig
    _tag_names = ["trl", "grpo", "hfdiv"]  # noqa: RUF012 - the parent's form
    _name = "Diverse-GRPO"
