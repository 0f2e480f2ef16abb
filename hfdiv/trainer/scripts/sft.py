"""TRL's fine-tuning on given replies: `accelerate launch -m hfdiv.trainer.scripts.sft --config X.yaml`."""

from __future__ import annotations

from trl import SFTConfig, SFTTrainer

from hfdiv.trainer.scripts.demonstrations import on_replies
from hfdiv.trainer.scripts.run import Method, main


SFT = Method(SFTConfig, SFTTrainer, on_replies)

if __name__ == "__main__":
    main(SFT)
