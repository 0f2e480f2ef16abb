"""Do the intervals of `hfdiv ab` hold the truth as often as they say, and is a false positive as rare, peeking or not?

Draws many experiments from a model whose effects are known: users of two kinds come back a few times or often, what
they do differs from user to user, dwell times are skewed, and clicks are rare. Each experiment is looked at once at
its end, and at every step on the way, as one does who peeks.

    python benchmarks/ab_coverage.py --repetitions 2000

Rates come with their Monte Carlo standard error. `nominal` is what they should be, at least or at most.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from hfdiv.ab.contrast import CONTRASTS, Contrast
from hfdiv.ab.effect import corrected, effect_of, width_of
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.metrics import Metric
from hfdiv.ab.plan import peeking_factor
from hfdiv.ab.sequential import critical_value
from hfdiv.ab.settings import Settings


METRICS = [
    Metric("abandoned", "proportion", higher_is_better=False, role="primary"),
    Metric("click", "proportion"),
    Metric("dwell_time", "skewed"),
    Metric("turns", "mean"),
]
NAMES = [metric.name for metric in METRICS]
HEAVY = 0.3  # share of users who come back often
GAP = 0.25  # mean time between two conversations of a user, as a share of the experiment
# What the control's users do: light ones, heavy ones.
MEANS = {
    "abandoned": np.array([0.30, 0.20]),
    "click": np.array([0.02, 0.04]),
    "dwell_time": np.array([60.0, 90.0]),
    "turns": np.array([3.0, 5.0]),
}
ALIKE = {"abandoned": 3.0, "click": 20.0}  # how alike a user's conversations are: a beta's a + b, lower = more alike
USER_SPREAD, TALK_SPREAD = 0.8, 1.0  # of the logarithm of dwell times
EFFECTS = {"abandoned": 0.8, "click": 1.4, "dwell_time": 1.25, "turns": 1.1}


class Arm(NamedTuple):
    """What an arm's users did: their kind, the unit and time of each conversation, and its values."""

    heavy: np.ndarray
    unit: np.ndarray
    time: np.ndarray
    values: dict[str, np.ndarray]


