"""The numbers of `headline_endings.py`: each arm's measures with intervals over conversations, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from endings_arms import ARMS, NAMES, SEEDS
from experiment import Run
from measured import Interval, of_arm
from numpy.typing import NDArray


Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 5000
ASKED_ALIKE, ASKED_BELOW, ASKED_PAIRS = 0.10, 0.10, 200
MEASURES = {
    "alike_encoder": "ends alike, by encoder",
    "alike_words": "by words",
    "relevance": "relevance",
    "logprob": "log-probability",
    "below": "below the composed 10th percentile",
    "finished": "finished",
}


def values(run: Run, floor: float) -> dict[str, Floats]:
    """Return one number a conversation of each measure, over the turns that have a history."""
    logprob = np.array(run["logprob"], dtype=np.float64)[:, 1:]
    return {
        "alike_encoder": np.mean(run["alike_encoder"], axis=1),
        "alike_words": np.mean(run["alike_words"], axis=1),
        "relevance": np.mean(np.array(run["relevance"])[:, 1:], axis=1),
        "logprob": np.nanmean(logprob, axis=1),
        "below": 1.0 - np.mean(logprob >= floor, axis=1),  # an empty reply has none, and is below
        "finished": np.mean(np.array(run["finished"])[:, 1:], axis=1),
    }


def interval(by_seed: Sequence[Floats], seed: int = 0) -> Interval:
    """Return the mean; for the interval seeds are drawn anew, and in each the conversations, which are its own."""
    table = np.array(by_seed)
    n_seeds, n_conversations = table.shape
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, n_seeds, (RESAMPLES, n_seeds, 1))
    conversations = rng.integers(0, n_conversations, (RESAMPLES, n_seeds, n_conversations))
    low, high = np.percentile(table[seeds, conversations].mean(axis=(1, 2)), [2.5, 97.5])
    return Interval(float(table.mean()), float(low), float(high))


def intervals(runs: Sequence[Run], floor: float) -> dict[str, dict[str, Interval]]:
    """Return the measures of each base and arm that has a run."""
    found = {}
    for name in NAMES:
        seen = [values(run, floor) for run in of_arm(runs, name)]
        if seen:
            found[name] = {measure: interval([one[measure] for one in seen]) for measure in MEASURES}
    return found


def n_pairs(runs: Sequence[Run], name: str) -> int:
    """Return how many replies with a history an arm has."""
    return sum(np.size(run["alike_words"]) for run in of_arm(runs, name))


@dataclass(frozen=True)
class Verdict:
    """What an arm meets of the claim."""

    alike: bool
    below: bool
    relevance: bool
    enough: bool

    @property
    def lacks(self) -> list[str]:
        """What it does not meet; the claim is earned where that is nothing."""
        met = {
            f"under {ASKED_ALIKE:.0%} alike": self.alike,
            f"at most {ASKED_BELOW:.0%} below": self.below,
            "relevance": self.relevance,
            f"{ASKED_PAIRS} pairs, {SEEDS} seeds": self.enough,
        }
        return [name for name, is_met in met.items() if not is_met]


def verdicts(runs: Sequence[Run], floor: float) -> dict[str, Verdict]:
    """Judge each arm by the means, by both measures; relevance must not lie below its control's interval."""
    seen = intervals(runs, floor)
    judged = {}
    for name, of in seen.items():
        base, arm = name.split(": ")
        control = seen.get(f"{base}: {ARMS[arm].control}")
        judged[name] = Verdict(
            max(of["alike_encoder"].mean, of["alike_words"].mean) < ASKED_ALIKE,
            of["below"].mean <= ASKED_BELOW,
            control is not None and of["relevance"].mean >= control["relevance"].low,
            n_pairs(runs, name) >= ASKED_PAIRS and len(of_arm(runs, name)) >= SEEDS,
        )
    return judged
