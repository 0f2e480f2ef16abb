"""ORPO with pair weights: `accelerate launch -m hfdiv.trainer.scripts.orpo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.orpo import DiverseORPOConfig, DiverseORPOTrainer
from hfdiv.trainer.scripts.demonstrations import on_pairs_with_model
from hfdiv.trainer.scripts.run import Method, main


ORPO = Method(DiverseORPOConfig, DiverseORPOTrainer, on_pairs_with_model, defaults={"remove_unused_columns": False})

if __name__ == "__main__":
    main(ORPO)
