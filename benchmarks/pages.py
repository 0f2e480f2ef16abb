"""Tables between the markers of a page of the docs, and replies side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any


def rewrite(page: Path, tables: Mapping[str, Sequence[str]]) -> None:
    """Rewrite what lies between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    for name, lines in tables.items():
        text = put(text, name, "\n".join(lines))
    page.write_text(text, encoding="utf-8")


def put(page: str, name: str, table: str) -> str:
    """Put a table between its two markers."""
    begin, end = f"<!-- {name} -->", f"<!-- {name} end -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"The page must have {begin!r} once and then {end!r} once.")
    return f"{page[: page.index(begin) + len(begin)]}\n{table}\n{page[page.index(end) :]}"


def condition_lines(results: Mapping[str, Any], rows: Mapping[str, str]) -> list[str]:
    """Return a table of conditions: those given, then versions, machine and time."""
    known = results["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in known["same"].items() if name != "models")
    minutes = sum(run["seconds"]["all"] for run in results["runs"]) / 60
    gpu = f"{known['gpu']}, " if known.get("gpu") else ""
    machine = f"{gpu}{known['cpu']}, {known['cores']} cores; one thread a run, all runs together {minutes:.0f} minutes"
    said = {**rows, "versions": versions, "machine": machine}
    return ["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in said.items())]


def side_by_side(asked: Sequence[str], said: Mapping[str, Sequence[str]], columns: int = 5) -> list[str]:
    """Return tables with what each arm replied to each prompt, some arms a table."""
    lines = []
    arms = iter(said)
    while some := list(islice(arms, columns)):
        lines += [f"| prompt | {' | '.join(some)} |", "|---" * (len(some) + 1) + "|"]
        for place, prompt in enumerate(asked):
            lines.append(f"| {cell(prompt)} | {' | '.join(cell(said[arm][place]) for arm in some)} |")
        lines.append("")
    return lines


def cell(text: str) -> str:
    """Return a text as it stands in a table."""
    return text.replace("|", "\\|").replace("\n", " ⏎ ")
