"""What the runs of `headline_exact.py` come to: each arm's numbers with intervals, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from exact_run import ARMS, CONTROL, NO_QUALITY, TARGETS
from experiment import Run
from measured import Interval, of_arm


WINDOW, HOLD = 40, 80
"""Steps of a mean, and steps for which it must go on to hold."""
TOLERANCE = 0.02
NEEDED = 4
"""Seeds of five that must hold."""


def moving_mean(values: Sequence[float], width: int = WINDOW) -> np.ndarray:
    """Return the means over `width` successive steps."""
    return np.convolve(values, np.ones(width) / width, mode="valid")


def measures(run: Run) -> dict[str, float]:
    """Return the four numbers of a run: over its last 80 steps, and on held-out topics."""
    return {
        "distinct": float(np.mean(run["distinct"][-HOLD:])),
        "valid": float(np.mean(run["valid"][-HOLD:])),
        "held_out_distinct": run["held_out_distinct"],
        "held_out_valid": run["held_out_valid"],
    }


def intervals(runs: Sequence[Run], arm: str) -> dict[str, Interval]:
    """Return an arm's four numbers over its seeds."""
    seen = [measures(run) for run in of_arm(runs, arm)]
    return {name: Interval.of([one[name] for one in seen]) for name in seen[0]}


def held_from(run: Run, target: float) -> int | None:
    """Return the step at the end of the first 40 whose mean is at the target and stays there for 80 more, or None."""
    near = np.abs(moving_mean(run["distinct"]) - target) <= TOLERANCE
    starts = (start for start in range(len(near) - HOLD) if near[start : start + HOLD + 1].all())
    first = next(starts, None)
    return None if first is None else first + WINDOW


def late_error(run: Run, target: float) -> float:
    """Return the largest distance of a 40-step mean from the target over the last 120 steps."""
    return float(np.abs(moving_mean(run["distinct"])[-HOLD - 1 :] - target).max())


@dataclass(frozen=True)
class Verdict:
    """One claim, whether it was met, and what was seen."""

    claim: str
    met: bool
    seen: str


def verdicts(runs: Sequence[Run]) -> list[Verdict]:
    """Judge every claim of the experiment."""
    control = intervals(runs, CONTROL)
    judged = []
    for arm, target in TARGETS.items():
        held = [held_from(run, target) is not None for run in of_arm(runs, arm)]
        judged.append(
            Verdict(
                f"{arm}: a 40-step mean within ± {TOLERANCE} and for {HOLD} more, in {NEEDED} of 5 seeds",
                sum(held) >= NEEDED,
                f"{sum(held)} of {len(held)}",
            )
        )
        judged += [_kept(arm, name, intervals(runs, arm)[name], control[name]) for name in ("valid", "held_out_valid")]
    lost = intervals(runs, NO_QUALITY)["valid"]
    judged.append(Verdict("no quality: validity is lost (below 0.5)", lost.mean < 0.5, f"{lost.mean:.3f}"))
    return judged


def _kept(arm: str, name: str, of_the_arm: Interval, control: Interval) -> Verdict:
    where = "in training, last 80 steps" if name == "valid" else "on held-out topics"
    return Verdict(
        f"{arm}: mean validity not below the interval of quality only ({where})",
        of_the_arm.mean >= control.low,
        f"{of_the_arm.mean:.3f} against {control}",
    )


def arguments(arm: str) -> str:
    """Return an arm's arguments as a user writes them."""
    return ", ".join(f"`{name}={value!r}`" for name, value in ARMS[arm].items())
