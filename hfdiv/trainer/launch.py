"""Start a training script through `accelerate launch`, in processes of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from hfdiv._extras import require


METHODS = ("sft", "dpo", "cpo", "simpo", "orpo", "grpo", "rloo")
"""What there is a training script for."""

# How the started script and the one that started it understand each other: the launcher turns every failure into exit
# code 1, and may start fewer processes than it was told to.
EXIT_CODE_FILE = "HFDIV_EXIT_CODE_FILE"
NUM_PROCESSES = "HFDIV_NUM_PROCESSES"


def launch(
    method: str,
    arguments: Sequence[str],
    accelerate_config: str | Path | None = None,
    num_processes: int | None = None,
) -> int:
    """Run a training script and return its exit code: 0 done, 1 failed, 2 bad input, 128 + N ended by signal N.

    SIGINT and SIGTERM are passed on to all of its processes.

    Args:
        method: One of `METHODS`.
        arguments: Command-line arguments of the script.
        accelerate_config: An accelerate config (YAML). Defaults to the user's own, if any.
        num_processes: Processes to train in. Defaults to what the config says, else one for each GPU, or one.

    Raises:
        FileNotFoundError: If there is no such accelerate config.
        ValueError: If an argument is out of its range.
    """
    command = launch_command(method, arguments, accelerate_config, num_processes)
    environment = dict(os.environ)
    expected = num_processes or _processes_of(accelerate_config)
    if expected is not None:
        environment[NUM_PROCESSES] = str(expected)
    with tempfile.TemporaryDirectory(prefix="hfdiv-train-") as folder:
        exit_code_file = Path(folder, "exit_code")
        environment[EXIT_CODE_FILE] = str(exit_code_file)
        code = _run(command, environment)
        if code > 0 and exit_code_file.exists():
            code = int(exit_code_file.read_text())
    return 128 - code if code < 0 else code


def launch_command(
    method: str,
    arguments: Sequence[str],
    accelerate_config: str | Path | None = None,
    num_processes: int | None = None,
) -> list[str]:
    """Return the command that [`launch`] runs.

    Example:
        >>> launch_command("grpo", ["--config", "grpo.yaml"], num_processes=1)[1:]
        ['-m', 'hfdiv.trainer.scripts.grpo', '--config', 'grpo.yaml']
    """
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {list(METHODS)}, got {method!r}.")
    if num_processes is not None and num_processes < 1:
        raise ValueError(f"`num_processes` must be at least 1, got {num_processes}.")
    script = ["-m", f"hfdiv.trainer.scripts.{method}", *arguments]
    if accelerate_config is None and num_processes == 1:
        return [sys.executable, *script]
    command = [sys.executable, "-m", "accelerate.commands.launch", "--quiet"]
    if accelerate_config is not None:
        _read(accelerate_config)
        command += ["--config_file", str(accelerate_config)]
    elif num_processes is not None:
        # `--multi_gpu` also without GPUs: `--cpu` would start a single process whatever their number.
        command += ["--multi_gpu", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    if num_processes is not None:
        command += ["--num_processes", str(num_processes)]
    return [*command, *script]


def _processes_of(accelerate_config: str | Path | None) -> int | None:
    """Return how many processes an accelerate config asks for, `None` where it does not say."""
    if accelerate_config is None:
        return None
    settings = _read(accelerate_config)
    if settings.get("distributed_type") == "NO":
        return 1
    return settings.get("num_processes")


def _read(accelerate_config: str | Path) -> dict[str, Any]:
    yaml = require("yaml", "trainer")
    path = Path(accelerate_config)
    if not path.is_file():
        raise FileNotFoundError(f"There is no accelerate config {accelerate_config}.")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{accelerate_config} is not YAML: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"{accelerate_config} must hold a YAML mapping, as `accelerate config` writes it.")
    return settings


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command as a process group that gets this process's signals. Return its exit code, −N after signal N."""
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    received: list[int] = []

    def forward(signum: int, frame: FrameType | None) -> None:
        received.append(signum)
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(process.pid, signum)

    before = {signum: signal.signal(signum, forward) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
        return -received[0] if code and received else code  # a launcher ends with 1 whatever ended its processes
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
