"""GRPO with a diversity term: `accelerate launch -m hfdiv.trainer.scripts.grpo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.grpo import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.trainer.scripts.arguments import RewardArguments
from hfdiv.trainer.scripts.reinforcement import with_rewards
from hfdiv.trainer.scripts.run import Method, main


GRPO = Method(DiverseGRPOConfig, DiverseGRPOTrainer, with_rewards, RewardArguments)

if __name__ == "__main__":
    main(GRPO)
