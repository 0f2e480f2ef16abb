"""`hfdiv generate --backend vllm`: replies written by vLLM in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfdiv._extras import require
from hfdiv.cli.replies_file import as_asked
from hfdiv.cli.task import Task
from hfdiv.data import DataError


if TYPE_CHECKING:
    from hfdiv.generation.replies import Replies


@dataclass(frozen=True)
class VLLMJob:
    """vLLM in this process."""

    task: Task
    model: str
    dtype: str
    arguments: Mapping[str, Any]
    packages: tuple[str, ...] = ("torch", "vllm")

    def settings(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "backend": "vllm",
            "model": self.model,
            "dtype": self.dtype,
            "vllm": dict(self.arguments),
            **self.task.decoding(),
            **self.task.prompts(),
        }

    def replies(self, first: int, streaming: bool) -> Iterator[Replies]:
        """Load the model and return the replies from prompt `first` on.

        Raises:
            DataError: If a prompt cannot be replied to, or vLLM does not take an argument.
        """
        from hfdiv.generation.backends import replies_of_vllm

        vllm, task = require("vllm", "vllm"), self.task
        try:
            llm = vllm.LLM(model=self.model, dtype=self.dtype, **self.arguments)
            return replies_of_vllm(
                llm,
                as_asked(task, llm.get_tokenizer()),
                task.config,
                histories=task.given.histories,
                n_written=task.best_of,
                choose=task.choice,
                first=first,
            )
        except (TypeError, ValueError) as error:
            raise DataError(str(error)) from error


def vllm_job(task: Task, model: str | None, dtype: str | None, arguments: Path | None) -> VLLMJob:
    """Return the job that the options of the command stand for.

    Raises:
        DataError: If there is no model, vLLM has no such setting, or the file of arguments is not as it must be.
        ImportError: If vLLM is not installed.
    """
    from hfdiv.generation.backends.engines import check_settings

    if model is None:
        raise DataError("--backend vllm needs --model, a name on the Hub or a folder.")
    if find_spec("vllm") is None:  # loading it takes long
        require("vllm", "vllm")
    try:
        check_settings(task.config, "vllm")
    except ValueError as error:
        raise DataError(str(error)) from error
    return VLLMJob(task, model, dtype or "auto", _arguments(arguments))


def _arguments(path: Path | None) -> dict[str, Any]:
    """Read the YAML file of arguments of `vllm.LLM`."""
    from hfdiv.generation.config import read_yaml

    if path is None:
        return {}
    try:
        arguments = read_yaml(path)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    options = sorted({"model", "dtype"} & arguments.keys())
    if options:
        raise DataError(f"{path}: give {' and '.join(f'`{name}` as `--{name}`' for name in options)}.")
    return arguments
