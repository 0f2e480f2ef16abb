"""The pictures of `headline_real.py`: Distinct-2 against the measures of quality, every arm a point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measured import Interval
from real_arms import ARMS, BASE, CONTROL, MAIN, at
from real_summary import ASKED_ABOVE, ASKED_DISTINCT


COMPOSED = "composed"
NAMED = {
    BASE: "",
    CONTROL: "",
    MAIN: "GRPO with a target",
    at(0.7): "the same, drawn at 0.7",
    at(0.6): "drawn at 0.6",
    "DivPO": "base, quality only, DivPO",
    "T 1.3": "base at 1.3",
    "T 1.6": "base at 1.6",
    "in turn": "base, penalty on the replies before",
    "before the collapse": "before the collapse",
}
"""Arms of the main picture, and their names there; three lie in one place, and share a name."""
# Okabe and Ito's palette, which every kind of colour vision tells apart; the markers differ too.
FAMILIES = {
    "base": ("#555555", "o", "the monotone base, and GRPO for quality only"),
    "target": ("#0072B2", "D", "GRPO with a target"),
    "grpo": ("#009E73", "s", "GRPO with a fixed weight"),
    "varied": ("#8A5BD6", "P", "the model before its collapse"),
    "dpo": ("#CC79A7", "^", "DPO"),
    "decoding": ("#E69F00", "v", "decoding alone"),
    COMPOSED: ("#D55E00", "*", "composed replies: the yardstick"),
}
QUALITY = {
    "above": "share of replies above the composed 10th percentile",
    "relevance": "relevance (cosine to the message)",
    "logprob": "log-probability, nats a token",
    "astray": "share of replies about another matter",
}
ASKED = {"above": ASKED_ABOVE}


def family(arm: str) -> str:
    """Return the family that an arm is drawn as."""
    known = ARMS[arm]
    if "diversity_target" in known.training:
        return "target"
    if known.training.get("diversity_weight") == 0 or (known.kind == "base" and not known.decoding):
        return "base"
    return "decoding" if known.kind == "base" else known.kind


def draw(seen: Mapping[str, Mapping[str, Interval]], composed: Mapping[str, Interval], path: Path) -> None:
    """Draw the four panels, and the arms' names by number."""
    figure = Figure(figsize=(14, 10.5), layout="constrained")
    numbers = {arm: str(place) for place, arm in enumerate(seen, 1)}
    for axes, measure in zip(figure.subplots(2, 2).flat, QUALITY, strict=True):
        panel(axes, seen, composed, measure, numbers)
    handles, labels = axes.get_legend_handles_labels()
    named = [f"{place} {arm}" for arm, place in numbers.items()]
    rows = ["   ".join(named[start : start + 9]) for start in range(0, len(named), 9)]
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=9, frameon=False)
    figure.supxlabel("\n".join(rows), fontsize=8.5)
    figure.savefig(path, dpi=130)


def draw_main(seen: Mapping[str, Mapping[str, Interval]], composed: Mapping[str, Interval], path: Path) -> None:
    """Draw the first panel alone, with the arms that say most, by name."""
    figure = Figure(figsize=(8.5, 5), layout="constrained")
    axes = figure.subplots()
    panel(axes, {arm: seen[arm] for arm in NAMED}, composed, "above", NAMED)
    axes.legend(loc="lower left", fontsize=8, frameon=False)
    figure.savefig(path, dpi=130)


def panel(
    axes: Axes,
    seen: Mapping[str, Mapping[str, Interval]],
    composed: Mapping[str, Interval],
    measure: str,
    names: Mapping[str, str],
) -> None:
    """Draw one panel, each point beside its name; what was asked for is shaded."""
    drawn = set()
    for arm, of in [*seen.items(), (COMPOSED, composed)]:
        kind = COMPOSED if arm == COMPOSED else family(arm)
        color, marker, label = FAMILIES[kind]
        x, y = of["pooled"], of[measure]
        axes.errorbar(
            x.mean, y.mean, xerr=x.bars, yerr=y.bars, fmt=marker, color=color, elinewidth=0.6, alpha=0.85,
            markersize=13 if kind == COMPOSED else 7, markeredgecolor="white", markeredgewidth=0.6,
            label=None if kind in drawn else label,
        )  # fmt: skip
        drawn.add(kind)
        if names.get(arm):
            place = (x.mean, y.mean)
            axes.annotate(names[arm], place, (4, 4), textcoords="offset points", fontsize=8, color=color)
    bottom, top = axes.get_ylim()
    least = ASKED.get(measure, seen[CONTROL]["relevance"].low if measure == "relevance" else None)
    if least is not None:
        axes.fill_between([ASKED_DISTINCT, 1], least, max(top, 1.5), color="#009E73", alpha=0.1, linewidth=0)
    axes.set_ylim(bottom, min(top, 1.02))
    axes.set_xlim(0, 0.9)
    axes.set_xlabel("Distinct-2 of 64 replies · more varied →", fontsize=9)
    axes.set_ylabel(QUALITY[measure], fontsize=9)
    axes.grid(alpha=0.25)