def draw_talks(rng: np.random.Generator, n_users: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw users and when they talk: kind of each, and unit and time of each conversation before the end."""
    heavy = (rng.random(n_users) < HEAVY).astype(int)
    counts = 1 + rng.poisson(np.array([0.5, 4.0])[heavy])
    unit = np.repeat(np.arange(n_users), counts)
    gap = rng.exponential(GAP, len(unit))
    first = np.r_[True, unit[1:] != unit[:-1]]
    gap[first] = rng.random(n_users)
    since = np.cumsum(gap)
    time = since - (since[first] - gap[first])[unit]
    kept = time < 1
    return heavy, unit[kept], time[kept]


def draw_arm(rng: np.random.Generator, n_users: int, effects: dict[str, float]) -> Arm:
    """Draw an arm whose means are those of the control times `effects`."""
    heavy, unit, time = draw_talks(rng, n_users)
    values = {}
    for name in ("abandoned", "click"):
        mean = MEANS[name][heavy] * effects.get(name, 1.0)
        values[name] = rng.random(len(unit)) < rng.beta(mean * ALIKE[name], (1 - mean) * ALIKE[name])[unit]
    log_mean = np.log(MEANS["dwell_time"] * effects.get("dwell_time", 1.0)) - (USER_SPREAD**2 + TALK_SPREAD**2) / 2
    habit = rng.normal(log_mean[heavy], USER_SPREAD)
    values["dwell_time"] = np.exp(rng.normal(habit[unit], TALK_SPREAD))
    mean = MEANS["turns"][heavy] * effects.get("turns", 1.0)
    values["turns"] = 1 + rng.poisson((mean - 1)[unit] * rng.gamma(3, 1 / 3, n_users)[unit])
    return Arm(heavy, unit, time, {name: column.astype(float) for name, column in values.items()})


def truths(times: np.ndarray, effects: dict[str, float]) -> dict[str, np.ndarray]:
    """Return the true difference and ratio of each metric at each time, `(n_times, 2)`: kinds weigh as they talk."""
    heavy, unit, time = draw_talks(np.random.default_rng(1), 1_000_000)
    kind = heavy[unit]
    found = {}
    shares = np.array([[np.mean(kind[time < end] == k) for k in (0, 1)] for end in times])
    for name in NAMES:
        control = shares @ MEANS[name]
        factor = effects.get(name, 1.0)
        found[name] = np.stack([control * (factor - 1), np.full(len(times), factor - 1)], axis=1)
    return found


def contrasts_at(arms: list[Arm], end: float) -> list[Contrast]:
    """Compare two arms on what is there at `end`, metric by metric."""
    seen = [arm.time < end for arm in arms]
    return [
        CONTRASTS[metric.kind](
            *(arm_mean(arm.values[metric.name][kept], arm.unit[kept]) for arm, kept in zip(arms, seen, strict=True))
        )
        for metric in METRICS
    ]


def claims(contrasts: list[Contrast], settings: Settings) -> list[bool]:
    """Tell which metrics are said to differ: the interval of what is tested leaves out 0."""
    found = []
    for metric, contrast in zip(METRICS, contrasts, strict=True):
        found.append(contrast.effect(width_of(metric, contrast, settings)).excludes_zero)
    return found


def held(contrasts: list[Contrast], truth: list[np.ndarray], settings: Settings) -> list[tuple[bool, ...]]:
    """Tell whether the intervals of difference and ratio hold the truth. One that is not there claims nothing."""
    found = []
    for metric, contrast, true in zip(METRICS, contrasts, truth, strict=True):
        width = width_of(metric, contrast, settings)
        intervals = (contrast.difference(width), contrast.relative(width))
        found.append(tuple(not (i.low > t or i.high < t) for i, t in zip(intervals, true, strict=True)))
    return found


@dataclass
class Tally:
    """How often something happened to each metric."""

    hits: np.ndarray
    n: int = 0

    def add(self, happened: list[bool]) -> None:
        """Count one experiment."""
        self.hits += happened
        self.n += 1

    def line(self, label: str, nominal: str) -> str:
        """Return the rates with their Monte Carlo error, as a line of the table."""
        rates = self.hits / self.n
        errors = np.sqrt(np.maximum(rates * (1 - rates), 1 / self.n) / self.n)
        cells = "".join(f"{rate:>10.3f} ±{error:.3f}" for rate, error in zip(rates, errors, strict=True))
        return f"{label:<74}{nominal:>8}{cells}"


def tally() -> Tally:
    """Return a tally of all metrics."""
    return Tally(np.zeros(len(NAMES)))


def coverage(
    rng: np.random.Generator, settings: Settings, n_users: tuple[int, int], looks: np.ndarray, repetitions: int
) -> list[Tally]:
    """Count how often *all* intervals of an experiment with effects hold the difference, and the ratio."""
    truth = truths(looks, EFFECTS)
    difference, ratio = tally(), tally()
    for _ in range(repetitions):
        arms = [draw_arm(rng, n, effects) for n, effects in zip(n_users, ({}, EFFECTS), strict=True)]
        always = np.all(
            [
                held(contrasts_at(arms, end), [truth[name][place] for name in NAMES], settings)
                for place, end in enumerate(looks)
            ],
            axis=0,
        )
        difference.add(always[:, 0].tolist())
        ratio.add(always[:, 1].tolist())
    return [difference, ratio]


def false_positives(
    rng: np.random.Generator, settings: Settings, n_users: tuple[int, int], looks: np.ndarray, repetitions: int
) -> list[Tally]:
    """Count claims of an effect where there is none.

    At the end; at any look, as if it were the only one; at any look, with confidence sequences.
    """
    once = replace(settings, peeking=False)
    counts = [tally(), tally(), tally()]
    for _ in range(repetitions):
        arms = [draw_arm(rng, n, {}) for n in n_users]
        contrasts = [contrasts_at(arms, end) for end in looks]
        naive = np.array([claims(at, once) for at in contrasts])
        always = np.array([claims(at, settings) for at in contrasts])
        for count, happened in zip(counts, (naive[-1], naive.any(axis=0), always.any(axis=0)), strict=True):
            count.add(happened.tolist())
    return counts


def calls_of_any_arm(
    rng: np.random.Generator, settings: Settings, n_users: int, looks: np.ndarray, repetitions: int
) -> float:
    """Return how often any of three arms that do nothing is called better or worse at any look."""
    called = 0
    for _ in range(repetitions):
        control, *others = [draw_arm(rng, n_users, {}) for _ in range(4)]
        for end in looks:
            contrasts = [contrasts_at([control, arm], end) for arm in others]
            if not any(claims(at, settings)[0] for at in contrasts):  # then none is, corrected
                continue
            effects = [
                effect_of(METRICS[0], "arm", at[0].control, at[0].treatment, settings, n_arms=3) for at in contrasts
            ]
            if any(effect.verdict in ("better", "worse") for effect in corrected(effects, settings)):
                called += 1
                break
    return called / repetitions


def as_if_independent(rng: np.random.Generator, settings: Settings, n_users: int, repetitions: int) -> Tally:
    """Count false positives at the end where each conversation is taken for a user of its own: what goes wrong."""
    once = replace(settings, peeking=False)
    count = tally()
    for _ in range(repetitions):
        arms = [draw_arm(rng, n_users, {}) for _ in range(2)]
        count.add(claims(contrasts_at([arm._replace(unit=np.arange(len(arm.unit))) for arm in arms], 1.0), once))
    return count


def stopping(rng: np.random.Generator, alpha: float, power: float, n_looks: int, repetitions: int) -> str:
    """Say when an experiment with the effect that it was planned for is found, looked at at even steps.

    Drawn as what every estimate is in the long run: a random walk in the information. 1 is the size for one look.
    """
    factor = peeking_factor(alpha, power)
    norm = statistics.NormalDist()
    drift = -norm.inv_cdf(alpha / 2) + norm.inv_cdf(power)
    steps = np.linspace(0, factor, n_looks + 1)[1:]
    walks = rng.normal(0, np.sqrt(steps[0]), (repetitions, n_looks)).cumsum(axis=1) + drift * steps
    found = walks / np.sqrt(steps) > [critical_value(alpha, drift**2 * step) for step in steps]
    ends = np.where(found.any(axis=1), steps[found.argmax(axis=1)], factor)
    shares = (
        f"found by 1: {found[:, steps <= 1].any(axis=1).mean():.3f}, by {factor:.2f}: {found.any(axis=1).mean():.3f}"
    )
    return f"planned effect, {n_looks} looks, power {power}: {shares}; mean end {ends.mean():.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--users", type=int, default=1000, help="in each arm")
    parser.add_argument("--looks", type=int, default=20)
    arguments = parser.parse_args()
    settings, n = Settings(METRICS), arguments.repetitions
    once = replace(settings, peeking=False)
    looks = np.linspace(0, 1, arguments.looks + 1)[1:]
    arms = {
        "equal arms": (arguments.users,) * 2,
        "arms of 90% and 10%": (int(1.8 * arguments.users), int(0.2 * arguments.users)),
    }
    print(f"{'':<74}{'nominal':>8}" + "".join(f"{name:>17}" for name in NAMES), flush=True)
    many = {"90% and 10%, five times as many": (9 * arguments.users, arguments.users)}
    for label, sizes in (arms | many).items():
        both = coverage(np.random.default_rng(2), once, sizes, np.array([1.0]), n)
        print(both[0].line(f"one look, {label}: interval holds the difference", "0.95"))
        print(both[1].line(f"one look, {label}: interval holds the ratio", "0.95"), flush=True)
    wrong = as_if_independent(np.random.default_rng(5), settings, arguments.users, n)
    print(wrong.line("no effect, one look, conversations taken for independent", "0.05"), flush=True)
    for label, sizes in arms.items():
        end, naive, always = false_positives(np.random.default_rng(3), settings, sizes, looks, n)
        print(end.line(f"no effect, one look, {label}: false positives", "0.05"))
        print(naive.line(f"no effect, {len(looks)} looks, {label}: uncorrected", "–"))
        print(always.line(f"no effect, {len(looks)} looks, {label}: sequence", "≤ 0.05"), flush=True)
    both = coverage(np.random.default_rng(4), settings, arms["equal arms"], looks, n)
    print(both[0].line(f"effects, {len(looks)} looks: all intervals hold the difference", "≥ 0.95"))
    print(both[1].line(f"effects, {len(looks)} looks: all intervals hold the ratio", "≥ 0.95"), flush=True)
    rate = calls_of_any_arm(np.random.default_rng(6), settings, arguments.users, looks, n)
    error = math.sqrt(max(rate * (1 - rate), 1 / n) / n)
    print(f"no effect, 3 arms, {len(looks)} looks: any called better or worse (≤ 0.05): {rate:.3f} ±{error:.3f}")
    print(stopping(np.random.default_rng(7), settings.alpha, 0.8, len(looks), 20_000))


if __name__ == "__main__":
    main()
