"""Does a collapsed SmolLM2 become varied again without getting worse? One command reruns it all.

    OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 python benchmarks/headline_real.py
    OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 python benchmarks/headline_real.py --quick

`real_world.py` teaches SmolLM2-135M varied good replies to a shop's customers and then makes it monotone. Each arm of
`real_arms.py` starts from there: GRPO with each objective, DPO, or decoding alone; it replies to messages held out.
The results are written to `results/real.json` after every run, and a rerun does only what is missing there (`--fresh`
does all). From them come the pictures `docs/images/real_*.png` and the tables between the markers of
`docs/evidence.md`, with `docs/evidence_replies_real.md`. The models are kept in the folder `--work`.

`--quick` does it in small, with a word-level Llama made from nothing, writes nothing, and exits with 1 unless training
and decoding made the monotone base more varied.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import experiment
import numpy as np
import real_run
import torch
from real_arms import ARMS, BASE, WANTED, Arm
from real_page import write_page
from real_picture import draw, draw_main
from real_quick import small_world
from real_summary import chosen, interval, intervals, values, verdicts
from real_world import Recipe, World, build


HERE = Path(__file__).parent
RESULTS, DOCS = HERE / "results" / "real.json", HERE.parent / "docs"
WORK = HERE.parent / "output" / "evidence"
Task = tuple[Path, str, int]
"""Folder of the models, arm, seed."""
_QUICK_TRAINING = {"diversity_form": "additive", "diversity_weight": 1.0, "learning_rate": 2e-3}
QUICK_ARMS = {
    BASE: ARMS[BASE],
    "additive": Arm("grpo", training=_QUICK_TRAINING, steps=40, prompts=2),
    "in turn": ARMS["in turn"],
}
QUICK_MONOTONE, QUICK_RISE, QUICK_KEPT = 0.45, 0.12, 0.5
"""What `--quick` asks for: the base's in-group Distinct-2, how much that rises, and the quality that is kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the runs that are missing, then the pictures and the page; return the exit code."""
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
        WANTED,
        lambda arm: str(ARMS[arm]),
        work,
        lambda arm, seed: (options.work, arm, seed),
        lambda run: show(run, world),
        world.facts(),
    )
    return publish(experiment.load(options.json))


def publish(results: experiment.Results) -> int:
    """Draw the pictures and write the page, if every arm has a run; return the exit code."""
    if not experiment.complete(results, ARMS):
        return 0
    runs, floor = results["runs"], results["conditions"]["floor"]
    composed = {name: interval([value]) for name, value in values(results["conditions"]["composed"], floor).items()}
    seen = intervals(runs, floor)
    draw(seen, composed, DOCS / "images" / "real_frontier.png")
    draw_main(seen, composed, DOCS / "images" / "real_main.png")
    write_page(results, composed, DOCS)
    for arm, verdict in verdicts(runs, floor).items():
        print(f"{arm:40}{'earned' if verdict.earned else 'lacks ' + ', '.join(verdict.lacks)}")
    print(f"chosen on training messages: {chosen(runs, results['conditions']['training_floor'])}")
    return 0


def made(folder: Path, threads: int) -> World:
    """Make the models that the folder lacks; the runs that follow have one thread each."""
    torch.set_num_threads(threads)
    world = build(folder, Recipe())
    torch.set_num_threads(1)
    return world


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    experiment.arguments(parser, RESULTS, list(ARMS))
    parser.add_argument("--work", type=Path, default=WORK, help="folder of the models")
    return parser.parse_args(arguments)


def quick(world: World) -> int:
    """Run the smoke test on small models; return its exit code."""
    seen = {}
    for name, arm in QUICK_ARMS.items():
        run = real_run.run(world, name, arm, 0)
        show(run, world)
        numbers = values(run, world.floor, world.scenario)
        seen[name] = {measure: float(np.mean(value)) for measure, value in numbers.items()}
    passed = quick_passes(seen)
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


def quick_passes(seen: dict[str, dict[str, float]]) -> bool:
    """Tell whether the base is monotone, GRPO made it more varied with quality kept, and so did decoding in turn."""
    base, trained, in_turn = seen.values()
    return (
        base["in_group"] <= QUICK_MONOTONE
        and trained["in_group"] >= base["in_group"] + QUICK_RISE
        and min(trained["finished"], trained["above"]) >= QUICK_KEPT
        and in_turn["in_group"] >= base["in_group"] + 2 * QUICK_RISE
    )


def work(task: Task) -> dict[str, Any]:
    """Do one run."""
    folder, arm, seed = task
    return real_run.run(World(folder), arm, ARMS[arm], seed)


def show(run: dict[str, Any], world: World) -> None:
    """Print one run."""
    messages = world.for_choosing if ARMS.get(run["arm"], Arm("base")).on_training else None
    numbers = values(run, world.floor, world.scenario, messages)
    said = "  ".join(f"{name} {np.nanmean(value):.3f}" for name, value in numbers.items())
    print(f"{run['arm']:20}{run['seed']}  {said}  {run['seconds']['all']:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
