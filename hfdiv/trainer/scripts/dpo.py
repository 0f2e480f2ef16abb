"""DPO with pair weights: `accelerate launch -m hfdiv.trainer.scripts.dpo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.dpo import DiverseDPOConfig, DiverseDPOTrainer
from hfdiv.trainer.scripts.demonstrations import on_pairs
from hfdiv.trainer.scripts.run import Method, main


DPO = Method(DiverseDPOConfig, DiverseDPOTrainer, on_pairs)

if __name__ == "__main__":
    main(DPO)
