"""How often do the report's 95% intervals hold the true difference?

Draws many pairs of small files (16 prompts, 8 replies each) from a model of monotone replies, whose true
difference is known from many more draws, makes the report's interval for each pair, and counts.

    python benchmarks/interval_coverage.py --repetitions 300
"""

from __future__ import annotations

import argparse

import numpy as np

from hfdiv.diversity import distinct_n
from hfdiv.ngrams import Corpus
from hfdiv.report.pooled import pooled_distinct
from hfdiv.report.significance import paired_bootstrap


N_WORDS, N_TOPIC_WORDS, N_PROMPTS, GROUP_SIZE = 2000, 60, 16, 8
ZIPF = 1 / np.arange(1, N_WORDS + 1)
ZIPF /= ZIPF.sum()
# How readily a reply repeats the first one of its group (log-odds), before and after.
SCENARIOS = {"no change": (0.0, 0.0), "some change": (1.0, 0.0), "great change": (2.0, -2.0)}


def replies(rng: np.random.Generator, topics: np.ndarray, log_odds: np.ndarray) -> list[list[str]]:
    """Groups of replies about topics; some repeat the first reply of their group."""
    groups = []
    for topic, odds in zip(topics, log_odds, strict=True):
        group: list[str] = []
        for _ in range(GROUP_SIZE):
            if group and rng.random() < 1 / (1 + np.exp(-odds)):
                group.append(group[0])
                continue
            length = max(3, rng.poisson(22))
            words = np.where(rng.random(length) < 0.4, rng.choice(topic, length), rng.choice(N_WORDS, length, p=ZIPF))
            group.append(" ".join(map(str, words)))
        groups.append(group)
    return groups


def pair(rng: np.random.Generator, odds: tuple[float, float]) -> tuple[Corpus, Corpus]:
    """One pair of files: the same prompts, some harder than others on both sides."""
    topics = np.stack([rng.choice(N_WORDS, N_TOPIC_WORDS, replace=False) for _ in range(N_PROMPTS)])
    hardness = rng.normal(size=N_PROMPTS)
    sides = [replies(rng, topics, level + 0.7 * hardness + 0.7 * rng.normal(size=N_PROMPTS)) for level in odds]
    return Corpus(sides[0], "whitespace"), Corpus(sides[1], "whitespace")


def main() -> None:
    """Print a table of coverages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=300)
    parser.add_argument("--resamples", type=int, default=500)
    arguments = parser.parse_args()
    print(
        f"{'scenario':<14}{'pooled distinct-2':>19}{'in-group distinct-2':>21}   share of 95% intervals with the truth"
    )
    for name, odds in SCENARIOS.items():
        rng = np.random.default_rng(1)
        pooled, grouped = [], []
        for _ in range(600):
            sides = pair(rng, odds)
            pooled.append([distinct_n(side, 2, level="corpus").value for side in sides])
            grouped.append([distinct_n(side, 2).value for side in sides])
        truths = [np.diff(np.mean(values, axis=0))[0] for values in (pooled, grouped)]
        hits = np.zeros(2)
        for repetition in range(arguments.repetitions):
            before, after = pair(rng, odds)
            options = {"n_resamples": arguments.resamples, "seed": repetition}
            estimates = (
                pooled_distinct(before, after, 2, **options).difference,
                paired_bootstrap(distinct_n(before, 2).values, distinct_n(after, 2).values, **options).difference,
            )
            hits += [estimate.low <= truth <= estimate.high for estimate, truth in zip(estimates, truths, strict=True)]
        shares = hits / arguments.repetitions
        print(f"{name:<14}{shares[0]:>19.3f}{shares[1]:>21.3f}")


if __name__ == "__main__":
    main()
