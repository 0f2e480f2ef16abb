"""SimPO with pair weights: `accelerate launch -m hfdiv.trainer.scripts.simpo --config X.yaml`."""

from __future__ import annotations

from dataclasses import replace

from hfdiv.trainer.scripts.cpo import CPO
from hfdiv.trainer.scripts.run import main


SIMPO = replace(CPO, defaults={**CPO.defaults, "loss_type": "simpo", "cpo_alpha": 0.0})

if __name__ == "__main__":
    main(SIMPO)
