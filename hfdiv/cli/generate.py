"""`hfdiv generate`: replies to a file of prompts, or a chat, decoded with diversity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hfdiv.cli.decoding import decoding_config, with_decoding_options


if TYPE_CHECKING:
    from hfdiv.generation.config import DecodingConfig

# What was best in the experiments of docs/decoding.md.
_SIBLINGS: dict[str, Any] = {"sibling_multiplier": 2.0, "sibling_allowed_length": 1}
_HISTORY: dict[str, Any] = {"history_multiplier": 4.0, "history_allowed_length": 1, "history_scope": "ending"}


@with_decoding_options
def generate(
    *,
    model: Annotated[
        str | None,
        typer.Option(help="A name, folder or GGUF file. Default: SmolLM2-135M-Instruct from its package."),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="File of prompts, with `prompt` as text or chat messages, or text. Without it, a chat."),
    ] = None,
    output_dir: Annotated[
        Path | None, typer.Option(help="Folder for `replies.jsonl` and `generate.json`.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file of the settings below, by name: `top_p: 0.9`.", show_default=False)
    ] = None,
    siblings: Annotated[
        bool,
        typer.Option(
            "--siblings", help="Replies to one prompt differ: --sibling-multiplier 2 --sibling-allowed-length 1."
        ),
    ] = False,
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            help="Replies close unlike earlier ones: --history-multiplier 4 "
            "--history-allowed-length 1 --history-scope ending.",
        ),
    ] = False,
    best_of: Annotated[
        int | None,
        typer.Option(help="Write so many replies to each prompt, and keep the likely ones that differ.", min=2),
    ] = None,
    selection: Annotated[Literal["mmr", "max_min", "dpp"], typer.Option(help="How `--best-of` chooses.")] = "mmr",
    streaming: Annotated[
        bool | None,
        typer.Option(help="Show replies as they are written. Default: in a chat.", show_default=False),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Go on with prompts that are text as they are, not as a user's message.")
    ] = False,
    prompt_column: Annotated[str | None, typer.Option(help="Name of the column of prompts.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Reply to the first so many prompts.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Replies written at once.")] = 8,
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        typer.Option(help="Numbers of the model. auto: bfloat16 on a GPU, float32 elsewhere."),
    ] = "auto",
    device: Annotated[str, typer.Option(help="Such as cpu or cuda:1. auto: a GPU, if there is one.")] = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the replies in the folder instead of going on with them.")
    ] = False,
    decoding: dict[str, Any],
) -> None:
    """Reply to the prompts of a file, or chat on the terminal (/reset, /exit).

    Replies are written as they come. The same command goes on with a file that was interrupted.

    Example: `hfdiv generate --prompts prompts.jsonl --num-return-sequences 8 --siblings --output-dir out`
    """
    from hfdiv.cli.model import resolved
    from hfdiv.cli.replies_file import Job, write_replies
    from hfdiv.data import DataError
    from hfdiv.data.prompts import read_prompts
    from hfdiv.generation.prompts import earlier_replies

    switches = [_SIBLINGS] * siblings + [_HISTORY] * history
    settings = decoding_config(config, decoding, switches)
    if streaming and max(settings.num_return_sequences, settings.num_beams, best_of or 1) > 1:
        raise DataError("`--streaming` shows one reply at a time: leave it out for several replies or beams.")
    if prompts is None:
        alone = {"--output-dir": output_dir, "--best-of": best_of, "--limit": limit}
        _chat(model, device, dtype, settings, streaming, [name for name, value in alone.items() if value is not None])
        return
    if output_dir is None:
        raise DataError("`--prompts` needs `--output-dir`, the folder for the replies.")
    given = read_prompts(prompts, prompt_column=prompt_column, limit=limit)
    if settings.history_multiplier and not any(given.histories) and not any(map(earlier_replies, given.prompts)):
        raise DataError(
            f"{prompts} holds no earlier replies, neither assistant messages nor a column `history`, so that the "
            "history penalty would do nothing: leave it out."
        )
    placed = resolved(device, dtype)
    batch_size = 1 if streaming else batch_size
    job = Job(given, settings, model, *placed, batch_size, best_of, selection, raw)
    write_replies(job, output_dir, overwrite, bool(streaming))


def _chat(
    model: str | None, device: str, dtype: str, settings: DecodingConfig, streaming: bool | None, unused: list[str]
) -> None:
    from rich.console import Console

    from hfdiv.cli.chat import chat
    from hfdiv.cli.model import load, resolved
    from hfdiv.data import DataError

    unused += ["--num-return-sequences"] if settings.num_return_sequences > 1 else []
    if unused:
        raise DataError(f"{' and '.join(unused)} cannot be used in a chat: give a file with `--prompts`.")
    with Console(stderr=True).status("Loading the model"):
        loaded = load(model, *resolved(device, dtype))
    chat(*loaded, settings, settings.num_beams == 1 if streaming is None else streaming)
