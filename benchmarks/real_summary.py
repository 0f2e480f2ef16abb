"""The numbers of `headline_real.py`: each arm's measures with intervals over prompts and seeds, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from experiment import Run
from measured import Interval, of_arm
from numpy.typing import NDArray
from real_arms import ARMS, CHOOSING, CONTROL, at
from real_topic import astray
from real_world import for_choosing, held_out

from hfdiv.demo.texts import Message, Scenario, load_scenario
from hfdiv.diversity import distinct_n


Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 5000
HALF = 8
"""Prompts that Distinct-2 is pooled over, 8 × 8 = 64 replies; the number is the mean of both halves of the prompts."""
ASKED_DISTINCT, ASKED_FINISHED, ASKED_ABOVE, ASKED_SEEDS = 0.35, 0.95, 0.90, 3
RESERVE = 0.03
"""How much better than asked the fluency must be on training messages where the temperature is chosen."""
MEASURES = {
    "pooled": "Distinct-2 of 64 replies",
    "in_group": "Distinct-2 in a group",
    "relevance": "relevance",
    "logprob": "log-probability",
    "above": "above the composed 10th percentile",
    "finished": "finished",
    "astray": "about another matter",
}


def values(
    run: Run, floor: float, scenario: Scenario | None = None, messages: Sequence[Message] | None = None
) -> dict[str, Floats]:
    """Return one number a prompt of each measure, over all replies, also those that were cut off.

    `scenario` has the texts, by default the demo's; `messages` are those that were replied to, by default the first
    held-out ones.
    """
    groups = run["replies"]
    scenario = scenario or load_scenario()
    messages = messages or held_out(scenario)[: len(groups)]
    logprob = np.array(run["logprob"], dtype=np.float64)
    return {
        "pooled": np.concatenate([pooled(groups[start : start + HALF]) for start in range(0, len(groups), HALF)]),
        "in_group": np.asarray(distinct_n(groups, n=2).values, dtype=np.float64),
        "relevance": np.mean(run["relevance"], axis=1),
        "logprob": np.nanmean(logprob, axis=1),
        "above": np.mean(logprob >= floor, axis=1),  # an empty reply has none, and is below
        "finished": np.mean(run["finished"], axis=1),
        "astray": astray(scenario, messages, groups).mean(axis=1),
    }


def pooled(groups: Sequence[Sequence[str]]) -> Floats:
    """Return a value a prompt whose mean is the Distinct-2 of all replies, and whose spread is its uncertainty.

    Jackknife pseudo-values (Efron and Tibshirani, 1993, chapter 11), about the observed ratio: a prompt drawn twice
    by a bootstrap would add no new bigram, and make the measure fall.
    """
    n = len(groups)
    whole = distinct_n(groups, n=2, level="corpus").value
    without = np.array(
        [distinct_n([*groups[:place], *groups[place + 1 :]], n=2, level="corpus").value for place in range(n)]
    )
    found: Floats = whole + (n - 1) * (without.mean() - without)
    return found


def interval(by_seed: Sequence[Floats], seed: int = 0) -> Interval:
    """Return the mean over seeds and prompts; both are drawn anew for the interval, a prompt in all seeds at once."""
    table = np.array(by_seed)
    n_seeds, n_prompts = table.shape
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, n_seeds, (RESAMPLES, n_seeds, 1))
    prompts = rng.integers(0, n_prompts, (RESAMPLES, 1, n_prompts))
    means = np.nanmean(table[seeds, prompts], axis=(1, 2))
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return Interval(float(np.nanmean(table)), float(low), float(high))


def intervals(runs: Sequence[Run], floor: float) -> dict[str, dict[str, Interval]]:
    """Return each arm's measures; arms without a run are left out."""
    found = {}
    for arm in ARMS:
        if arm in CHOOSING:
            continue
        seen = [values(run, floor) for run in of_arm(runs, arm)]
        if seen:
            found[arm] = {name: interval([one[name] for one in seen]) for name in MEASURES}
    return found


@dataclass(frozen=True)
class Verdict:
    """What an arm meets of the claim."""

    distinct: bool
    finished: bool
    above: bool
    relevance: bool
    seeds: int

    @property
    def earned(self) -> bool:
        """Whether it meets all of it, on enough seeds."""
        return not self.lacks

    @property
    def lacks(self) -> list[str]:
        """What it does not meet."""
        met = {
            f"Distinct-2 ≥ {ASKED_DISTINCT}": self.distinct,
            f"{ASKED_FINISHED:.0%} finished": self.finished,
            f"{ASKED_ABOVE:.0%} above": self.above,
            "relevance": self.relevance,
            f"{ASKED_SEEDS} seeds": self.seeds >= ASKED_SEEDS,
        }
        return [name for name, is_met in met.items() if not is_met]


def verdicts(runs: Sequence[Run], floor: float) -> dict[str, Verdict]:
    """Judge each arm by the means; relevance must not lie below the control's interval."""
    seen = intervals(runs, floor)
    least = seen[CONTROL]["relevance"].low
    return {
        arm: Verdict(
            of["pooled"].mean >= ASKED_DISTINCT,
            of["finished"].mean >= ASKED_FINISHED,
            of["above"].mean >= ASKED_ABOVE,
            of["relevance"].mean >= least,
            len(of_arm(runs, arm)),
        )
        for arm, of in seen.items()
    }


def choosing(runs: Sequence[Run], training_floor: float) -> dict[float, dict[str, float]]:
    """Return what each temperature came to on training messages, where no held-out message was seen."""
    scenario = load_scenario()
    found = {}
    for arm, temperature in CHOOSING.items():
        seen = [values(run, training_floor, scenario, for_choosing(scenario)) for run in of_arm(runs, arm)]
        found[temperature] = {name: float(np.mean([one[name] for one in seen])) for name in MEASURES}
    return found


def chosen(runs: Sequence[Run], training_floor: float) -> str:
    """Return the arm that the claim is about: `MAIN` at the highest temperature that is good enough there."""
    for temperature, seen in choosing(runs, training_floor).items():
        if seen["above"] >= ASKED_ABOVE + RESERVE and seen["finished"] >= ASKED_FINISHED:
            return at(temperature)
    return at(min(CHOOSING.values()))
