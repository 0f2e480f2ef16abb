"""Self-BLEU of one flat corpus: `hfdiv.self_bleu` and fast-bleu's `SelfBLEU` in one run, on the same texts.

    python benchmarks/self_bleu.py --sizes 500 2000 10000 20000 --order 4 --json self_bleu.json

The texts are real: first paragraphs of docstrings in this Python's standard library and site-packages. Both sides
split on whitespace and use smoothing method 1. fast-bleu reads past an array when it looks for the closest
reference length, so the two may differ where a text is shorter than its neighbours; the difference is reported.
"""

from __future__ import annotations

import os


os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by fast-bleu's OpenMP as it loads; hfdiv runs on one thread

import argparse
import ast
import importlib.metadata
import json
import math
import platform
import random
import sys
import sysconfig
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import hfdiv


MIN_WORDS, MAX_WORDS = 5, 60
POOL = 25_000
OUR_RUNS = 3
SEED = 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it to a file where asked."""
    options = parse(arguments)
    fast_bleu = require_fast_bleu()
    texts, n_files = docstring_paragraphs(max(POOL, *options.sizes))
    print(
        f"{len(texts)} different first paragraphs of docstrings ({MIN_WORDS} to {MAX_WORDS} words, on average "
        f"{np.mean([len(text.split()) for text in texts]):.1f}) from {n_files} files, drawn with seed {SEED}"
    )
    too_large = [size for size in options.sizes if size > len(texts)]
    if too_large:
        sys.exit(f"There are {len(texts)} texts, too few for --sizes {too_large}: leave those out.")
    print_conditions()
    print(
        f"{'texts':>7} {'words':>8} {'hfdiv s':>9} {'fast-bleu s':>12} {'ratio':>7} "
        f"{'self-BLEU':>10} {'max |diff|':>11}"
    )
    rows = []
    for size in options.sizes:
        row = compare(texts[:size], options.order, fast_bleu)
        rows.append(row)
        print(
            f"{row['texts']:7d} {row['words']:8d} {row['hfdiv_s']:9.4f} {row['fast_bleu_s']:12.3f} "
            f"{row['ratio']:6.1f}x {row['hfdiv_value']:10.6f} {row['max_difference']:11.2e}",
            flush=True,
        )
    growth = growth_exponent(rows)
    if growth is not None:
        print(f"growth of hfdiv's time: texts^{growth['exponent']:.2f} from {growth['from']} to {growth['to']} texts")
    print(f"largest difference of one text's score: {max(row['max_difference'] for row in rows):.2e}")
    if options.json:
        report = {
            "order": options.order,
            "texts": len(texts),
            "files": n_files,
            **conditions(),
            "rows": rows,
            "growth": growth,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000, 10000, 20000], help="texts in each corpus")
    parser.add_argument("--order", type=int, default=4, help="highest n-gram order, at least 2 (fast-bleu's minimum)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    options = parser.parse_args(arguments)
    if options.order < 2 or min(options.sizes) < 2:
        parser.error("--order and --sizes must be at least 2")
    options.sizes.sort()
    return options


def require_fast_bleu() -> ModuleType:
    """Import the peer, or say how to get it."""
    try:
        import fast_bleu
    except ImportError:
        sys.exit("fast-bleu is not installed. It compiles from source and needs g++: pip install fast-bleu")
    return fast_bleu


def docstring_paragraphs(enough: int) -> tuple[list[str], int]:
    """Read files in a seeded order until there are `enough` different texts; return those, shuffled, and the files."""
    paths = sysconfig.get_paths()
    roots = [Path(paths["purelib"]), Path(paths["stdlib"])]
    files = list(dict.fromkeys(path for root in roots for path in sorted(root.rglob("*.py"))))
    rng = random.Random(SEED)
    rng.shuffle(files)
    unique: dict[str, None] = {}  # in the order of the files: a set would differ from run to run
    n_files = 0
    for path in files:
        n_files += 1
        unique.update(dict.fromkeys(t for t in paragraphs(path) if MIN_WORDS <= len(t.split()) <= MAX_WORDS))
        if len(unique) >= enough:
            break
    texts = list(unique)
    rng.shuffle(texts)
    return texts, n_files


def paragraphs(path: Path) -> Iterator[str]:
    """Yield the first paragraph of each docstring of a file, on one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in the sources of others
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return  # templates and test data with the name of a Python file
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())


def compare(texts: list[str], order: int, fast_bleu: ModuleType) -> dict[str, Any]:
    """Time both sides on the same texts."""
    tokens = [text.split() for text in texts]
    weights = {order: (1 / order,) * order}
    ours, score = fastest(OUR_RUNS, lambda: hfdiv.self_bleu(texts, order, tokenizer="whitespace"))
    theirs, peer = fastest(1, lambda: fast_bleu.SelfBLEU(tokens, weights).get_score()[order])
    return {
        "texts": len(texts),
        "words": sum(map(len, tokens)),
        "hfdiv_s": ours,
        "fast_bleu_s": theirs,
        "ratio": theirs / ours,
        "hfdiv_value": score.value,
        "fast_bleu_value": float(np.mean(peer)),
        "max_difference": float(np.abs(score.values - peer).max()),
        "signature": score.signature,
    }


def fastest(runs: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least wall time of several runs, in seconds, and the last result."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def growth_exponent(rows: list[dict[str, Any]]) -> dict[str, float] | None:
    """Return k of time ~ texts^k between the first size of at least 2000 texts and the largest (1 = linear)."""
    large = [row for row in rows if row["texts"] >= 2000]
    if len(large) < 2:
        return None
    low, high = large[0], large[-1]
    exponent = math.log(high["hfdiv_s"] / low["hfdiv_s"]) / math.log(high["texts"] / low["texts"])
    return {"exponent": exponent, "from": low["texts"], "to": high["texts"]}


def conditions() -> dict[str, Any]:
    """Return what the numbers were measured on."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "omp_num_threads": os.environ["OMP_NUM_THREADS"],
        "numpy": np.__version__,
        "hfdiv": hfdiv.__version__,
        "fast_bleu": importlib.metadata.version("fast-bleu"),
        "timed_hfdiv": f"best of {OUR_RUNS}: self_bleu(raw strings, tokenizer='whitespace'), splitting included",
        "timed_fast_bleu": "once: SelfBLEU(token lists, weights) and .get_score(), splitting not included",
    }


def print_conditions() -> None:
    """Print what the numbers are measured on and what is inside the timed regions."""
    for name, value in conditions().items():
        print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
