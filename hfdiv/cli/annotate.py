"""`hfdiv annotate`: replies out to people, their answers back in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


annotate = typer.Typer(
    name="annotate",
    help="Have people judge replies: blind tasks for Label Studio, spreadsheets or a browser out, answers in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@annotate.command("export")
def export_tasks(
    files: Annotated[list[Path], typer.Argument(help="Replies; for pairs, one file or two.", show_default=False)],
    output_dir: Annotated[Path, typer.Option(help="Folder for the tasks and the key.", show_default=False)],
    kind: Annotated[
        Literal["pairwise", "rating"], typer.Option(help="Which of two is better, or how good is one?")
    ] = "pairwise",
    per_prompt: Annotated[
        int | None,
        typer.Option(
            min=1, help="Pairs, or replies of each file, drawn for a prompt. Default: one pair, all replies."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Keep so many tasks.")] = None,
    question: Annotated[str | None, typer.Option(help="What to ask.", show_default=False)] = None,
    scale: Annotated[int, typer.Option(min=2, max=9, help="Ratings are 1 to so many.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the draws, the sides and the order.")] = 0,
    prompt_column: Annotated[str | None, typer.Option(help="Name of the column of prompts.")] = None,
    response_column: Annotated[str | None, typer.Option(help="Name of the column of replies.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the key of another export.")] = False,
) -> None:
    """Make blind, shuffled tasks of the replies in FILES.

    Give `annotate.html`, `tasks.csv` or `tasks.json` (Label Studio, with `labeling.xml`) to people, and keep
    `key.json`, which says whose reply is whose.

    Example: `hfdiv annotate export before.jsonl after.jsonl --output-dir tasks`
    """
    from hfdiv.data import DataError, read_records
    from hfdiv.data.annotation import pairwise_tasks, rating_tasks, write_tasks

    if kind == "pairwise" and len(files) > 2:
        raise DataError(f"Pairs are made within one file or between two, got {len(files)}.")
    records = [read_records(file, prompt_column=prompt_column, response_column=response_column) for file in files]
    options: dict[str, Any] = {"limit": limit, "question": question, "seed": seed}
    names = _names(files)
    if kind == "pairwise":
        tasks = pairwise_tasks(records, names, per_prompt=per_prompt or 1, **options)
    else:
        tasks = rating_tasks(records, names, per_prompt=per_prompt, scale=scale, **options)
    paths = write_tasks(tasks, output_dir, overwrite=overwrite)
    print(f"{len(tasks.tasks)} tasks: {paths['page']}, {paths['csv']}, {paths['label_studio']}")
    print(f"Keep the key to yourself: {paths['key']}")


@annotate.command("import")
def import_answers(
    key: Annotated[Path, typer.Argument(help="`key.json` of the export.", show_default=False)],
    answers: Annotated[
        list[Path],
        typer.Argument(help="Files of answers: from the page, CSV, or Label Studio's JSON.", show_default=False),
    ],
    output_dir: Annotated[Path, typer.Option(help="Folder for the rows and `agreement.json`.", show_default=False)],
    on_conflict: Annotated[
        Literal["error", "last"],
        typer.Option(help="What to do where one annotator answers a task twice, differently."),
    ] = "error",
    automatic: Annotated[
        str | None,
        typer.Option(
            help="Column of the replies, higher = better, to combine with the answers in `hybrid.jsonl`.",
            show_default=False,
        ),
    ] = None,
    human_weight: Annotated[
        float, typer.Option(min=0, max=1, help="Weight of people beside `--automatic`, where any looked.")
    ] = 0.7,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Read answers back, and say how far people agree.

    Writes `preferences.jsonl` (or `ratings.jsonl`), a row for each answer, and `agreement.json`.

    Example: `hfdiv annotate import tasks/key.json answers-*.json --output-dir judged`
    """
    from hfdiv.data import DataError, write_whole
    from hfdiv.data.annotation import hybrid_rows, read_answers, read_key, summarise, unblind

    tasks = read_key(key)
    rows = unblind(tasks, [answer for path in answers for answer in read_answers(path, tasks)], on_conflict)
    if not rows:
        raise DataError("The files hold no answer yet.")
    outputs = {f"{'preferences' if tasks.kind == 'pairwise' else 'ratings'}.jsonl": _lines(rows)}
    if automatic is not None:
        outputs["hybrid.jsonl"] = _lines(hybrid_rows(tasks, rows, automatic, human_weight=human_weight))
    summary = summarise(tasks, rows, seed=seed)
    if automatic is not None:
        summary["hybrid"] = {"automatic": automatic, "human_weight": human_weight}
    text = json.dumps(summary, ensure_ascii=False, indent=2, allow_nan=False)
    output_dir.mkdir(parents=True, exist_ok=True)
    for name, lines in {**outputs, "agreement.json": [text, "\n"]}.items():
        write_whole(output_dir / name, lines)
    print(text)


def _names(files: list[Path]) -> list[str]:
    """Return short names that still tell the files apart."""
    names = [file.name for file in files]
    return names if len(set(names)) == len(names) else [str(file) for file in files]


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
