"""A chat on the terminal, or with lines that are piped in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from hfdiv.cli.model import text_streamer
from hfdiv.data import DataError


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from hfdiv.generation.config import DecodingConfig
    from hfdiv.generation.replies import Replies

HELP = "/reset begins a new conversation, /exit ends this one, Ctrl-C stops a reply."


def chat(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, config: DecodingConfig, streaming: bool) -> None:
    """Reply to each line of the standard input, in view of the conversation so far.

    The history penalty, if it is on, sees what the model said in earlier turns.

    Raises:
        DataError: If the model cannot chat.
        KeyboardInterrupt: On Ctrl-C, except while a reply is written to somebody at a terminal.
    """
    from hfdiv.generation.replies import generate_replies

    if tokenizer.chat_template is None:
        raise DataError(
            "This model's tokenizer has no chat template, so it cannot chat. Give a file with `--prompts`."
        )
    amateur = config.load_amateur(model, tokenizer)
    messages: list[dict[str, str]] = []
    for turn, line in enumerate(_lines()):
        if line == "/reset":
            messages = []
            continue
        asked = [*messages, {"role": "user", "content": line}]
        streamer = text_streamer(tokenizer) if streaming else None  # one that was stopped would go on where it was
        drawn = replace(config, seed=(config.seed + turn) % 2**63)  # each turn is another draw
        try:
            (replies,) = generate_replies(
                model, tokenizer, [asked], drawn, batch_size=1, amateur=amateur, streamer=streamer
            )
        except ValueError as error:
            print(f"{error} Begin a new conversation with /reset.", file=sys.stderr)
            continue
        except KeyboardInterrupt:
            if not sys.stdin.isatty():
                raise
            print("\n(stopped; this turn is forgotten)")
            continue
        messages = [*asked, {"role": "assistant", "content": replies.responses[0]}]
        _show(replies, streaming, config.max_new_tokens)


def _lines() -> Iterator[str]:
    """Yield what the user says, and `/reset`, until `/exit` or the end of the input."""
    at_terminal = sys.stdin.isatty()
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")
    if at_terminal:
        print(HELP)
    while True:
        try:
            line = input("\n> " if at_terminal else "").strip()
        except EOFError:
            return
        if line == "/exit":
            return
        if line:
            yield line


def _show(replies: Replies, streamed: bool, limit: int) -> None:
    if not streamed:
        print(replies.responses[0], flush=True)
    if not replies.finished[0]:
        print(f"(cut off at {limit} tokens: --max-new-tokens)", file=sys.stderr, flush=True)
