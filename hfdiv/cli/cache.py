"""`hfdiv cache`: a response cache from the command line: filled, looked into, written out, cleared."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hfdiv.cli.interrupt import stopped_by_sigterm


if TYPE_CHECKING:
    from hfdiv.data.cache import CacheStats, Entry
    from hfdiv.data.cache.database import Database

cache = typer.Typer(
    name="cache",
    help="A response cache: fill it from a file of replies, look into it, write it out, clear it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_File = Annotated[Path, typer.Argument(help="The cache.", metavar="CACHE", show_default=False)]
_Some = Annotated[str | None, typer.Option(help="One namespace: a name, or a JSON object. Default: all.")]


@cache.command()
def warm(
    file: _File,
    replies: Annotated[
        list[Path],
        typer.Argument(help="Prompts and replies: JSON Lines, CSV, TSV, Parquet, or folders.", metavar="REPLIES..."),
    ],
    namespace: Annotated[
        str,
        typer.Option(help="The model and its settings: a name, or a JSON object as the server has it."),
    ],
    k: Annotated[int, typer.Option(help="Different answers kept for a prompt.")] = 5,
    max_similarity: Annotated[
        float, typer.Option(help="Of two answers at least so alike, only the better is kept.")
    ] = 0.5,
    encoder: Annotated[
        str | None, typer.Option(help="Compare answers by a sentence-transformers model instead of shared bigrams.")
    ] = None,
    ttl: Annotated[float | None, typer.Option(help="Seconds that answers live. Default: forever.")] = None,
    quality_column: Annotated[str | None, typer.Option(help="Column of numbers, higher = better.")] = None,
    min_quality: Annotated[float | None, typer.Option(help="Leave out answers of a lower quality.")] = None,
    where: Annotated[
        str | None, typer.Option(help="Only replies whose column of this name is true, such as `finished`.")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Count rows that cannot be read, and go on.")] = False,
    prompt_column: Annotated[str | None, typer.Option(help="Name of the column of prompts.")] = None,
    response_column: Annotated[str | None, typer.Option(help="Name of the column of replies.")] = None,
) -> None:
    """Offer the replies in files to CACHE, which keeps the good ones that differ. It is made where there is none.

    Example: `hfdiv cache warm answers.db out/replies.jsonl --namespace smollm2 --where finished`
    """
    from hfdiv.data.cache import CacheConfig, ResponseCache
    from hfdiv.data.cache.warm import warm as warm_cache
    from hfdiv.similarity import EmbeddingSimilarity, load_encoder

    with _bad_input(), stopped_by_sigterm():
        config = CacheConfig(k=k, max_similarity=max_similarity, ttl=ttl, min_quality=min_quality)
        similarity = None if encoder is None else EmbeddingSimilarity(load_encoder(encoder), encoder)
        with ResponseCache(file, _namespace(namespace), config, similarity=similarity) as opened, _progress() as show:
            outcomes = warm_cache(
                opened,
                replies,
                quality_column=quality_column,
                where=where,
                skip_bad=skip_bad,
                prompt_column=prompt_column,
                response_column=response_column,
                progress=show,
            )
            stats = opened.stats()
    print(f"{outcomes.total()} replies; {file} holds {stats.n_answers} answers to {stats.n_prompts} prompts now")
    for outcome, n in outcomes.most_common():
        print(f"{n:8,}  {outcome}")


@cache.command()
def stats(
    file: _File,
    namespace: _Some = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Count what is in CACHE and what it did, and measure how varied its answers are.

    Example: `hfdiv cache stats answers.db`
    """
    from hfdiv.data.cache.contents import read_stats

    with _opened(file) as database:
        now = time.time()
        found = {name: read_stats(database, now, name) for name in _chosen(database, namespace)}
    if as_json:
        print(json.dumps({name: _as_json(each) for name, each in found.items()}, indent=2, ensure_ascii=False))
        return
    for name, each in found.items():
        print("\n".join([name, *_described(each)]))
    print(f"{file.stat().st_size / 1e6:.1f} MB in {file}")


