"""CPO with pair weights: `accelerate launch -m hfdiv.trainer.scripts.cpo --config X.yaml`."""

from __future__ import annotations

from hfdiv.trainer.cpo import DiverseCPOConfig, DiverseCPOTrainer
from hfdiv.trainer.scripts.demonstrations import on_pairs_with_model
from hfdiv.trainer.scripts.run import Method, main


CPO = Method(DiverseCPOConfig, DiverseCPOTrainer, on_pairs_with_model, defaults={"remove_unused_columns": False})

if __name__ == "__main__":
    main(CPO)
