"""`hfdiv demo`: the whole loop on a real model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer


if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress, TaskID


NEEDED = ("torch", "trl", "peft", "datasets", "sentence_transformers", "gguf", "yaml", "scipy", "matplotlib", "jinja2")


def demo(
    output_dir: Annotated[Path, typer.Option(help="Folder for the report, the replies and the models.")],
    model: Annotated[
        str | None,
        typer.Option(help="Model to start from: a name, folder or GGUF file. Default: SmolLM2-135M from its package."),
    ] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Train a second time with a diversity weight of 0, and compare the two.")
    ] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of training for diversity.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier run left in the folder.")
    ] = False,
) -> None:
    """Make a model answer every customer alike, measure it, train it for diversity, and measure it again.

    Takes some minutes on two CPU cores, and needs no network.

    Example: `hfdiv demo --output-dir demo-output`
    """
    from rich.console import Console

    from hfdiv.cli.show import print_comparison

    console = Console()
    with console.status("Loading PyTorch, transformers and TRL"):
        _load_quietly(offline=model is None)
        from hfdiv.demo.run import DemoSettings, run_demo
    settings = DemoSettings(model=model, seed=seed, control=control)
    if steps is not None:
        settings = replace(settings, diversity_steps=steps)
    try:
        with _progress(console) as progress:
            comparison = run_demo(output_dir, settings, _reporter(progress), overwrite=overwrite)
    except KeyboardInterrupt:
        made = sorted(path.name for path in output_dir.glob("*.jsonl"))
        console.print(f"Interrupted. Finished so far, in {output_dir}: {', '.join(made) or 'nothing'}")
        raise typer.Exit(130) from None
    print_comparison(console, comparison, output_dir / "report.html")


def _reporter(progress: Progress) -> Callable[[str, int, int], None]:
    """Return a function that keeps one bar a stage, or prints one line a stage where there is no terminal."""
    bars: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = progress.add_task(stage, total=total)
            if not progress.console.is_terminal:
                progress.console.print(f"{stage} ...", highlight=False)
        progress.update(bars[stage], completed=done)

    return report


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _load_quietly(offline: bool) -> None:
    """Load the libraries, and keep their own bars and advice off the terminal: the demo shows its own progress."""
    import os
    import warnings

    from hfdiv._extras import require

    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    warnings.filterwarnings("ignore", category=FutureWarning)
    for module in NEEDED:  # after the settings above, which are read when a library is loaded
        require(module, "demo")
    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
