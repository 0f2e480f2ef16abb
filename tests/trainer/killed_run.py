"""Trains the tiny model towards a target and kills itself, as `kill -9` would, before a given step is done."""

import json
import os
import signal
import sys

from transformers import TrainerCallback

from tests.trainer.test_resume import trainer


class Killer(TrainerCallback):
    def __init__(self, after):
        self.after = after

    def on_substep_end(self, args, state, control, **_):
        if state.global_step == self.after:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    folder, after, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    trainer(folder, [Killer(after)], **options).train()
