"""Torch's random numbers by a seed, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hfdiv._extras import require


if TYPE_CHECKING:
    from transformers import PreTrainedModel


@contextmanager
def seeded(model: PreTrainedModel, seed: int) -> Iterator[None]:
    """Seed torch's generators of the CPU and of the GPUs that `model` is on; afterwards they are as they were.

    Those of other GPUs are left alone. So `torch.manual_seed` is not used: it seeds all GPUs that are there, also for
    a model on the CPU. Only what is neither a CPU nor a CUDA device is seeded by it, and not restored.
    """
    torch = require("torch", "generation")
    devices = {parameter.device for parameter in model.parameters()}
    gpus = [device for device in devices if device.type == "cuda"]
    with torch.random.fork_rng(devices=gpus):
        if devices - {torch.device("cpu"), *gpus}:
            torch.manual_seed(seed)
        else:
            torch.default_generator.manual_seed(int(seed))
            for device in gpus:
                torch.cuda.default_generators[device.index].manual_seed(int(seed))
        yield
