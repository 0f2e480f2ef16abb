"""`hfdiv eval`: how varied are the replies in a file?"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hfdiv.cli.interrupt import stopped_by_sigterm


if TYPE_CHECKING:
    from hfdiv.diversity.accumulator import Accumulator


def evaluate(
    file: Annotated[
        Path,
        typer.Argument(
            help="Replies as JSON Lines, Parquet, CSV, text or a folder of such files.", show_default=False
        ),
    ],
    tokenizer: Annotated[
        str,
        typer.Option(help='How texts are split: "mixed", "whitespace", "char", "13a", "jieba" or "hf:NAME_OR_PATH".'),
    ] = "mixed",
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
    measures: Annotated[
        str | None,
        typer.Option(
            help='Names with commas between them, or "all" that take linear time. Default: the standard ones.'
        ),
    ] = None,
    prompt_column: Annotated[str | None, typer.Option(help="Name of the column of prompts.")] = None,
    response_column: Annotated[str | None, typer.Option(help="Name of the column of replies.")] = None,
    num_proc: Annotated[int, typer.Option(min=1, help="Processes that measure. The numbers are the same.")] = 1,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Measure on this machine, or as a Ray Data job.")
    ] = "local",
    sketch: Annotated[
        bool,
        typer.Option("--sketch", help="Estimate distinct-n of the whole file instead of counting, in little memory."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write the scores to this file as JSON, whole or not at all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Measure how varied the replies in FILE are.

    A row holds `prompt` and one reply (`response`, `completion`, `text`) or a list of them (`responses`,
    `generations`, `completions`), as strings or chat messages. The file may be larger than memory.

    Example: `hfdiv eval replies.jsonl --tokenizer whitespace --json`
    """
    from hfdiv.data import DataError, stream, write_whole

    start = time.perf_counter()
    try:
        accumulator = _accumulator(measures, tokenizer, level, sketch)
        chunks = stream(file, prompt_column=prompt_column, response_column=response_column, where=where)
        with stopped_by_sigterm(), _progress(chunks.total_bytes) as progress:
            if engine == "ray":
                from hfdiv.engine.ray import measure_with_ray

                measure_with_ray(chunks, accumulator, progress)
            else:
                from hfdiv.engine.local import measure_chunks

                measure_chunks(chunks, accumulator, num_proc, progress)
            if accumulator.n_responses == 0:
                raise DataError(f"No reply in {file} has a true {where!r}: there is nothing to measure.")
            scores = accumulator.compute()
    except ValueError as error:  # of the file, or of the options, which the functions below check
        raise error if isinstance(error, DataError) else DataError(str(error)) from error
    text = json.dumps({name: score.to_dict() for name, score in scores.items()}, indent=2, allow_nan=False)
    if output is not None:
        write_whole(output, [text, "\n"])
    if as_json:
        print(text)
        return
    from rich.console import Console

    from hfdiv.cli.show import scores_table

    seconds = time.perf_counter() - start
    n = accumulator.n_responses
    rate = f"{n / seconds:,.0f} replies/s, {chunks.total_bytes / 1e6 / seconds:.1f} MB/s"
    console = Console()
    console.print(f"{n} replies to {accumulator.n_groups} prompts ({rate})", highlight=False)
    console.print(scores_table(scores))
    signature = next(iter(scores.values())).signature
    console.print(f"e.g. {signature}", style="dim", highlight=False, markup=False, soft_wrap=True)


def _accumulator(
    measures: str | None, tokenizer: str, level: Literal["corpus", "group"] | None, sketch: bool
) -> Accumulator:
    from hfdiv.diversity.accumulator import Accumulator, sketchable
    from hfdiv.diversity.suite import MEASURES, STANDARD

    names: tuple[str, ...] = STANDARD
    if measures is not None:
        linear = tuple(name for name, measure in MEASURES.items() if not measure.quadratic)
        names = linear if measures == "all" else tuple(name.strip() for name in measures.split(","))
    if sketch and measures in (None, "all"):
        names = sketchable(names)
    return Accumulator(names, tokenizer, level, sketch)


@contextlib.contextmanager
def _progress(total_bytes: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far the file is read, where there is a terminal to show it on."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("Reading", total=total_bytes or None)

        def show(bytes_read: int, n_responses: int) -> None:
            bars.update(bar, completed=bytes_read, description=f"{n_responses:,} replies")

        yield show
