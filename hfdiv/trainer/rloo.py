"""RLOO with a diversity term."""

from __future__ import annotations

from dataclasses import dataclass

from trl import RLOOConfig, RLOOTrainer

from hfdiv.trainer.arguments import DiversityArguments
from hfdiv.trainer.rollout import DiverseRolloutMixin


@dataclass
class DiverseRLOOConfig(DiversityArguments, RLOOConfig):
    """[`trl.RLOOConfig`] with the arguments of the diversity term.

    Raises:
        TypeError: If a value is of the wrong type.
        ValueError: If a value is out of its range, or two of them do not go together.

    Example:
        >>> config = DiverseRLOOConfig("out", use_cpu=True, bf16=False, report_to="none")
        >>> config.diversity_weight
        0.5
    """


class DiverseRLOOTrainer(DiverseRolloutMixin, RLOOTrainer):
    """[`trl.RLOOTrainer`] whose reward or advantage grows with a completion's diversity in its group.

    With `diversity_weight=0` it is the parent, bit for bit. The forms are those of
    [`~hfdiv.trainer.DiverseGRPOTrainer`]. In RLOO (*Back to Basics*, Ahmadian et al., 2024,
    https://huggingface.co/papers/2402.14740) the baseline of a completion is the mean reward of the others, so that
    the additive form is the mean over the others of r_i − r_j + λ·D(y_i, y_j), up to the centring of the distances.
    `reward_clip_range` clips the reward with its diversity.

    Args:
        args, kwargs: As for [`trl.RLOOTrainer`], with a [`DiverseRLOOConfig`] as `args`.
        similarity, decoding: As for [`~hfdiv.trainer.DiverseGRPOTrainer`].

    Raises:
        TypeError: If `args` is not a [`DiverseRLOOConfig`].
        ValueError: As for [`~hfdiv.trainer.DiverseGRPOTrainer`].

    Example:
        trainer = DiverseRLOOTrainer(
            model="Qwen/Qwen3-0.6B",
            reward_funcs=my_quality_reward,
            args=DiverseRLOOConfig("out", diversity_weight=0.5),
            train_dataset=dataset,
        )
        trainer.train()
    """

    _config_class = DiverseRLOOConfig
    _tag_names = ["trl", "rloo", "hfdiv"]  # noqa: RUF012 - the parent's form
    _name = "Diverse-RLOO"
