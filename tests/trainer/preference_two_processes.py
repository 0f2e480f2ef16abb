"""Run by torchrun on two processes: one optimizer step on four weighted pairs, two on each."""

import sys

import torch

from tests.trainer.preference_runs import KeepGradients, build
from tests.trainer.runs import losses
from tests.trainer.two_processes import leave_together


CASES = {"dpo": {}, "cpo": {"loss_type": "simpo", "cpo_alpha": 0.0}, "orpo": {}}


def main(folder):
    for name, options in CASES.items():
        keep = KeepGradients()
        trainer = build(name, callbacks=[keep], per_device_train_batch_size=2, **options)
        trainer.train()
        if trainer.accelerator.is_main_process:
            result = {
                "world": trainer.accelerator.num_processes,
                "gradients": keep.found,
                "loss": losses(trainer)[0],
            }
            torch.save(result, f"{folder}/{name}.pt")
    leave_together()


if __name__ == "__main__":
    main(sys.argv[1])
