"""Replies to a file of prompts, written as they come."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hfdiv import __version__
from hfdiv.cli.interrupt import stopped_by_sigterm
from hfdiv.cli.model import DEFAULT, load, text_streamer
from hfdiv.cli.task import Task
from hfdiv.data import DataError
from hfdiv.data.resume import GrowingReplies


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from hfdiv.generation.replies import Replies
    from hfdiv.text import Response


class Job(Protocol):
    """Something that writes replies in the order of the prompts."""

    @property
    def task(self) -> Task:
        """What is to be written."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages whose versions are noted down."""

    def settings(self) -> dict[str, Any]:
        """Return what decides about the replies as JSON values."""

    def replies(self, first: int, streaming: bool) -> Iterator[Replies]:
        """Load the model and return the replies from prompt `first` on."""


@dataclass(frozen=True)
class TransformersJob:
    """A model of transformers in this process."""

    task: Task
    model: str | None
    device: str
    dtype: str
    batch_size: int
    packages: tuple[str, ...] = ("torch", "transformers")

    def settings(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "model": DEFAULT if self.model is None else self.model,
            "device": self.device,
            "dtype": self.dtype,
            **self.task.decoding(),
            "batch_size": self.batch_size,
            **self.task.prompts(),
        }

    def replies(self, first: int, streaming: bool) -> Iterator[Replies]:
        """Load the model and return the replies from prompt `first` on.

        Raises:
            DataError: If a prompt cannot be replied to, or settings don't go together.
        """
        from hfdiv.generation.replies import generate_replies

        task = self.task
        model, tokenizer = load(self.model, self.device, self.dtype)
        try:
            return generate_replies(
                model,
                tokenizer,
                as_asked(task, tokenizer),
                task.config,
                batch_size=self.batch_size,
                histories=task.given.histories,
                best_of=task.best_of,
                selection="mmr" if task.choice is None else task.choice,
                first=first,
                streamer=text_streamer(tokenizer) if streaming else None,
            )
        except (TypeError, ValueError) as error:
            raise DataError(str(error)) from error


def as_asked(task: Task, tokenizer: PreTrainedTokenizerBase) -> list[Response]:
    """Return the prompts as a model gets them: a text is a user's message to one that chats, and else gone on with."""
    prompts = task.given.prompts
    if task.raw or tokenizer.chat_template is None:
        return prompts
    return [[{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt for prompt in prompts]


def write_replies(job: Job, folder: Path, overwrite: bool, streaming: bool = False) -> None:
    """Write the replies to `folder`, or those that an interrupted run left out.

    Raises:
        DataError: If the folder holds other replies, or the job cannot be done.
        KeyboardInterrupt: On Ctrl-C or SIGTERM, when it is said what is finished.
    """
    console = Console(stderr=True)
    prompts = job.task.given.prompts
    growing = GrowingReplies(folder, prompts, job.settings(), versions(*job.packages), overwrite)
    n, n_before = len(prompts), growing.n_done
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
            with progress(console, n, growing.n_done, hidden=streaming) as show:
                for each in replies:
                    growing.add(_row(each))
                    n_replies += len(each.responses)
                    n_cut += each.finished.count(False)
                    show(growing.n_done)
    except KeyboardInterrupt:
        console.print(f"Interrupted: {growing.n_done} of {n} prompts are done. The same command goes on from there.")
        raise
    cut = f", {n_cut} of them cut off at {job.task.config.max_new_tokens} tokens" if n_cut else ""
    console.print(f"{n_replies} replies to {n - n_before} prompts{cut}: {growing.path}", highlight=False)


def _row(replies: Replies) -> dict[str, Any]:
    row = {"responses": replies.responses, "finished": replies.finished}
    return row if replies.log_probabilities is None else {**row, "log_probability": replies.log_probabilities}


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of hfdiv, of these packages and of Python."""
    return {"hfdiv": __version__, **{name: _version(name) for name in packages}, "python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # vLLM for the CPU is distributed by another name
        return version(packages_distributions()[package][0])


@contextlib.contextmanager
def progress(console: Console, total: int, done: int, hidden: bool) -> Iterator[Callable[[int], None]]:
    """Show how many prompts are done, where there is a terminal to show it on."""
    columns = (TextColumn("Prompts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    disable = hidden or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=disable) as bars:
        bar = bars.add_task("Prompts", total=total, completed=done)
        yield lambda completed: bars.update(bar, completed=completed)
