"""GRPO with a diversity term."""

from __future__ import annotations

from dataclasses import dataclass

from trl import GRPOConfig, GRPOTrainer

from hfdiv.trainer.arguments import DiversityArguments
from hfdiv.trainer.rollout import DiverseRolloutMixin


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
    """[`trl.GRPOTrainer`] whose reward or advantage grows with a completion's diversity in its group.

    With `diversity_weight=0` it is the parent, bit for bit, whatever loss of the GRPO family (*DeepSeekMath*, Shao et
    al., 2024, https://huggingface.co/papers/2402.03300) it runs. What a completion earns is one of the objectives of
    `hfdiv.trainer.objectives`, by `diversity_form`; a `diversity_target` chooses the weight, a `quality_gate` who
    counts, and `history_weight` takes off what repeats the conversation's earlier replies.

    Args:
        args, kwargs: As for [`trl.GRPOTrainer`], with a [`DiverseGRPOConfig`] as `args`. A
            [`~hfdiv.trainer.DiversityTargetCallback`] among the `callbacks` takes the place of the config's.
        similarity: A [`~hfdiv.similarity.Similarity`] of the texts of a group. Defaults to the one that the config
            names.
        decoding: A [`~hfdiv.generation.DecodingConfig`] whose processors work in the rollouts of training; off-policy.

    Raises:
        TypeError: If `args` is not a [`DiverseGRPOConfig`].
        ValueError: If a reward function has the name of a column of ours, or two arguments do not go together.

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
