"""The table of benchmarks/preference.py: each arm, and its difference to plain DPO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hfdiv.diversity import distinct_n


Floats = NDArray[np.float64]
Result: TypeAlias = dict[str, Any]

PLAIN = "random"
ARMS = ("base", PLAIN, "divpo", "divpo+deviation")
MEASURES = ("in-group D2", "pooled D2", "relevance", "log-probability", "fluent", "finished")


def measure(result: Result, floor: float) -> dict[str, Floats]:
    """Return one number a prompt by measure, NaN where no reply finished; for pooled Distinct-2 one in all."""
    ended = [np.array(ends, dtype=bool) for ends in result["finished"]]
    groups = [
        [text for text, end in zip(*group, strict=True) if end] for group in zip(result["replies"], ended, strict=True)
    ]
    relevance, logprob = (
        [np.array(values, dtype=np.float64)[end] for values, end in zip(result[name], ended, strict=True)]
        for name in ("relevance", "logprob")
    )
    values = {
        "in-group D2": [distinct_n([group], n=2).value for group in groups],
        "pooled D2": [distinct_n(groups, n=2, level="corpus").value],
        "relevance": [mean(each) for each in relevance],
        "log-probability": [mean(each) for each in logprob],
        "fluent": [mean(each >= floor) for each in logprob],
        "finished": [mean(end) for end in ended],
    }
    return {name: np.array(each, dtype=np.float64) for name, each in values.items()}


def mean(values: NDArray[Any]) -> float:
    """Return the mean of what is defined, NaN of nothing."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def print_table(yardstick: Result, floor: float, results: dict[str, Result], resamples: int) -> None:
    """Print the measures of each arm, and the differences to plain DPO, in Markdown."""
    seeds_of: dict[str, list[str]] = {}
    for name in results:
        arm, seed = name.split()
        seeds_of.setdefault(arm, []).append(seed)
    measured = {name: measure(result, floor) for name, result in results.items()}
    print(f"\nMean over seeds (least to most of a seed); the floor of fluency is {floor:.2f}.\n")
    print(f"| | seeds | {' | '.join(MEASURES)} |\n|---|---|{'---|' * len(MEASURES)}")
    for arm in sorted(seeds_of, key=ARMS.index):
        of_arm = [measured[f"{arm} {seed}"] for seed in seeds_of[arm]]
        cells = [spread([float(np.nanmean(each[name])) for each in of_arm]) for name in MEASURES]
        print(f"| {arm} | {len(of_arm)} | {' | '.join(cells)} |")
    cells = [f"{np.nanmean(values):.3f}" for values in measure(yardstick, floor).values()]
    print(f"| composed | – | {' | '.join(cells)} |")
    print("\nDifference to `random` of the same seeds: mean, 95% interval over messages; each seed.\n")
    print(f"| | {' | '.join(MEASURES)} |\n|---|{'---|' * len(MEASURES)}")
    for arm in ("divpo", "divpo+deviation"):
        shared = [seed for seed in seeds_of.get(arm, []) if seed in seeds_of.get(PLAIN, [])]
        if shared:
            pairs = [(measured[f"{arm} {seed}"], measured[f"{PLAIN} {seed}"]) for seed in shared]
            cells = [difference(np.array([a[name] - b[name] for a, b in pairs]), resamples) for name in MEASURES]
            print(f"| {arm} | {' | '.join(cells)} |")


def spread(values: Sequence[float]) -> str:
    """Write the mean, and the least and most."""
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def difference(values: Floats, resamples: int) -> str:
    """Write the mean of differences by seed and prompt, its interval over prompts, and each seed's mean."""
    seeds = "; ".join(f"{value:+.3f}" for value in np.nanmean(values, axis=1))
    by_prompt = np.nanmean(values, axis=0)
    n = len(by_prompt)
    if n == 1:  # pooled: one number in all
        return f"{by_prompt[0]:+.3f}; {seeds}"
    draws = np.nanmean(by_prompt[np.random.default_rng(0).integers(0, n, (resamples, n))], axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{np.nanmean(by_prompt):+.3f} ({low:+.3f} to {high:+.3f}); {seeds}"
