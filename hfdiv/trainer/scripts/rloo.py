"""RLOO with a diversity term: `accelerate launch -m hfdiv.trainer.scripts.rloo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.rloo import DiverseRLOOConfig, DiverseRLOOTrainer
from hfdiv.trainer.scripts.arguments import RewardArguments
from hfdiv.trainer.scripts.reinforcement import with_rewards
from hfdiv.trainer.scripts.run import Method, main


RLOO = Method(DiverseRLOOConfig, DiverseRLOOTrainer, with_rewards, RewardArguments)

if __name__ == "__main__":
    main(RLOO)
