"""`hfdiv eval`: how varied are the replies in a file?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def evaluate(
    file: Annotated[Path, typer.Argument(help="Replies as JSON Lines or Parquet.", show_default=False)],
    tokenizer: Annotated[Literal["mixed", "whitespace"], typer.Option(help="How texts are split.")] = "mixed",
    level: Annotated[
        Literal["corpus", "group"] | None,
        typer.Option(
            help="Pool all replies, or measure those to each prompt and average. Default: by prompt, where there are "
            "prompts.",
            show_default=False,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Count only replies whose column of this name is true, such as `finished`."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Measure how varied the replies in FILE are.

    A row holds `prompt` and one reply (`response`, `completion`, `text`) or a list of them (`responses`,
    `generations`, `completions`), as strings or chat messages.

    Example: `hfdiv eval replies.jsonl --tokenizer whitespace --json`
    """
    from rich.console import Console

    from hfdiv.cli.show import scores_table
    from hfdiv.data import DataError, read_records
    from hfdiv.diversity import measure

    records = read_records(file)
    if where is not None:
        records = records.where(where)
        if records.n_responses == 0:
            raise DataError(f"No reply in {file} has a true {where!r}: there is nothing to measure.")
    with Console(stderr=True).status(f"Measuring {records.n_responses} replies"):
        scores = measure(records.texts, tokenizer=tokenizer, level=level)
    if as_json:
        print(json.dumps({name: score.to_dict() for name, score in scores.items()}, indent=2, allow_nan=False))
        return
    console = Console()
    console.print(f"{records.n_responses} replies to {len(records.prompts)} prompts", highlight=False)
    console.print(scores_table(scores))
    console.print(f"e.g. {scores['distinct_2'].signature}", style="dim", highlight=False, markup=False)
