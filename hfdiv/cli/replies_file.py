"""Replies to a file of prompts, written as they come."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hfdiv import __version__
from hfdiv.cli.interrupt import stopped_by_sigterm
from hfdiv.cli.model import DEFAULT, load, text_streamer
from hfdiv.data import DataError
from hfdiv.data.prompts import Prompts
from hfdiv.data.resume import GrowingReplies
from hfdiv.generation.config import DecodingConfig


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from hfdiv.generation.replies import Replies
    from hfdiv.text import Response


@dataclass(frozen=True)
class Job:
    """What decides about the replies."""

    given: Prompts
    config: DecodingConfig
    model: str | None
    device: str
    dtype: str
    batch_size: int
    best_of: int | None
    selection: Literal["mmr", "max_min", "dpp"]
    raw: bool

    def settings(self) -> dict[str, Any]:
        """Return all of it as JSON values; the prompts as their number and a hash."""
        return {
            "model": DEFAULT if self.model is None else self.model,
            "device": self.device,
            "dtype": self.dtype,
            "decoding": asdict(self.config),
            "best_of": self.best_of,
            "selection": None if self.best_of is None else self.selection,
            "batch_size": self.batch_size,
            "raw": self.raw,
            "n_prompts": len(self.given.prompts),
            "prompts_sha256": self.given.fingerprint,
        }

    def replies(self, first: int, streaming: bool) -> Iterator[Replies]:
        """Load the model and return the replies from prompt `first` on.

        Raises:
            DataError: If a prompt cannot be replied to, or settings don't go together.
        """
        from hfdiv.generation.replies import generate_replies

        model, tokenizer = load(self.model, self.device, self.dtype)
        try:
            return generate_replies(
                model,
                tokenizer,
                self._asked(tokenizer),
                self.config,
                batch_size=self.batch_size,
                histories=self.given.histories,
                best_of=self.best_of,
                selection=self.selection,
                first=first,
                streamer=text_streamer(tokenizer) if streaming else None,
            )
        except (TypeError, ValueError) as error:
            raise DataError(str(error)) from error

    def _asked(self, tokenizer: PreTrainedTokenizerBase) -> list[Response]:
        """A text is a user's message to a model that chats, and else what the model is to go on with."""
        if self.raw or tokenizer.chat_template is None:
            return self.given.prompts
        return [
            [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
            for prompt in self.given.prompts
        ]


def write_replies(job: Job, folder: Path, overwrite: bool, streaming: bool) -> None:
    """Write the replies to `folder`, or those that an interrupted run left out.

    Raises:
        DataError: If the folder holds other replies, or the job cannot be done.
        KeyboardInterrupt: On Ctrl-C or SIGTERM, when it is said what is finished.
    """
    console = Console(stderr=True)
    growing = GrowingReplies(folder, job.given.prompts, job.settings(), _versions(), overwrite)
    n, n_before = len(job.given.prompts), growing.n_done
    if n_before:
        rest = "" if n_before < n else " There is nothing left to do."
        console.print(f"{n_before} of {n} prompts in {growing.path} are done.{rest}", highlight=False)
    if n_before == n:
        return
    n_replies = n_cut = 0
    try:
        with stopped_by_sigterm():
            with console.status("Loading the model"):
                replies = job.replies(growing.n_done, streaming)
            with _progress(console, n, growing.n_done, hidden=streaming) as show:
                for each in replies:
                    growing.add(_row(each))
                    n_replies += len(each.responses)
                    n_cut += each.finished.count(False)
                    show(growing.n_done)
    except KeyboardInterrupt:
        console.print(f"Interrupted: {growing.n_done} of {n} prompts are done. The same command goes on from there.")
        raise
    cut = f", {n_cut} of them cut off at {job.config.max_new_tokens} tokens" if n_cut else ""
    console.print(f"{n_replies} replies to {n - n_before} prompts{cut}: {growing.path}", highlight=False)


def _row(replies: Replies) -> dict[str, Any]:
    row = {"responses": replies.responses, "finished": replies.finished}
    return row if replies.log_probabilities is None else {**row, "log_probability": replies.log_probabilities}


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "transformers")}
    return {"hfdiv": __version__, **packages, "python": platform.python_version()}


@contextlib.contextmanager
def _progress(console: Console, total: int, done: int, hidden: bool) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("Prompts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    disable = hidden or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=disable) as bars:
        bar = bars.add_task("Prompts", total=total, completed=done)
        yield lambda completed: bars.update(bar, completed=completed)
