"""GRPO with a diversity term: `accelerate launch -m hfdiv.trainer.scripts.grpo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.grpo import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.trainer.scripts.run import main


if __name__ == "__main__":
    main(DiverseGRPOConfig, DiverseGRPOTrainer)
