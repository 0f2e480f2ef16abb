"""Replies that end alike: from 40% and 90% to under 10%? One command reruns it all.

    OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 python benchmarks/headline_endings.py
    OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 python benchmarks/headline_endings.py --quick

The models are those of `headline_real.py`, made where they are missing: a monotone base whose replies end alike nearly
always, and a milder one. Each arm of `endings_arms.py` answers held-out customers in conversations of five turns. The
results are written to `results/endings.json` after every run, and a rerun does only what is missing there (`--fresh`
does all). From them come the picture `docs/images/endings.png` and the tables between the markers of
`docs/evidence.md`, with `docs/evidence_replies_endings.md`.

`--quick` does it in small, with a word-level Llama made from nothing, writes nothing, and exits with 1 unless the
penalty with re-ranking halved the share of replies that end alike.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import endings_run
import experiment
import numpy as np
from endings_arms import ARMS, NAMES, SEEDS, TRAININGS
from endings_page import write_page
from endings_picture import draw
from endings_summary import intervals, values, verdicts
from headline_real import WORK, made
from real_quick import small_world
from real_world import MONOTONE, World


HERE = Path(__file__).parent
RESULTS, DOCS = HERE / "results" / "endings.json", HERE.parent / "docs"
Task = tuple[Path, str, int]
"""Folder of the models, base and arm, seed."""
QUICK_ARMS = ("plain", "penalty + re-ranking")
QUICK_ALIKE = 0.5
"""The share of replies that end alike which `--quick` asks of the base; of that at most half may be left."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the runs that are missing, then the picture and the page; return the exit code."""
    options = parse(arguments)
    experiment.quiet()
    if options.quick:
        with small_world() as world:
            return quick(world)
    if options.draw:
        return publish(experiment.load(options.json))
    world = made(options.work, options.jobs)
    experiment.do_missing(
        options,
        {**experiment.versions(), "models": world.digest()},
        [(name, seed) for seed in range(SEEDS) for name in NAMES],
        signature,
        work,
        lambda name, seed: (options.work, name, seed),
        show,
        world.facts(),
    )
    return publish(experiment.load(options.json))


def publish(results: experiment.Results) -> int:
    """Draw the picture and write the page, if every arm has a run; return the exit code."""
    if not experiment.complete(results, NAMES):
        return 0
    runs, floor = results["runs"], results["conditions"]["floor"]
    draw(intervals(runs, floor), DOCS / "images" / "endings.png")
    write_page(results, DOCS)
    for name, verdict in verdicts(runs, floor).items():
        print(f"{name:40}{'lacks ' + ', '.join(verdict.lacks) if verdict.lacks else 'earned'}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    experiment.arguments(parser, RESULTS, NAMES)
    parser.add_argument("--work", type=Path, default=WORK, help="folder of the models, shared with headline_real.py")
    return parser.parse_args(arguments)


def quick(world: World) -> int:
    """Run the smoke test on small models; return its exit code."""
    seen = {}
    for arm in QUICK_ARMS:
        run = endings_run.run(world, MONOTONE, arm, 0)
        show(run)
        seen[arm] = {measure: float(np.mean(value)) for measure, value in values(run, world.floor).items()}
    passed = quick_passes(seen)
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


def quick_passes(seen: dict[str, dict[str, float]]) -> bool:
    """Tell whether the base's replies end alike, and much less so with the penalty and re-ranking."""
    plain, decoded = seen.values()
    return all(
        plain[measure] >= QUICK_ALIKE and decoded[measure] <= plain[measure] / 2
        for measure in ("alike_encoder", "alike_words")
    )


def signature(name: str) -> str:
    """Return what a run depends on."""
    base, arm = name.split(": ")
    return f"{ARMS[arm]}, {TRAININGS[base][ARMS[arm].training]}"


def work(task: Task) -> dict[str, Any]:
    """Do one run."""
    folder, name, seed = task
    return endings_run.run(World(folder), *name.split(": "), seed)


def show(run: dict[str, Any]) -> None:
    """Print one run."""
    numbers = "  ".join(
        f"{name} {np.nanmean(np.array(run[name], dtype=float)):.3f}"
        for name in ("alike_encoder", "alike_words", "relevance", "logprob", "finished")
    )
    print(f"{run['arm']:40}{run['seed']}  {numbers}  {run['seconds']}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