@cache.command()
def export(
    file: _File,
    namespace: _Some = None,
    output: Annotated[
        Path | None, typer.Option(help="Write to this file, whole or not at all. Default: print.", show_default=False)
    ] = None,
) -> None:
    """Write the answers in CACHE as JSON Lines, one prompt a line, which `hfdiv eval` and `hfdiv cache warm` read.

    Example: `hfdiv cache export answers.db --output answers.jsonl`
    """
    from hfdiv.data import write_whole
    from hfdiv.data.cache.contents import entries

    with _opened(file) as database:
        if namespace is not None:
            (namespace,) = _chosen(database, namespace)
        lines = map(_line, entries(database, time.time(), namespace))
        if output is not None:
            write_whole(output, lines)
        else:
            for line in lines:
                print(line, end="")


@cache.command()
def clear(
    file: _File,
    namespace: Annotated[
        str | None, typer.Option(help="Delete the answers of this namespace.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete the answers of all namespaces.")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="Delete the answers whose time is over.")] = False,
) -> None:
    """Delete answers in CACHE. Servers that have it open go on with what is left.

    Example: `hfdiv cache clear answers.db --namespace smollm2`
    """
    from hfdiv.data import DataError
    from hfdiv.data.cache.contents import clear as clear_cache
    from hfdiv.data.cache.contents import clear_ended

    if (namespace is not None) + everything + ended != 1:
        raise DataError("Say what to delete: --namespace NAME, --all or --ended.")
    with _opened(file) as database:
        if ended:
            n = clear_ended(database, time.time())
        else:
            n = clear_cache(database, None if everything else _chosen(database, namespace)[0])
    print(f"{n} answers deleted")


def _namespace(text: str) -> Any:  # noqa: ANN401 - a text, or a JSON object
    from hfdiv.data import DataError

    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"`--namespace` begins like a JSON object and is none: {error}.") from error


def _chosen(database: Database, namespace: str | None) -> list[str]:
    """Return the names of the namespaces that are meant."""
    from hfdiv.data import DataError
    from hfdiv.data.cache.contents import namespaces
    from hfdiv.data.cache.key import namespace_name

    known = namespaces(database)
    if namespace is None:
        return known
    name = namespace_name(_namespace(namespace))
    if name not in known:
        raise DataError(f"{database.path} has no namespace {name!r}; there is {known}.")
    return [name]


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Database]:
    from hfdiv.data.cache.database import Database

    with _bad_input(), Database(file, must_exist=True) as database:
        yield database


def _line(entry: Entry) -> str:
    return json.dumps(vars(entry), ensure_ascii=False) + "\n"


def _as_json(stats: CacheStats) -> dict[str, Any]:
    score = stats.distinct_2
    return {**vars(stats), "distinct_2": None if score is None else score.to_dict()}


def _described(stats: CacheStats) -> Iterator[str]:
    from hfdiv.cli.show import number

    yield f"  {stats.n_answers:,} answers to {stats.n_prompts:,} prompts, {stats.n_bytes / 1e6:.1f} MB"
    hits = f"{stats.exact_hits:,} exact hits, {stats.semantic_hits:,} semantic hits, {stats.misses:,} misses"
    yield f"  {hits}: hit rate {number(stats.hit_rate)}"
    if stats.distinct_2 is not None:
        yield f"  Distinct-2 of the answers to a prompt {number(stats.distinct_2.value)}"
        yield f"  {stats.distinct_2.signature}"


@contextlib.contextmanager
def _bad_input() -> Iterator[None]:
    """Report what the functions below find wrong with options, too, without a traceback."""
    from hfdiv.data import DataError

    try:
        yield
    except (TypeError, ValueError) as error:
        raise error if isinstance(error, DataError) else DataError(str(error)) from error


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show how far the files are read, where there is a terminal to show it on."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("Replies"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("Replies", total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total or None)
