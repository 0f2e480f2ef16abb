"""RLOO with a diversity term: `accelerate launch -m hfdiv.trainer.scripts.rloo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.rloo import DiverseRLOOConfig, DiverseRLOOTrainer
from hfdiv.trainer.scripts.run import main


if __name__ == "__main__":
    main(DiverseRLOOConfig, DiverseRLOOTrainer)
