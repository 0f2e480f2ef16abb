"""What `headline_endings.py` writes of `docs/evidence.md`, and the replies in `docs/evidence_replies_endings.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pages
from endings_arms import ARMS, BASES, CONVERSATIONS, SEEDS, TURNS
from endings_summary import MEASURES, RESAMPLES, intervals, n_pairs, verdicts
from experiment import Run
from measured import of_arm
from real_world import MAX_NEW_TOKENS


SHOWN = 4
"""Conversations of each arm that are shown: 20 replies."""


def write_page(results: dict[str, Any], docs: Path) -> None:
    """Rewrite what lies between the markers of the page, and the whole page of replies."""
    runs, floor = results["runs"], results["conditions"]["floor"]
    tables = {
        "endings:conditions": condition_lines(results),
        **{f"endings:{base}": arm_lines(runs, base, floor) for base in BASES},
    }
    pages.rewrite(docs / "evidence.md", tables)
    replies = [line for base in BASES for line in reply_lines(runs, base)]
    head = [
        "# Replies of each arm, conversations",
        "",
        f"The first {SHOWN} conversations of {TURNS} turns of each arm of "
        "[evidence.md](evidence.md#replies-that-end-alike), seed 0, unselected. Written by "
        "`benchmarks/headline_endings.py`.",
        "",
    ]
    (docs / "evidence_replies_endings.md").write_text("\n".join([*head, *replies]) + "\n", encoding="utf-8")


def condition_lines(results: dict[str, Any]) -> list[str]:
    """Say under which conditions the numbers were made."""
    floor = results["conditions"]["floor"]
    pairs = SEEDS * CONVERSATIONS * (TURNS - 1)
    return pages.condition_lines(
        results,
        {
            "replies of an arm": f"{SEEDS} seeds × {CONVERSATIONS} conversations × turns 2 to {TURNS} = {pairs} "
            "replies with a history; messages held out, no two of a conversation of one category",
            "sampling": "temperature 1, or 0.7 with a penalty and for what was trained for diversity; no top-k or "
            f"top-p, at most {MAX_NEW_TOKENS} tokens",
            "ends alike": "the last sentence's similarity to that of any earlier reply is above 0.8: cosine of "
            "all-MiniLM-L6-v2; Jaccard similarity of words, tokenizer `mixed`",
            "fluency floor": f"{floor:.3f} nats a token: the 10th percentile of the composed replies",
            "intervals": f"95%, bootstrap over seeds, and conversations in each ({RESAMPLES} draws)",
        },
    )


def arm_lines(runs: Sequence[Run], base: str, floor: float) -> list[str]:
    """Give each arm's measures from one base, and what it lacks of the claim."""
    seen, judged = intervals(runs, floor), verdicts(runs, floor)
    rows = []
    for place, arm in enumerate(ARMS, 1):
        name = f"{base}: {arm}"
        if name in seen:
            numbers = " | ".join(str(seen[name][measure]) for measure in MEASURES)
            lacks = ", ".join(judged[name].lacks) or "**nothing: earned**"
            rows.append(f"| {place} {arm} | {n_pairs(runs, name)} | {numbers} | {lacks} |")
    return [f"| arm | replies | {' | '.join(MEASURES.values())} | lacks |", "|---" * (3 + len(MEASURES)) + "|", *rows]


def reply_lines(runs: Sequence[Run], base: str) -> list[str]:
    """Show the first conversations of each arm's first seed side by side."""
    kept = {arm: of_arm(runs, f"{base}: {arm}") for arm in ARMS}
    first = {arm: of[0] for arm, of in kept.items() if of}
    said = {arm: [reply for turns in run["replies"][:SHOWN] for reply in turns] for arm, run in first.items()}
    asked = [text for turns in next(iter(first.values()))["messages"][:SHOWN] for text in turns]
    return [f"## From the {base} base", "", *pages.side_by_side(asked, said, columns=4)]
