"""`hfdiv generate`: replies to a file of prompts, or a chat, decoded with diversity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hfdiv.cli.decoding import decoding_config, with_decoding_options


if TYPE_CHECKING:
    from hfdiv.cli.choice import Choice
    from hfdiv.data.prompts import Prompts
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
    backend: Annotated[
        Literal["transformers", "vllm", "openai"],
        typer.Option(
            help="What writes the replies: transformers or vLLM in this process, or servers with OpenAI's API."
        ),
    ] = "transformers",
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
    quality: Annotated[
        str | None,
        typer.Option(
            help="What `--best-of` goes by beside variety: a reward function (a registered name, package.function or "
            "path/to/file.py:function), or none. Default: the log-probability.",
            show_default=False,
        ),
    ] = None,
    stale_above: Annotated[
        float | None,
        typer.Option(
            help="`--best-of` keeps a reply only for want of others if its last sentence is more alike than this to "
            "an earlier reply's; 0.8 is usual.",
            min=0,
            max=1,
            show_default=False,
        ),
    ] = None,
    streaming: Annotated[
        bool | None,
        typer.Option(help="Show replies as they are written. Default: in a chat.", show_default=False),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Go on with prompts that are text as they are, not as a user's message.")
    ] = False,
    prompt_column: Annotated[str | None, typer.Option(help="Name of the column of prompts.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Reply to the first so many prompts.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Replies written at once. Default: 8.", show_default=False)
    ] = None,
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"] | None,
        typer.Option(
            help="Numbers of the model. Default: auto, bfloat16 on a GPU and float32 elsewhere.", show_default=False
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Such as cpu or cuda:1. Default: auto, a GPU, if there is one.", show_default=False),
    ] = None,
    base_url: Annotated[
        list[str] | None,
        typer.Option(help="openai: a server, such as http://localhost:8000/v1. Several share the replies."),
    ] = None,
    engine: Annotated[
        Literal["openai", "vllm", "sglang", "llama.cpp", "compatible"] | None,
        typer.Option(
            help="openai: what the server is, for settings that are not in OpenAI's API.", show_default=False
        ),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            help="openai: environment variable with the key. Default: OPENAI_API_KEY for api.openai.com, else no key.",
            show_default=False,
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(help="openai: YAML file of several models, servers or styles to ask.", show_default=False),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="openai: requests at once to a server. Default: 8.", show_default=False)
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="openai: seconds for one try. Default: 600.", show_default=False)
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(min=0, help="openai: how often a failed request is sent again. Default: 5.", show_default=False),
    ] = None,
    vllm_config: Annotated[
        Path | None, typer.Option(help="vllm: YAML file of arguments of `vllm.LLM`.", show_default=False)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the replies in the folder instead of going on with them.")
    ] = False,
    decoding: dict[str, Any],
) -> None:
    """Reply to the prompts of a file, or chat on the terminal (/reset, /exit).

    Replies are written as they come. The same command goes on with a file that was interrupted.

    Example: `hfdiv generate --prompts prompts.jsonl --num-return-sequences 8 --siblings --output-dir out`
    """
    from hfdiv.cli.backend import check_backend
    from hfdiv.cli.task import Task
    from hfdiv.data import DataError
    from hfdiv.data.prompts import read_prompts

    of_server = {"base_url": base_url, "engine": engine, "api_key_env": api_key_env, "sources": sources}
    of_requests = {"concurrency": concurrency, "timeout": timeout, "retries": retries}
    of_model = {"batch_size": batch_size, "dtype": dtype, "device": device, "streaming": streaming}
    check_backend(backend, {**of_server, **of_requests, **of_model, "vllm_config": vllm_config})
    switches = [_SIBLINGS] * siblings + [_HISTORY] * history
    settings = decoding_config(config, decoding, switches)
    if streaming and max(settings.num_return_sequences, settings.num_beams, best_of or 1) > 1:
        raise DataError("`--streaming` shows one reply at a time: leave it out for several replies or beams.")
    if prompts is None:
        alone = {"--output-dir": output_dir, "--best-of": best_of, "--limit": limit, "--backend": backend}
        unused = [name for name, value in alone.items() if value not in (None, "transformers")]
        _chat(model, device or "auto", dtype or "auto", settings, streaming, unused)
        return
    if output_dir is None:
        raise DataError("`--prompts` needs `--output-dir`, the folder for the replies.")
    given = read_prompts(prompts, prompt_column=prompt_column, limit=limit)
    _check_history(given, settings, prompts)
    choice = _choice(given, settings, best_of, selection, quality, stale_above)
    task = Task(given, settings, best_of, choice, raw)
    if backend == "openai":
        from hfdiv.cli.server_job import ask_servers, server_job

        ask_servers(server_job(task, model, of_server, of_requests), output_dir, overwrite)
        return
    from hfdiv.cli.replies_file import TransformersJob, write_replies

    if backend == "vllm":
        from hfdiv.cli.vllm_job import vllm_job

        write_replies(vllm_job(task, model, dtype, vllm_config), output_dir, overwrite)
        return
    from hfdiv.cli.model import resolved

    placed = resolved(device or "auto", dtype or "auto")
    job = TransformersJob(task, model, *placed, batch_size=1 if streaming else batch_size or 8)
    write_replies(job, output_dir, overwrite, bool(streaming))


def _check_history(given: Prompts, settings: DecodingConfig, path: Path) -> None:
    """Refuse a history penalty that would have nothing to look at."""
    from hfdiv.data import DataError
    from hfdiv.generation.prompts import earlier_replies

    if settings.history_multiplier and not any(given.histories) and not any(map(earlier_replies, given.prompts)):
        raise DataError(
            f"{path} holds no earlier replies, neither assistant messages nor a column `history`, so that the "
            "history penalty would do nothing: leave it out."
        )


def _choice(
    given: Prompts,
    settings: DecodingConfig,
    best_of: int | None,
    selection: Literal["mmr", "max_min", "dpp"],
    quality: str | None,
    stale_above: float | None,
) -> Choice | None:
    """Return how replies are chosen from more; None where all that are written are kept."""
    from hfdiv.cli.choice import Choice
    from hfdiv.data import DataError

    k = settings.num_return_sequences
    if best_of is None:
        for name, value in {"--quality": quality, "--stale-above": stale_above}.items():
            if value is not None:
                raise DataError(f"{name} has a say in which replies are kept: give --best-of, too.")
        return None
    if best_of <= k:
        raise DataError(
            f"`best_of` must be more than the {k} replies to keep (`num_return_sequences`), got {best_of}."
        )
    return Choice(given, k, selection, quality, stale_above)


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
