"""Training scripts, for `hfdiv train` and `accelerate launch -m hfdiv.trainer.scripts.grpo --config X.yaml`."""
