"""`hfdiv train`: fine-tuning, preference learning and reinforcement learning, from a YAML recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Context settings of the command: options that it does not know are the training script's."""


def train(
    context: typer.Context,
    method: Annotated[
        Literal["sft", "dpo", "cpo", "simpo", "orpo", "grpo", "rloo"],
        typer.Argument(help="What to train by.", show_default=False),
    ],
    config: Annotated[Path, typer.Option(help="Recipe (YAML): any argument of the trainer, the model and the data.")],
    accelerate_config: Annotated[
        Path | None, typer.Option(help="Accelerate config (YAML), for several processes, DeepSpeed or FSDP.")
    ] = None,
    num_processes: Annotated[
        int | None, typer.Option(min=1, help="Processes to train in. Default: one for each GPU, or one.")
    ] = None,
) -> None:
    """Train a model for diversity: sft on good replies, dpo, cpo, simpo or orpo on pairs, grpo or rloo on rewards.

    Runs `accelerate launch` on the script `hfdiv.trainer.scripts.METHOD`. Any other option is passed on and wins
    over the recipe, such as `--learning_rate 1e-6`; `python -m hfdiv.trainer.scripts.grpo --help` lists them.

    Example: `hfdiv train grpo --config examples/recipes/grpo.yaml --max_steps 100`
    """
    from hfdiv._extras import require
    from hfdiv.data import DataError
    from hfdiv.trainer.launch import launch

    require("trl", "trainer")
    if not config.is_file():
        raise DataError(f"There is no recipe {config}.")
    try:
        code = launch(method, ["--config", str(config), *context.args], accelerate_config, num_processes)
    except (FileNotFoundError, ValueError) as error:
        raise DataError(str(error)) from error
    raise typer.Exit(code)
