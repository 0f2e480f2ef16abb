"""Ship, do not ship, or keep running: and exactly why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from hfdiv.ab.effect import FEWEST_UNITS, Effect
from hfdiv.ab.settings import Settings
from hfdiv.ab.srm import RatioCheck
from hfdiv.report.significance import Estimate


Action: TypeAlias = Literal["ship", "do not ship", "keep running"]
"""What to do with an arm."""


@dataclass(frozen=True)
class Decision:
    """What to do with an arm.

    Attributes:
        arm (`str`): The arm.
        action (`str`): What to do.
        reasons (`list[str]`): Why, a sentence each.
    """

    arm: str
    action: Action
    reasons: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return dict(vars(self))


def decide(arm: str, effects: Sequence[Effect], settings: Settings, ratio: RatioCheck) -> Decision:
    """Decide about an arm.

    In this order: broken sizes stop everything; a guardrail that fails, or a primary metric that got worse, means not
    to ship; a primary metric that got better means to ship if all guardrails pass. What is undecided goes on, unless
    this was the only look, the planned size is reached, or an effect worth having is ruled out.

    Args:
        arm: The arm.
        effects: Its effects.
        settings: What was said before the experiment.
        ratio: The check of the arms' sizes.
    """
    (primary,) = (effect for effect in effects if effect.metric.role == "primary")
    guards = [effect for effect in effects if effect.guard is not None]
    if ratio.is_mismatch:
        return Decision(arm, "do not ship", [_mismatch(ratio)])
    failed = [f"The guardrail {_guard_text(guard)}." for guard in guards if guard.guard == "fail"]
    if failed:
        return Decision(arm, "do not ship", failed)
    said = _primary_text(primary, settings)
    if primary.verdict == "worse":
        return Decision(arm, "do not ship", [f"The primary metric got worse: {said}."])
    if primary.verdict == "better":
        return _better(arm, said, guards, settings)
    return _unclear(arm, said, primary, settings)


def _better(arm: str, said: str, guards: Sequence[Effect], settings: Settings) -> Decision:
    reasons = [f"The primary metric got better: {said}."]
    open_guards = [guard for guard in guards if guard.guard != "pass"]
    reasons += [f"The guardrail {_guard_text(guard)}." for guard in guards]
    if not open_guards:
        return Decision(arm, "ship", reasons)
    if settings.peeking:
        return Decision(arm, "keep running", [*reasons, "What is undecided may be worse by more than its margin."])
    return Decision(arm, "do not ship", [*reasons, "This was the only look, and harm is not ruled out."])


def _unclear(arm: str, said: str, primary: Effect, settings: Settings) -> Decision:
    reasons = [f"The primary metric shows no clear change: {said}."]
    if primary.verdict == "undefined":
        reasons = [f"The primary metric cannot be tested: {said}."]
    elif primary.verdict != "no clear change":
        reasons = [f"An arm has fewer than {FEWEST_UNITS} units, on which nothing is decided: {said}."]
    elif _best(primary) < settings.effect:
        return Decision(arm, "do not ship", [*reasons, f"A gain of {_percent(settings.effect)} or more is ruled out."])
    planned = settings.planned_units
    if not settings.peeking:
        return Decision(arm, "do not ship", [*reasons, "This was the only look: no gain is shown."])
    if planned is not None and primary.n_units >= planned:
        reached = f"The planned {planned:,} units an arm are there, and no gain is shown."
        return Decision(arm, "do not ship", [*reasons, reached])
    progress = "" if planned is None else f" {primary.n_units:,} of the planned {planned:,} units are there."
    return Decision(arm, "keep running", [*reasons, f"Both a gain and a loss are still possible.{progress}"])


def _best(effect: Effect) -> float:
    """Return the greatest relative gain that the interval allows."""
    interval = effect.relative
    if math.isnan(interval.low):
        return math.inf
    return interval.high if effect.metric.higher_is_better else -interval.low


def _primary_text(effect: Effect, settings: Settings) -> str:
    """`abandoned 0.24 against 0.31, −22.6% [−30.1%, −14.2%], p 0.0004`."""
    p = "" if math.isnan(effect.adjusted_p) else f", p {effect.adjusted_p:.2g}"
    corrected = " after correction" if p and effect.adjusted_p != effect.p else ""
    once = "" if settings.peeking or not p else " at one look"
    return f"{effect.metric.name} {_change_text(effect)}{p}{corrected}{once}"


def _guard_text(effect: Effect) -> str:
    words = {"pass": "passes", "fail": "fails", "undecided": "is undecided"}
    margin = effect.metric.margin
    way = "lose" if effect.metric.higher_is_better else "gain"
    return (
        f"{effect.metric.name} {words[str(effect.guard)]}: {_change_text(effect)}, where it may {way} up to {margin}"
    )


def _change_text(effect: Effect) -> str:
    values = f"{effect.treatment.value:.4g} against {effect.control.value:.4g}"
    if effect.metric.margin is not None and not effect.metric.margin.is_relative:
        return f"{values}, {_interval(effect.difference, '{:+.3g}')}"
    if math.isnan(effect.relative.low):
        return f"{values}, a difference of {_interval(effect.difference, '{:+.3g}')}"
    return f"{values}, {_interval(effect.relative, '{:+.1%}')}"


def _interval(estimate: Estimate, style: str) -> str:
    ends = "" if math.isnan(estimate.low) else f" [{style.format(estimate.low)}, {style.format(estimate.high)}]"
    return f"{style.format(estimate.value)}{ends}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


def _mismatch(ratio: RatioCheck) -> str:
    sizes = ", ".join(f"{units:,}" for units in ratio.units)
    expected = ", ".join(f"{units:,.0f}" for units in ratio.expected)
    return (
        f"The arms have {sizes} units where {expected} are expected, which is not chance (p {ratio.p:.2g}): the "
        "assignment or the log is broken, and no number here can be trusted until that is found."
    )
