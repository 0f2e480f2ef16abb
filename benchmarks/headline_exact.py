"""Does a collapsed model become varied again without getting worse, where quality is exact? One command reruns it all.

    OMP_NUM_THREADS=1 python benchmarks/headline_exact.py
    OMP_NUM_THREADS=1 python benchmarks/headline_exact.py --quick

A Llama of 222 000 parameters knows a grammar of replies (`tiny_grammar.py`) and was then made monotone: in-group
Distinct-2 0.18, where the grammar's own replies have 0.82. `DiverseGRPOTrainer` trains it with each arm of
`exact_run.py`, from the same base; a parser says whether a reply is valid. The results are written to
`results/exact.json` after every run, and a rerun does only what is missing there (`--fresh` does all). From them come
the pictures `docs/images/exact_*.png` and the tables between the markers of `docs/evidence.md`, with
`docs/evidence_replies.md`.

`--quick` trains a smaller base, then a target and the arm without quality, for a few steps on one seed, writes
nothing, and exits with 1 unless the target raised Distinct-2 with validity kept and the other lost validity.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import experiment
import numpy as np
import tiny_grammar as grammar
import torch
import transformers
from exact_page import write_page
from exact_picture import draw_frontier, draw_steps
from exact_run import ARMS, NO_QUALITY, TARGETS, train
from exact_summary import measures, verdicts

from hfdiv.trainer.target import TargetController


HERE = Path(__file__).parent
RESULTS, DOCS = HERE / "results" / "exact.json", HERE.parent / "docs"
STEPS, SEEDS = 200, 5
Task = tuple[str, str, int, int]
"""Folder of the base, arm, seed, steps."""
QUICK_ARMS = ("target 0.50", NO_QUALITY)
QUICK_STEPS, QUICK_PRETRAINING, QUICK_WINDOW = 40, 500, 10
QUICK_RISE, QUICK_LOSS = 0.12, 0.1
"""What `--quick` asks for: Distinct-2 at least so much above its start, and validity at most so much below its."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the runs that are missing, then the pictures and the page; return the exit code."""
    options = parse(arguments)
    transformers.logging.set_verbosity_error()
    if options.draw:
        return publish(experiment.load(options.json))
    with tempfile.TemporaryDirectory() as folder:
        base = options.base or folder
        if options.quick:
            return quick(folder)
        if not (Path(base) / "config.json").exists():
            grammar.build_base(base)
        experiment.do_missing(
            options,
            same(base),
            # Seed by seed, so that a run that is stopped early has something of every arm.
            [(arm, seed) for seed in range(SEEDS) for arm in ARMS],
            signature,
            work,
            lambda arm, seed: (base, arm, seed, STEPS),
            show,
        )
    return publish(experiment.load(options.json))


def publish(results: experiment.Results) -> int:
    """Draw the pictures and write the page, if every arm has a run; return the exit code."""
    if not experiment.complete(results, ARMS):
        return 0
    runs = results["runs"]
    draw_steps(runs, DOCS / "images" / "exact_steps.png")
    draw_frontier(runs, DOCS / "images" / "exact_frontier.png")
    write_page(results, DOCS)
    for verdict in verdicts(runs):
        print(f"{'met' if verdict.met else 'NOT MET':8}{verdict.claim}: {verdict.seen}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    experiment.arguments(parser, RESULTS, list(ARMS))
    parser.add_argument("--base", help="folder to keep the base model in, or to take it from")
    return parser.parse_args(arguments)


def work(task: Task) -> dict[str, Any]:
    """Do one run."""
    return train(*task)


def signature(arm: str) -> str:
    """Return what a run depends on: an arm's arguments, the steps, and the constants of the controller."""
    law = vars(TargetController(TARGETS[arm])) if arm in TARGETS else {}
    return f"{STEPS} steps, {ARMS[arm]}, {law}"


def same(base: str) -> dict[str, str]:
    """Return what results are only mixed under."""
    weights = hashlib.sha256((Path(base) / "model.safetensors").read_bytes()).hexdigest()[:12]
    return {**experiment.versions(), "base": weights}


def show(run: dict[str, Any]) -> None:
    """Print one run."""
    numbers = "  ".join(f"{name} {value:.3f}" for name, value in measures(run).items())
    print(f"{run['arm']:15}{run['seed']}  {numbers}  {run['seconds_per_step']:.2f} s/step", flush=True)


def quick(folder: str) -> int:
    """Run the smoke test; return its exit code."""
    torch.set_num_threads(1)
    grammar.build_base(folder, QUICK_PRETRAINING, check_every=10)
    passed = [quick_passes(arm, train(folder, arm, 0, QUICK_STEPS)) for arm in QUICK_ARMS]
    print("passed" if all(passed) else "FAILED")
    return 0 if all(passed) else 1


def quick_passes(arm: str, run: dict[str, Any]) -> bool:
    """Tell whether a target raised Distinct-2 with validity kept; or whether the arm without quality lost validity."""
    varied, valid, varied_then, valid_then = (
        float(np.mean(run[name][part]))
        for part in (slice(QUICK_WINDOW), slice(-QUICK_WINDOW, None))
        for name in ("distinct", "valid")
    )
    print(f"{arm}: Distinct-2 {varied:.3f} to {varied_then:.3f}, validity {valid:.3f} to {valid_then:.3f}", flush=True)
    kept = valid_then >= valid - QUICK_LOSS
    return not kept if arm == NO_QUALITY else kept and varied_then >= varied + QUICK_RISE


if __name__ == "__main__":
    sys.exit(main())
