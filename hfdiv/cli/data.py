"""`hfdiv data`: logs in, and preference pairs out of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hfdiv.cli.interrupt import stopped_by_sigterm


if TYPE_CHECKING:
    from hfdiv.data.pairs import Judge, PairMethod, Score, Votes
    from hfdiv.similarity import Similarity

data = typer.Typer(
    name="data",
    help="Logs of conversations in, preference pairs that teach variety out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Folder = Annotated[Path, typer.Option(help="Folder to write; it appears when all is written.", show_default=False)]
_Prompt = Annotated[str | None, typer.Option(help="Name of the column of prompts.")]
_Response = Annotated[str | None, typer.Option(help="Name of the column of replies.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a folder that this command wrote.")]


@data.command("import")
def import_(
    logs: Annotated[
        list[Path],
        typer.Argument(help="JSON Lines, CSV, TSV, Parquet, or folders of one kind.", metavar="LOG..."),
    ],
    output_dir: _Folder,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Write unreadable rows to rejected.jsonl instead of stopping.")
    ] = False,
    dedup: Annotated[
        float | None,
        typer.Option(help="Leave out conversations nearly the same as one before: from this similarity on."),
    ] = None,
    prompt_column: _Prompt = None,
    response_column: _Response = None,
    overwrite: _Overwrite = False,
) -> None:
    """Turn logs into replies, each with its history and prompt, and with what people made of it.

    A row of a log is a conversation (`messages` as OpenAI has them, `conversations` as ShareGPT), or a prompt and its
    reply. Feedback is kept: rating, thumbs, dwell_time, click, abandoned.

    Example: `hfdiv data import chats.jsonl more.csv --skip-bad --output-dir imported`
    """
    from hfdiv.data.conversations import import_logs

    start = time.perf_counter()
    with _bad_input(), stopped_by_sigterm(), _progress() as show:
        done = import_logs(
            logs,
            output_dir,
            skip_bad=skip_bad,
            dedup=dedup,
            prompt_column=prompt_column,
            response_column=response_column,
            overwrite=overwrite,
            progress=show,
        )
    rate = done.n_rows / (time.perf_counter() - start)
    _say(f"{done.n_replies} replies from {done.n_rows} rows ({rate:,.0f} rows/s): {output_dir / 'rows.jsonl'}")
    if done.n_duplicates:
        _say(f"{done.n_duplicates} near-duplicate rows left out")
    if done.n_rejected:
        _say(f"{done.n_rejected} rows rejected: {output_dir / 'rejected.jsonl'}")


@data.command()
def pairs(
    rows: Annotated[Path, typer.Argument(help="What `data import` wrote, or any log that it reads; or annotations.")],
    output_dir: _Folder,
    method: Annotated[
        Literal["divpo", "fresh", "ratings", "annotations"],
        typer.Option(help="How pairs are made.", show_default=False),
    ],
    quality_column: Annotated[str | None, typer.Option(help="Column of numbers, higher = better.")] = None,
    quality: Annotated[
        str | None,
        typer.Option(help="Or a reward function: a registered name, package.function, or path/to/file.py:function."),
    ] = None,
    quality_model: Annotated[str | None, typer.Option(help="Or a text-classification model.")] = None,
    quality_label: Annotated[str | None, typer.Option(help="Its label whose probability is the quality.")] = None,
    min_quality: Annotated[float | None, typer.Option(help="A reply below is never preferred.")] = None,
    safety: Annotated[
        str | None,
        typer.Option(help="A function as for --quality, higher = safer."),
    ] = None,
    safety_model: Annotated[str | None, typer.Option(help="Or a text-classification model.")] = None,
    unsafe_label: Annotated[str | None, typer.Option(help="Its label for what is not safe, such as toxic.")] = None,
    min_safety: Annotated[float, typer.Option(help="A reply below is never preferred.")] = 0.5,
    same: Annotated[
        Literal["prompt", "question"],
        typer.Option(help="Pair replies to the same conversation so far, or to the same last question in any."),
    ] = "prompt",
    rho: Annotated[float | None, typer.Option(help="divpo: share of replies in each pool. Default: 0.25.")] = None,
    good: Annotated[float | None, typer.Option(help="divpo: lowest good quality, instead of --rho.")] = None,
    bad: Annotated[float | None, typer.Option(help="divpo: quality below which it is bad. Default: --good.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="fresh: similarity to an earlier reply above which it is stale. Default: 0.8.")
    ] = None,
    scope: Annotated[
        Literal["last_sentence", "response"] | None,
        typer.Option(help="fresh: what is compared. Default: last_sentence."),
    ] = None,
    min_gap: Annotated[float | None, typer.Option(help="ratings: least difference. Default: 1.")] = None,
    min_agreement: Annotated[float | None, typer.Option(help="annotations: least share of votes, from 0.5.")] = None,
    min_votes: Annotated[int | None, typer.Option(help="annotations: least number of votes. Default: 1.")] = None,
    max_pairs: Annotated[int | None, typer.Option(help="Pairs a prompt at most. Default: 1; for fresh, all.")] = None,
    ngram: Annotated[int | None, typer.Option(help="N-grams compared. Default: 2; for fresh, 1.")] = None,
    tokenizer: Annotated[str, typer.Option(help="How texts are split.")] = "mixed",
    encoder: Annotated[str | None, typer.Option(help="Compare by a sentence-transformers model instead.")] = None,
    sft: Annotated[int, typer.Option(min=0, help="Also write so many good, varied replies a prompt for SFT.")] = 0,
    prompt_column: _Prompt = None,
    response_column: _Response = None,
    overwrite: _Overwrite = False,
) -> None:
    """Build preference pairs that `datasets` and TRL's trainers take as they are.

    Example: `hfdiv data pairs imported/rows.jsonl --method divpo --quality-column rating --output-dir pairs`
    """
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in locals().items()}
    from hfdiv.data.pairs import build_pairs

    start = time.perf_counter()
    with _bad_input(), stopped_by_sigterm():
        made, judge = _method(settings), _judge(settings)
        with _progress() as show:
            done = build_pairs(
                rows,
                output_dir,
                made,
                judge,
                same=same,
                sft=sft,
                prompt_column=prompt_column,
                response_column=response_column,
                settings={
                    name: value for name, value in settings.items() if value is not None and name not in _NOT_NOTED
                },
                overwrite=overwrite,
                progress=show,
            )
    rate = done.n_replies / (time.perf_counter() - start)
    counted = f"{done.n_pairs} pairs from {done.n_replies} replies to {done.n_prompts} prompts"
    _say(f"{counted} ({rate:,.0f} replies/s): {output_dir}")
    if done.n_sft:
        _say(f"{done.n_sft} rows for fine-tuning, in the configuration `sft`")
    for reason, n in done.dropped.items():
        _say(f"dropped, {reason}: {n}")
    _say(done.signature, style="dim")


_OPTIONS = {
    "divpo": ("rho", "good", "bad", "max_pairs"),
    "fresh": ("threshold", "scope", "max_pairs"),
    "ratings": ("min_gap", "max_pairs"),
    "annotations": ("min_agreement", "min_votes"),
}
_NOT_NOTED = ("output_dir", "overwrite")  # the pairs do not depend on them
_ALL = tuple(dict.fromkeys(name for names in _OPTIONS.values() for name in names))
_SOURCES = ("quality_column", "quality", "quality_model")
_OF_REPLIES = (*_SOURCES, "quality_label", "min_quality", "safety", "safety_model", "unsafe_label", "ngram", "encoder")


def _method(settings: Mapping[str, Any]) -> PairMethod | Votes:
    from hfdiv.data.pairs import DivPO, Fresh, Rated, Votes

    name = settings["method"]
    given = {option: settings[option] for option in _ALL if settings[option] is not None}
    _refuse([option for option in given if option not in _OPTIONS[name]], f"cannot be used with --method {name}")
    if "rho" in given and "good" in given:
        _refuse(["rho", "good"], "cannot be used together: both say which replies are good")
    if name == "annotations":
        _refuse([option for option in _OF_REPLIES if settings[option] is not None], "cannot be used with annotations")
        return Votes(**given)
    similarity = _similarity(settings, 1 if name == "fresh" else 2)
    if name == "divpo":
        return DivPO(similarity=similarity, **given)
    return Fresh(similarity=similarity, **given) if name == "fresh" else Rated(similarity=similarity, **given)


def _similarity(settings: Mapping[str, Any], order: int) -> Similarity:
    from hfdiv.similarity import EmbeddingSimilarity, NgramSimilarity, load_encoder

    name, ngram = settings["encoder"], settings["ngram"]
    if name is not None:
        return EmbeddingSimilarity(load_encoder(name), name)
    return NgramSimilarity(order if ngram is None else ngram, settings["tokenizer"])


def _judge(settings: Mapping[str, Any]) -> Judge | None:
    from hfdiv.data import DataError
    from hfdiv.data.pairs import Judge

    if settings["method"] == "annotations":
        return None
    sources = [name for name in _SOURCES if settings[name] is not None]
    if len(sources) > 1:
        _refuse(sources, "cannot be used together: give the quality one way")
    if not sources and settings["method"] != "ratings":
        raise DataError("Give the quality of replies: --quality-column, --quality or --quality-model.")
    quality = _score(settings, "quality", "quality_label") or settings["quality_column"] or "rating"
    safety = _score(settings, "safety", "unsafe_label")
    return Judge(quality, settings["min_quality"], safety, settings["min_safety"])


def _score(settings: Mapping[str, Any], name: str, label_name: str) -> Score | None:
    from hfdiv.data.pairs import ClassifierScore
    from hfdiv.rewards.load import load_rewards

    function, model, label = settings[name], settings[f"{name}_model"], settings[label_name]
    if function is not None and model is not None:
        _refuse([name, f"{name}_model"], "cannot be used together")
    if (model is None) != (label is None):
        _refuse([f"{name}_model", label_name], "go together")
    if model is not None:
        return ClassifierScore(model, label, unless=name == "safety")
    return None if function is None else load_rewards([function]).functions[0]


def _refuse(options: list[str], why: str) -> None:
    from hfdiv.data import DataError

    if options:
        raise DataError(f"{' and '.join('--' + option.replace('_', '-') for option in options)} {why}.")


def _say(text: str, style: str | None = None) -> None:
    from rich.console import Console

    Console().print(text, style=style, highlight=False, markup=False, soft_wrap=True)


@contextlib.contextmanager
def _bad_input() -> Iterator[None]:
    """Report what the functions below find wrong with options, too, without a traceback."""
    from hfdiv.data import DataError

    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise error if isinstance(error, DataError) else DataError(str(error)) from error


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show how far the work is, where there is a terminal to show it on."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("Reading", total=None)

        def show(what: str, done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total or None, description=what)

        yield show
