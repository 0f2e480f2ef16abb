"""The arms of `headline_exact.py`, and one run of one of them on the model of `tiny_grammar.py`."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tiny_grammar as grammar
from datasets import Dataset
from transformers import AutoTokenizer, LlamaForCausalLM, PrinterCallback

from hfdiv import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.diversity import distinct_n


GROUP, PROMPTS = 8, 4
"""Replies to a prompt, and prompts in a step."""
LEARNING_RATE = 3e-4
HELD_OUT_ROUNDS = 4
"""Groups of replies to each held-out prompt."""
SHOWN = 20
"""Replies to held-out prompts that are kept of an arm's seed 0, unselected: the first ones."""
TARGETS = {"target 0.35": 0.35, "target 0.50": 0.50}
NO_QUALITY = "no quality"
CONTROL = "quality only"
_OBJECTIVE: dict[str, Any] = {"quality_gate": 1.0}
_UNSCALED: dict[str, Any] = {**_OBJECTIVE, "scale_rewards": "none"}

ARMS: dict[str, dict[str, Any]] = {
    CONTROL: {"diversity_weight": 0.0},
    "additive": {**_OBJECTIVE, "diversity_form": "additive", "diversity_weight": 0.5},
    "multiplicative": {**_UNSCALED, "diversity_form": "multiplicative", "diversity_weight": 1.0},
    "adjustment": {**_UNSCALED, "diversity_form": "adjustment", "diversity_weight": 1.0},
    "frequency": {**_UNSCALED, "diversity_form": "frequency", "diversity_weight": 1.0},
    "advantage": {**_OBJECTIVE, "diversity_form": "advantage", "diversity_weight": 0.3},
    "set_marginal": {**_OBJECTIVE, "diversity_form": "set_marginal", "diversity_weight": 0.3},
    **{
        name: {**_OBJECTIVE, "diversity_form": "advantage", "diversity_target": target}
        for name, target in TARGETS.items()
    },
    NO_QUALITY: {"diversity_form": "advantage", "diversity_weight": 0.3, "reward_weights": [0.0]},
}
"""Arguments of each arm; what is not named has the package's default."""


@dataclass
class Judge:
    """The quality reward; it keeps the exact validity and Distinct-2 of each step."""

    distinct: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    __name__ = "validity"

    def __call__(self, completions: list[str], topic: list[str], **_: object) -> list[float]:
        """Return 1 for a valid reply and 0 for another."""
        verdicts = [float(grammar.is_valid(*pair)) for pair in zip(topic, completions, strict=True)]
        groups = [completions[start : start + GROUP] for start in range(0, len(completions), GROUP)]
        self.distinct.append(round(distinct_n(groups, n=2).value, 4))
        self.valid.append(round(float(np.mean(verdicts)), 4))
        return verdicts


def train(base: str, arm: str, seed: int, steps: int) -> dict[str, Any]:
    """Train the base with one arm's arguments; return what was seen at each step and on held-out topics."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = LlamaForCausalLM.from_pretrained(base)
    judge = Judge()
    with tempfile.TemporaryDirectory() as folder:
        trainer = DiverseGRPOTrainer(
            model,
            judge,
            args=config(folder, arm, seed, steps),
            train_dataset=Dataset.from_list(grammar.prompts(grammar.TRAIN_TOPICS)),
            processing_class=tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = (time.perf_counter() - started) / steps
    seen = {"distinct": judge.distinct, "valid": judge.valid}
    return {
        "arm": arm,
        "seed": seed,
        "seconds_per_step": round(seconds, 3),
        **seen,
        **held_out(model, tokenizer, seed),
    }


def config(folder: str, arm: str, seed: int, steps: int) -> DiverseGRPOConfig:
    """Return an arm's configuration."""
    return DiverseGRPOConfig(
        folder,
        per_device_train_batch_size=PROMPTS * GROUP,
        num_generations=GROUP,
        max_completion_length=grammar.MAX_TOKENS,
        max_steps=steps,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="constant",
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        seed=seed,
        **ARMS[arm],
    )


def held_out(model: LlamaForCausalLM, tokenizer: Any, seed: int) -> dict[str, Any]:  # noqa: ANN401 - any tokenizer
    """Sample groups of replies about topics that neither the monotone base nor GRPO saw, and judge them."""
    rows = grammar.prompts(grammar.HELD_OUT_TOPICS) * HELD_OUT_ROUNDS
    groups = grammar.sample(model, tokenizer, rows, GROUP, seed)
    asked = [row["prompt"] for row in rows for _ in range(GROUP)]
    said = [reply for group in groups for reply in group]
    verdicts = [
        grammar.is_valid(row["topic"], reply) for row, group in zip(rows, groups, strict=True) for reply in group
    ]
    shown = list(zip(asked, said, verdicts, strict=True))[: 0 if seed else SHOWN]
    return {
        "held_out_distinct": round(distinct_n(groups, n=2).value, 4),
        "held_out_valid": round(sum(verdicts) / len(verdicts), 4),
        "replies": [list(one) for one in shown],
    }
