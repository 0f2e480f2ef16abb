"""`hfdiv generate --backend openai`: replies of OpenAI-compatible servers, asked many prompts at once."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from hfdiv._extras import require
from hfdiv.cli.backend import check_numbers, sources_of
from hfdiv.cli.choice import NO_QUALITY
from hfdiv.cli.interrupt import stopped_by_sigterm
from hfdiv.cli.replies_file import progress, versions
from hfdiv.cli.task import Task
from hfdiv.data import DataError
from hfdiv.data.resume import GrowingReplies
from hfdiv.data.unordered import Piece, UnorderedReplies
from hfdiv.generation.backends import Answer, Asked, Limits, Source, SourceError, Wanted, ask, check_prompt
from hfdiv.generation.prompts import earlier_replies
from hfdiv.generation.replies import Replies


@dataclass(frozen=True)
class ServerJob:
    """Servers, and how they are asked."""

    task: Task
    sources: list[Source]
    limits: Limits

    def settings(self) -> dict[str, Any]:
        """Return what decides about the replies, as JSON values."""
        sources = [source.settings() for source in self.sources]
        return {"backend": "openai", "sources": sources, **self.task.decoding(), **self.task.prompts()}

    def noted(self) -> dict[str, Any]:
        """Return how the servers were asked, which does not decide about the replies."""
        return {"servers": {source.name: source.base_url for source in self.sources}, "requests": asdict(self.limits)}

    @property
    def wants_log_probabilities(self) -> bool:
        """Whether replies are chosen by them."""
        return self.task.choice is not None and self.task.choice.by_log_probability

    def asked(self) -> list[Asked]:
        """Return the prompts as the servers are asked them.

        Raises:
            DataError: If one cannot be replied to.
        """
        given, raw = self.task.given, self.task.raw
        for place, prompt in enumerate(given.prompts):
            try:
                check_prompt(prompt, raw)
            except (TypeError, ValueError) as error:
                raise DataError(f"Prompt {place} cannot be replied to: {error}") from error
        return [
            Asked(prompt, raw, [*history, *earlier_replies(prompt)], self.wants_log_probabilities)
            for prompt, history in zip(given.prompts, given.histories, strict=True)
        ]

    def row(self, place: int, pieces: Sequence[Piece]) -> dict[str, Any]:
        """Return the row of a prompt: of all that was written to it, or of what is kept of it."""
        columns: dict[str, list[Any]] = {name: [] for name in ("responses", "finished", "log_probability", "source")}
        for piece in pieces:
            for name, values in piece.columns.items():
                columns[name] += values
            columns["source"] += [self.sources[piece.source].name] * len(piece.columns["responses"])
        if self.task.choice is not None:
            numbers = columns["log_probability"] if self.wants_log_probabilities else None
            kept = self.task.choice(Replies(place, columns["responses"], columns["finished"], numbers))
            columns = {name: [values[at] for at in kept] if values else [] for name, values in columns.items()}
        left_out = ["log_probability"] * (not self.wants_log_probabilities) + ["source"] * (len(self.sources) == 1)
        return {name: values for name, values in columns.items() if name not in left_out}

    def piece(self, answer: Answer) -> Piece:
        """Return what is kept of an answer.

        Raises:
            DataError: If replies are chosen by a log-probability that the server does not say.
        """
        choices = answer.choices
        columns: dict[str, Sequence[Any]] = {"responses": choices.responses, "finished": choices.finished}
        if self.wants_log_probabilities:
            if None in choices.log_probabilities:
                raise DataError(
                    f"{self.sources[answer.source].name} says no log-probabilities, by which `--best-of` chooses: "
                    f"give `--quality` with a reward function, or `--quality {NO_QUALITY}` to choose by variety alone."
                )
            columns["log_probability"] = choices.log_probabilities
        return Piece(answer.source, columns)


def server_job(task: Task, model: str | None, servers: Mapping[str, Any], requests: Mapping[str, Any]) -> ServerJob:
    """Return the job that the options of the command stand for.

    Args:
        task: What is to be written.
        model: The model's name at the servers.
        servers: What else [`~hfdiv.cli.backend.sources_of`] takes.
        requests: What [`~hfdiv.generation.backends.Limits`] takes; None for its default.

    Raises:
        DataError: If it cannot be done.
        ImportError: If `openai` is not installed.
    """
    if find_spec("openai") is None:
        require("openai", "openai")
    sources = sources_of(task.config, task.best_of, model, **servers)
    check_numbers(task.config, task.best_of, sources)
    if task.raw and any(source.system for source in sources):
        raise DataError(
            "--raw goes on with texts as they are, and a `system` message needs a chat: leave one of them out."
        )
    try:
        limits = Limits(**{name: value for name, value in requests.items() if value is not None})
    except ValueError as error:
        raise DataError(str(error)) from error
    return ServerJob(task, sources, limits)


def ask_servers(job: ServerJob, folder: Path, overwrite: bool) -> None:
    """Write the replies to `folder`, or those that an earlier run left out.

    Raises:
        DataError: If the folder holds other replies, or the job cannot be done.
        KeyboardInterrupt: On Ctrl-C or SIGTERM, when it is said what is finished.
        SourceError: If a source answers nothing at all.
        typer.Exit: If prompts failed, with code 1.
    """
    run = _Run(job, folder, overwrite)
    n, n_before = len(job.task.given.prompts), run.replies.n_done
    if n_before:
        rest = "" if n_before < n else " There is nothing left to do."
        run.say(f"{n_before} of {n} prompts in {run.path} are done.{rest}")
    try:
        with stopped_by_sigterm(), progress(run.console, n, n_before, hidden=False) as show:
            run.go(show)
    except (KeyboardInterrupt, SourceError) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        if interrupted or run.replies.n_done:
            ended = "Interrupted" if interrupted else "Ended"
            run.say(f"{ended}: {run.replies.n_done} of {n} prompts are done. The same command goes on from there.")
        raise
    n_done = run.replies.n_done
    if n_done > n_before:
        cut = f", {run.n_cut} of them cut off at {job.task.config.max_new_tokens} tokens" if run.n_cut else ""
        run.say(f"{run.n_replies} replies to {n_done - n_before} prompts{cut}: {run.path}")
    if n_done < n:
        where = f"lack replies, and their lines in {run.path} say why" if run.path.exists() else "failed"
        run.say(f"{n - n_done} of {n} prompts {where}. The same command asks for them again.")
        for reason, count in run.reasons.most_common(3):
            run.say(f"{count} × {reason}")
        raise typer.Exit(1)


class _Run:
    """One run of a job: what it asks for, and what became of it."""

    def __init__(self, job: ServerJob, folder: Path, overwrite: bool) -> None:
        self.job = job
        self.asked = job.asked()
        self.console = Console(stderr=True)
        prompts, about = job.task.given.prompts, (job.settings(), versions("openai"))
        growing = GrowingReplies(folder, prompts, *about, overwrite, job.noted())
        self.path, self.begun = growing.path, growing.begun
        self.replies = UnorderedReplies(growing, len(prompts), [source.n for source in job.sources], self._row)
        self.reasons: Counter[str] = Counter()
        self.n_replies = self.n_cut = 0

    def say(self, text: str) -> None:
        """Print a line, which may hold what a server said."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def go(self, show: Callable[[int], None]) -> None:
        """Ask for all that is missing, and write it as it comes."""
        wanted = [Wanted(*missing) for missing in self.replies.missing()]
        try:
            if wanted:
                self._ask(wanted, show)
        finally:
            self.replies.finish()

    def _ask(self, wanted: Sequence[Wanted], show: Callable[[int], None]) -> None:
        job = self.job
        try:
            coming = ask(job.sources, self.asked, wanted, job.task.config.seed, job.limits, self._keep, self.begun)
        except ValueError as error:
            raise DataError(str(error)) from error
        with contextlib.closing(coming):
            for item in coming:
                if isinstance(item, Answer):
                    self.replies.add(item.place, job.piece(item))
                else:
                    name = job.sources[item.source].name
                    self.reasons[f"{name}: {item.reason}"] += 1
                    self.replies.fail(item.place, item.source, f"{name}: {item.reason}")
                show(self.replies.n_done)

    def _keep(self, answer: Answer) -> None:
        self.replies.keep(answer.place, self.job.piece(answer))

    def _row(self, place: int, pieces: Sequence[Piece]) -> dict[str, Any]:
        row = self.job.row(place, pieces)
        if sum(len(piece.columns["responses"]) for piece in pieces) == sum(source.n for source in self.job.sources):
            self.n_replies += len(row["responses"])
            self.n_cut += row["finished"].count(False)
        return row
