"""Runs of an experiment in a JSON file: what it holds is not done again, what it lacks is done in processes."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
import transformers
import trl

import hfdiv


Run: TypeAlias = dict[str, Any]
"""One run; it has at least `arm`, `seed` and `arguments`, which say what it depends on."""
Results: TypeAlias = dict[str, Any]
"""`conditions` and `runs`."""


def arguments(parser: argparse.ArgumentParser, results: Path, arms: Sequence[str]) -> None:
    """Add what every experiment is told on its command line."""
    parser.add_argument("--quick", action="store_true", help="the smoke test; writes nothing")
    parser.add_argument("--draw", action="store_true", help="do no run: only the pictures and the page again")
    parser.add_argument("--fresh", action="store_true", help="forget the runs of earlier calls")
    parser.add_argument("--jobs", type=_at_least_one, default=2, help="runs at a time, each a process with one thread")
    parser.add_argument("--arms", nargs="+", choices=arms, default=list(arms), help="do only the runs of these now")
    parser.add_argument("--json", type=Path, default=results, help="where the results are")


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def do_missing(
    options: argparse.Namespace,
    same: dict[str, str],
    wanted: Sequence[tuple[str, int]],
    signature: Callable[[str], str],
    work: Callable[[Any], Run],
    task: Callable[[str, int], Any],
    show: Callable[[Run], None],
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Do the runs that the file of results lacks, in their order, and write it after each.

    Args:
        options: The command line, with `arguments`.
        same: What results are only read under: versions, and a digest of the base. They are only added to on the
            machine that they were made on.
        wanted: Arm and seed of each run.
        signature: What a run of an arm depends on beside that. A run with another one is done anew.
        work: Does a task, in another process.
        task: The task of an arm and a seed.
        show: Prints a run.
        facts: What else the conditions say.
    """
    here = {"same": same, **machine()}
    results: Results = {"conditions": {**here, **(facts or {})}, "runs": []}
    if options.json.exists() and not options.fresh:
        results = load(options.json)
        if results["conditions"]["same"] != same:
            _refuse(options.json, results["conditions"]["same"], same)
        results["conditions"] |= facts or {}
    kept = {(run["arm"], run["seed"]): run for run in results["runs"] if run["arguments"] == signature(run["arm"])}
    results["runs"] = [kept[key] for key in wanted if key in kept]
    missing = [key for key in wanted if key not in kept and key[0] in options.arms]
    print(f"{len(results['runs'])} runs are there, {len(missing)} to do", flush=True)
    if not missing:
        save(results, options.json)
        return
    if (there := {name: results["conditions"].get(name) for name in here}) != here:
        _refuse(options.json, there, here)
    with multiprocessing.get_context("spawn").Pool(options.jobs, initializer=quiet, maxtasksperchild=1) as pool:
        for run in pool.imap_unordered(work, [task(*key) for key in missing]):
            results["runs"].append({**run, "arguments": signature(run["arm"])})
            save(results, options.json)
            show(run)


def complete(results: Results, arms: Iterable[str]) -> bool:
    """Tell whether every arm has a run, and print those that have none."""
    missing = set(arms) - {run["arm"] for run in results["runs"]}
    if missing:
        print(f"the pictures and the page wait for the arms that have no run yet: {', '.join(sorted(missing))}")
    return not missing


def _refuse(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    sys.exit(f"{path} was made with {there}, and this would be {here}. Use --fresh to do every run anew.")


def quiet() -> None:
    """Set up a process that trains."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def versions() -> dict[str, str]:
    """Return the versions that results depend on."""
    modules = {module.__name__: module.__version__ for module in (hfdiv, trl, transformers, torch)}
    return {**modules, "python": platform.python_version()}


def machine() -> dict[str, Any]:
    """Return what runs run on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"gpu": gpu, "cpu": _processor(), "cores": os.cpu_count()}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def load(path: Path) -> Results:
    """Read the file of results."""
    return json.loads(path.read_text())


def save(results: Results, path: Path) -> None:
    """Write the file of results, a run a line, in one move: a run that is stopped leaves the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    runs = ",\n".join(json.dumps(run, ensure_ascii=False) for run in results["runs"])
    new = path.with_suffix(".new")
    new.write_text(f'{{"conditions": {json.dumps(results["conditions"])},\n"runs": [\n{runs}\n]}}\n')
    new.replace(path)
