"""The tables of `docs/evidence.md`, and the replies in `docs/evidence_replies.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pages
import tiny_grammar as grammar
from exact_run import ARMS, CONTROL, GROUP, HELD_OUT_ROUNDS, LEARNING_RATE, PROMPTS, SHOWN, TARGETS
from exact_summary import (
    HOLD,
    WINDOW,
    arguments,
    held_from,
    intervals,
    late_error,
    measures,
    moving_mean,
    verdicts,
)
from experiment import Run
from measured import of_arm


def write_page(results: dict[str, Any], docs: Path) -> None:
    """Rewrite what lies between the markers of the page, and the whole page of replies."""
    runs = results["runs"]
    pages.rewrite(
        docs / "evidence.md",
        {
            "exact:conditions": condition_lines(results),
            "exact:verdicts": verdict_lines(runs),
            "exact:arms": arm_lines(runs),
            "exact:targets": target_lines(runs),
        },
    )
    (docs / "evidence_replies.md").write_text("\n".join(reply_lines(runs)) + "\n", encoding="utf-8")


def condition_lines(results: dict[str, Any]) -> list[str]:
    """Say under which conditions the numbers were made."""
    known = results["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in known["same"].items() if name != "base")
    steps = sorted({len(run["distinct"]) for run in results["runs"]})
    seconds = np.median([run["seconds_per_step"] for run in results["runs"]])
    prompts = len(grammar.prompts(grammar.HELD_OUT_TOPICS))
    return [
        "| what | value |",
        "|---|---|",
        f"| a step | {PROMPTS} prompts × {GROUP} replies; {' or '.join(map(str, steps))} steps a run; learning rate "
        f"{LEARNING_RATE:g}, held constant; all weights are trained |",
        f"| sampling | temperature 1, no top-k or top-p, at most {grammar.MAX_TOKENS} tokens (one token a word), "
        "in training and on held-out topics |",
        "| Distinct-2 | mean over groups of 8, all their replies, valid or not; tokenizer `mixed` |",
        f"| numbers in training | mean over the last {HOLD} steps of a run: {HOLD * PROMPTS * GROUP} replies in "
        f"{HOLD * PROMPTS} groups |",
        f"| numbers on held-out topics | {prompts} prompts × {HELD_OUT_ROUNDS} groups × {GROUP} replies a run: "
        f"{prompts * HELD_OUT_ROUNDS * GROUP} replies |",
        "| intervals | 95%, Student's t over training seeds |",
        f"| versions | {versions} |",
        f"| machine | {known['cpu']}, {known['cores']} cores, one thread a run; a step took "
        f"{seconds:.2f} s (median over runs, other work beside it) |",
    ]


def verdict_lines(runs: Sequence[Run]) -> list[str]:
    """Say what was earned and what was not."""
    rows = [f"| {one.claim} | {one.seen} | {'yes' if one.met else '**no**'} |" for one in verdicts(runs)]
    return ["| claim | seen | earned |", "|---|---|---|", *rows]


def arm_lines(runs: Sequence[Run]) -> list[str]:
    """Give each arm's four numbers."""
    head = "| arm | arguments | seeds | Distinct-2, training | valid, training | held out: Distinct-2 | valid |"
    rows = []
    for arm in ARMS:
        seen = intervals(runs, arm).values()
        rows.append(f"| {arm} | {arguments(arm)} | {len(of_arm(runs, arm))} | {' | '.join(map(str, seen))} |")
    return [head, "|---|---|---|---|---|---|---|", *rows]


def target_lines(runs: Sequence[Run]) -> list[str]:
    """Give each seed of the targets."""
    head = (
        f"| target | seed | holds from step | largest error of a {WINDOW}-step mean, last {WINDOW + HOLD} steps | "
        f"{WINDOW}-step means at the end of step 80, 120, … | highest 5-step mean | valid, training | held out: "
        "Distinct-2 | valid |"
    )
    rows = []
    for arm, target in TARGETS.items():
        for run in of_arm(runs, arm):
            means = moving_mean(run["distinct"])[WINDOW::WINDOW]
            seen = measures(run)
            rows.append(
                f"| {target:.2f} | {run['seed']} | {held_from(run, target) or '**does not**'} | "
                f"{late_error(run, target):.3f} | {', '.join(f'{mean:.3f}' for mean in means)} | "
                f"{moving_mean(run['distinct'], 5).max():.3f} | {seen['valid']:.3f} | "
                f"{seen['held_out_distinct']:.3f} | {seen['held_out_valid']:.3f} |"
            )
    return [head, "|---|---|---|---|---|---|---|---|---|", *rows]


def reply_lines(runs: Sequence[Run]) -> list[str]:
    """Show the first replies of each arm's first seed side by side."""
    lines = [
        "# Replies of each arm",
        "",
        f"The first {SHOWN} replies to held-out topics of each arm of [evidence.md](evidence.md), seed 0, unselected. "
        f"They come in groups of {GROUP}, each to one prompt. ✗ stands before a reply that the parser refuses. "
        "Written by `benchmarks/headline_exact.py`.",
        "",
    ]
    shown = {arm: of_arm(runs, arm)[0]["replies"] for arm in ARMS}
    said = {arm: [("" if valid else "✗ ") + reply for _, reply, valid in replies] for arm, replies in shown.items()}
    lines += pages.side_by_side([prompt for prompt, _, _ in shown[CONTROL]], said)
    return [*lines, "What the valid ones among them are made of:", "", *part_lines(shown)]


def part_lines(shown: dict[str, list[Any]]) -> list[str]:
    """Count the different openers, bodies and closers of each arm's valid replies."""
    lines = [
        f"| arm | valid of {SHOWN} | openers of {len(grammar.OPENERS)} | bodies of {len(grammar.BODIES)} | closers of "
        f"{len(grammar.CLOSERS)} |",
        "|---|---|---|---|---|",
    ]
    for arm, replies in shown.items():
        said = [grammar.parts(reply) for _, reply, valid in replies if valid]
        kinds = [len(set(kind)) for kind in zip(*said, strict=True)] or [0, 0, 0]
        lines.append(f"| {arm} | {len(said)} | {' | '.join(map(str, kinds))} |")
    return lines
