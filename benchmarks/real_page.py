"""What `headline_real.py` writes of `docs/evidence.md`, and the replies in `docs/evidence_replies_real.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pages
from experiment import Run
from measured import Interval, of_arm
from real_arms import ARMS, CHOOSING, at
from real_summary import HALF, MEASURES, RESAMPLES, choosing, chosen, intervals, verdicts
from real_training import DPO, LEARNING_RATE, PAIRED_MESSAGES, PAIRED_REPLIES
from real_world import GROUP, HELD_OUT, MAX_NEW_TOKENS, held_out

from hfdiv.demo.texts import load_scenario


SHOWN = 20


def write_page(results: dict[str, Any], composed: Mapping[str, Interval], docs: Path) -> None:
    """Rewrite what lies between the markers of the page, and the whole page of replies."""
    runs, known = results["runs"], results["conditions"]
    tables = {
        "real:conditions": condition_lines(results),
        "real:choosing": choosing_lines(runs, known["training_floor"]),
        "real:arms": arm_lines(runs, composed, known["floor"]),
    }
    pages.rewrite(docs / "evidence.md", tables)
    replies = reply_lines(runs, known["composed"]["replies"])
    (docs / "evidence_replies_real.md").write_text("\n".join(replies) + "\n", encoding="utf-8")


def condition_lines(results: dict[str, Any]) -> list[str]:
    """Say under which conditions the numbers were made."""
    known = results["conditions"]
    otherwise = "if the arm says nothing else"
    return pages.condition_lines(
        results,
        {
            "replies of a run": f"{HELD_OUT} held-out messages × {GROUP} = {HELD_OUT * GROUP}, the cut-off ones too",
            "sampling": f"temperature 1 {otherwise}, no top-k or top-p, at most {MAX_NEW_TOKENS} tokens",
            "GRPO": f"a step is one message × {GROUP} replies {otherwise}; LoRA of rank 16 on all linear layers, "
            f"learning rate {LEARNING_RATE:g} {otherwise}, held constant, β 0; temperature 1",
            "DPO": f"the base's own replies, {PAIRED_REPLIES} to each of {PAIRED_MESSAGES} training messages; "
            f"{DPO['steps']} steps of {DPO['batch_size']} pairs, β 0.1, the same LoRA and learning rate",
            "Distinct-2": f"tokenizer `mixed`; of {HALF * GROUP} replies: {HALF} messages pooled, mean of both "
            f"halves; in a group: the {GROUP} replies to a message, mean",
            "fluency floor": f"{known['floor']:.3f} nats a token: the 10th percentile of the composed replies",
            "in training": f"floor {known['training_floor']:.3f}, gate {known['training_gate']:.3f}: the 10th "
            "percentiles of 100 composed replies to training messages",
            "intervals": f"95%, bootstrap over messages and, where there are several, seeds ({RESAMPLES} draws)",
        },
    )


def arm_lines(runs: Sequence[Run], composed: Mapping[str, Interval], floor: float) -> list[str]:
    """Give each arm's measures, and what it lacks of the claim."""
    judged = verdicts(runs, floor)
    rows = []
    for place, (arm, of) in enumerate(intervals(runs, floor).items(), 1):
        lacks = ", ".join(judged[arm].lacks) or "**nothing: earned**"
        rows.append(f"| {place} {arm} | {ARMS[arm]} | {len(of_arm(runs, arm))} | {numbers(of)} | {lacks} |")
    head = f"| arm | what it is | seeds | {' | '.join(MEASURES.values())} | lacks |"
    good = f"| composed replies | | | {numbers(composed)} | |"
    return [head, "|---" * (4 + len(MEASURES)) + "|", *rows, good]


def choosing_lines(runs: Sequence[Run], training_floor: float) -> list[str]:
    """Give the measures on training messages that the temperature of the claim was chosen by."""
    names = ("pooled", "above", "finished", "astray")
    taken = chosen(runs, training_floor)
    rows = []
    for temperature, of in choosing(runs, training_floor).items():
        said = f"**{temperature:g}**, chosen" if at(temperature) == taken else f"{temperature:g}"
        rows.append(f"| {said} | {' | '.join(f'{of[name]:.3f}' for name in names)} |")
    return [f"| temperature | {' | '.join(MEASURES[name] for name in names)} |", "|---" * 5 + "|", *rows]


def numbers(of: Mapping[str, Interval]) -> str:
    """Write the measures of an arm as the cells of a row."""
    return " | ".join(str(of[name]) for name in MEASURES)


def reply_lines(runs: Sequence[Run], composed: Sequence[Sequence[str]]) -> list[str]:
    """Show the first replies of each arm's first seed side by side."""
    kept = {arm: of_arm(runs, arm) for arm in ARMS if arm not in CHOOSING}
    said = {arm: [reply for group in of[0]["replies"] for reply in group][:SHOWN] for arm, of in kept.items() if of}
    asked = [message.text for message in held_out(load_scenario()) for _ in range(GROUP)][:SHOWN]
    said["composed"] = [reply for group in composed for reply in group][:SHOWN]
    return [
        "# Replies of each arm, real text",
        "",
        f"The first {SHOWN} replies to held-out messages of each arm of "
        "[evidence.md](evidence.md#where-text-is-real), seed 0, unselected. They come in groups of "
        f"{GROUP}, each to one message. Written by `benchmarks/headline_real.py`.",
        "",
        *pages.side_by_side(asked, said),
    ]
