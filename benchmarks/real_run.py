"""One run of one arm of `real_arms.py`: train it, let it reply to messages, and judge the replies."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from real_arms import Arm
from real_reply import reply
from real_training import trained
from real_world import GROUP, MAX_NEW_TOKENS, World

from hfdiv.generation import DecodingConfig


def run(world: World, name: str, arm: Arm, seed: int) -> dict[str, Any]:
    """Return the replies of one arm and seed, what the judges say of each, and the log of training."""
    started = time.perf_counter()
    model, tokenizer, log = trained(world, arm, seed)
    training = time.perf_counter() - started
    config = DecodingConfig(max_new_tokens=MAX_NEW_TOKENS, num_return_sequences=GROUP, **arm.decoding)
    messages = world.for_choosing if arm.on_training else world.held_out
    records = reply(world, model, tokenizer, messages, config, seed, arm.in_turn)
    return {
        "arm": name,
        "seed": seed,
        "seconds": {"training": round(training, 1), "all": round(time.perf_counter() - started, 1)},
        "training": log,
        "replies": records.groups,
        **{column: np.round(values, 4).tolist() for column, values in records.columns.items()},
    }
