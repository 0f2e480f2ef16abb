"""Does a diversity target settle and stay, and is quality held? A tiny model whose quality is exact; several seeds.

    OMP_NUM_THREADS=1 python benchmarks/target.py
    OMP_NUM_THREADS=1 python benchmarks/target.py --targets 0.35 --seeds 0 1 --base FOLDER --json target.json

A Llama of 222 000 parameters knows a grammar of replies (`tiny_grammar.py`) and was then made monotone: in-group
Distinct-2 0.18, where the grammar's own replies have 0.82. `DiverseGRPOTrainer` gives it a target. The quality reward
is validity, judged by a parser; 4 prompts × 8 replies a step, learning rate 3e-4, held constant. Distinct-2 is the
mean over groups of 8, over all their replies.

A seed passes where
- every mean over 40 successive steps of the last 80 is within 0.05 of the target;
- no mean over 5 successive steps is more than 0.08 above it;
- mean validity over the last 80 steps is at least that of the run with the quality reward alone, less 0.03.

"No quality" has the target, but neither the quality reward nor the gate: it must fail. "Held out" are 8 replies to
each prompt about a topic that neither the monotone base nor GRPO saw.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tiny_grammar as grammar
import torch
import transformers
import trl
from datasets import Dataset
from transformers import AutoTokenizer, LlamaForCausalLM, PrinterCallback

import hfdiv
from hfdiv import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.diversity import distinct_n


GROUP = 8
PROMPTS = 4
WINDOW = 40
TOLERANCE, OVERSHOOT, VALIDITY_LOSS = 0.05, 0.08, 0.03
NEEDED = 0.8
"""Share of seeds that must pass: 4 of 5."""


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
        self.distinct.append(distinct_n(groups, n=2).value)
        self.valid.append(float(np.mean(verdicts)))
        return verdicts


@dataclass
class Result:
    """One run: what was seen at each step, on prompts held out, and how long a step took."""

    arm: str
    target: float | None
    seed: int
    distinct: list[float]
    valid: list[float]
    held_out_distinct: float
    held_out_valid: float
    seconds_per_step: float

    def late_validity(self) -> float:
        """Mean validity over the last two windows."""
        return float(np.mean(self.valid[-2 * WINDOW :]))

    def peak(self) -> float:
        """Largest mean over 5 successive steps."""
        return float(_moving_mean(self.distinct, 5).max())

    def checks(self, control: Result) -> dict[str, bool]:
        """Compare with the target, and with the run of the same seed that had the quality reward alone."""
        assert self.target is not None
        late = _moving_mean(self.distinct[-2 * WINDOW :], WINDOW)
        return {
            "settled": bool((np.abs(late - self.target) <= TOLERANCE).all()),
            "peak": self.peak() <= self.target + OVERSHOOT,
            "validity": self.late_validity() >= control.late_validity() - VALIDITY_LOSS,
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the base, run every arm on every seed, print the table and the verdict."""
    options = parse(arguments)
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    print(
        f"hfdiv {hfdiv.__version__}, trl {trl.__version__}, transformers {transformers.__version__}, "
        f"torch {torch.__version__}, {platform.machine()}, load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores"
    )
    with tempfile.TemporaryDirectory() as folder:
        base = options.base or folder
        if not (Path(base) / "config.json").exists():
            grammar.build_base(base)
        results = experiment(base, options)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results]) + "\n")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=float, nargs="+", default=[0.35, 0.50])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=160, help="GRPO steps, at least 80")
    parser.add_argument("--base", help="folder to keep the base model in, or to take it from")
    parser.add_argument("--json", type=Path, help="write every step of every run to this file")
    options = parser.parse_args(arguments)
    if options.steps < 2 * WINDOW:
        parser.error(f"--steps must be at least {2 * WINDOW}, got {options.steps}")
    return options


def experiment(base: str, options: argparse.Namespace) -> list[Result]:
    """Run all arms and print them as they end."""
    print(f"{'arm':14}seed   reached  peak   last 80 in two halves  validity  held out: D2  validity  s/step  verdict")
    controls = {seed: show(run(base, "quality only", None, seed, options.steps)) for seed in options.seeds}
    results = list(controls.values())
    for arm in ("target", "no quality"):
        for target in options.targets:
            runs = [
                show(run(base, arm, target, seed, options.steps), controls[seed])
                for seed in (options.seeds if arm == "target" else options.seeds[:2])
            ]
            passed = sum(all(result.checks(controls[result.seed]).values()) for result in runs)
            good = passed >= NEEDED * len(runs) if arm == "target" else passed == 0
            wanted = f"at least {NEEDED:.0%}" if arm == "target" else "none"
            print(f"{arm} {target}: {passed} of {len(runs)} pass, {wanted} wanted: {'OK' if good else 'NOT MET'}")
            results += runs
    return results


def run(base: str, arm: str, target: float | None, seed: int, steps: int) -> Result:
    """Train the base with one arm's settings."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = LlamaForCausalLM.from_pretrained(base)
    judge = Judge()
    settings: dict[str, Any] = {
        "quality only": {"diversity_weight": 0.0},
        "target": {"diversity_target": target, "quality_gate": 1.0},
        "no quality": {"diversity_target": target, "reward_weights": [0.0]},
    }[arm]
    with tempfile.TemporaryDirectory() as folder:
        config = DiverseGRPOConfig(
            folder,
            diversity_form="advantage",
            per_device_train_batch_size=PROMPTS * GROUP,
            num_generations=GROUP,
            max_completion_length=grammar.MAX_TOKENS,
            max_steps=steps,
            learning_rate=3e-4,
            lr_scheduler_type="constant",
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            disable_tqdm=True,
            seed=seed,
            **settings,
        )
        data = Dataset.from_list(grammar.prompts(grammar.TRAIN_TOPICS))
        trainer = DiverseGRPOTrainer(model, judge, args=config, train_dataset=data, processing_class=tokenizer)
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        seconds = (time.perf_counter() - started) / steps
    rows = grammar.prompts(grammar.HELD_OUT_TOPICS)
    replies = grammar.sample(model, tokenizer, rows, GROUP, seed)
    held_out = distinct_n(replies, n=2).value, grammar.validity(rows, replies)
    return Result(arm, target, seed, judge.distinct, judge.valid, *held_out, seconds)


def show(result: Result, control: Result | None = None) -> Result:
    """Print one run as a row of the table."""
    halves = np.mean(np.reshape(result.distinct[-2 * WINDOW :], (2, WINDOW)), axis=1)
    reached, verdict = "", ""
    if result.target is not None and control is not None:
        near = _moving_mean(result.distinct, 5) >= result.target - TOLERANCE
        reached = str(int(near.argmax()) + 5) if near.any() else "never"
        failed = [name for name, good in result.checks(control).items() if not good]
        verdict = "pass" if not failed else f"fails: {', '.join(failed)}"
    name = result.arm if result.target is None else f"{result.arm} {result.target}"
    print(
        f"{name:16}{result.seed:2}{reached:>10}{result.peak():6.3f}{halves[0]:14.3f}{halves[1]:9.3f}"
        f"{result.late_validity():10.3f}{result.held_out_distinct:14.3f}{result.held_out_valid:10.3f}"
        f"{result.seconds_per_step:8.2f}  {verdict}",
        flush=True,
    )
    return result


def _moving_mean(values: Sequence[float], width: int) -> np.ndarray:
    return np.convolve(values, np.ones(width) / width, mode="valid")


if __name__ == "__main__":
    main()
