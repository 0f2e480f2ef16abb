"""Log rows to preference pairs: rate and peak memory of `hfdiv data import` and `hfdiv data pairs`.

    python benchmarks/pairs.py --rows 100000 --json pairs.json

The log is made here, in a temporary folder, and deleted: conversations of four turns about 300 questions, whose
replies are drawn from 40 sentences a question, half of them with one of three endings, so that some are stale. Each
command is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import hfdiv


SEED = 0
GOAL_SECONDS = 300.0
QUESTIONS, ANSWERS, TURNS = 300, 40, 4
ENDINGS = ("Is there anything else I can help you with?", "Have a good day!", "Let me know if that helps.")
COMMAND = [sys.executable, "-c", "from hfdiv.cli import main; main()", "data"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the log, run each command on it, print the table, and delete everything."""
    options = parse(arguments)
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, hfdiv {hfdiv.__version__}, seed {SEED}")
    judged = ["--quality-column", "rating", "--same", "question"]
    with tempfile.TemporaryDirectory(prefix="hfdiv-benchmark-") as name:
        folder = Path(name)
        log, rows = folder / "log.jsonl", folder / "imported" / "rows.jsonl"
        with log.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in conversations(options.rows // TURNS))
        print(f"{options.rows // TURNS * TURNS} replies in {log.stat().st_size / 1e6:.0f} MB of conversations")
        print(f"{'command':>16} {'s':>7} {'replies/s':>10} {'peak GB':>8}  result")
        runs = {
            "import": ["import", str(log), "--output-dir", str(folder / "imported")],
            "import --dedup": ["import", str(log), "--dedup", "0.9", "--output-dir", str(folder / "single")],
            "pairs fresh": ["pairs", str(rows), "--method", "fresh", *judged, "--output-dir", str(folder / "fresh")],
            "pairs divpo": ["pairs", str(rows), "--method", "divpo", *judged, "--output-dir", str(folder / "divpo")],
        }
        measured = [run(title, command, options.rows, folder) for title, command in runs.items()]
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    seconds = measured[0]["seconds"] + max(row["seconds"] for row in measured[2:])
    print(f"log to pairs: {seconds:.0f} s (goal at 100,000 rows: below {GOAL_SECONDS:.0f} s)")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000, help="replies in the log")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    return parser.parse_args(arguments)


def conversations(n: int) -> Iterator[dict[str, Any]]:
    """Yield conversations in OpenAI's form."""
    rng = np.random.default_rng(SEED)
    words = np.array(["".join(rng.choice(list("abcdefghijklmnoprstuvwy"), rng.integers(2, 9))) for _ in range(5000)])
    shape = (QUESTIONS, ANSWERS, 12)
    answers = [[" ".join(row).capitalize() + "." for row in rows] for rows in words[rng.integers(0, 5000, shape)]]
    asked = [" ".join(row) + "?" for row in words[rng.integers(0, 5000, (QUESTIONS, 6))]]
    for _ in range(n):
        messages: list[dict[str, Any]] = []
        for question in rng.integers(0, QUESTIONS, TURNS).tolist():
            first, second = rng.integers(0, ANSWERS, 2).tolist()
            text = f"{answers[question][first]} {answers[question][second]}"
            text += f" {ENDINGS[int(rng.integers(0, 3))]}" if rng.random() < 0.5 else ""
            messages.append({"role": "user", "content": asked[question]})
            messages.append({"role": "assistant", "content": text, "rating": int(rng.integers(1, 6))})
        yield {"messages": messages}


def run(title: str, command: list[str], n: int, folder: Path) -> dict[str, Any]:
    """Run one command to its end."""
    started = time.perf_counter()
    with (folder / "said.txt").open("w", encoding="utf-8") as said:
        process = subprocess.Popen([*COMMAND, *command], stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"hfdiv data {title} ended with status {status}")
    seconds = time.perf_counter() - started
    first = (folder / "said.txt").read_text(encoding="utf-8").split(" (")[0]
    row = {"command": title, "replies": n, "seconds": seconds, "peak_gb": usage.ru_maxrss / 1e6, "result": first}
    print(f"{title:>16} {seconds:7.1f} {n / seconds:10,.0f} {row['peak_gb']:8.2f}  {first}", flush=True)
    return row


if __name__ == "__main__":
    main()
