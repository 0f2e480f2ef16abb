"""The `hfdiv` command and its subcommands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hfdiv import __version__
from hfdiv.cli.ab import ab
from hfdiv.cli.annotate import annotate
from hfdiv.cli.cache import cache
from hfdiv.cli.compare import compare
from hfdiv.cli.data import data
from hfdiv.cli.demo import demo
from hfdiv.cli.eval import evaluate
from hfdiv.cli.generate import generate
from hfdiv.cli.metrics import metrics
from hfdiv.cli.train import PASS_ON, train


app = typer.Typer(
    name="hfdiv",
    help="Measure, train for and decode with diversity.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("eval")(evaluate)
app.command("compare")(compare)
app.command("generate")(generate)
app.command("train", context_settings=PASS_ON)(train)
app.command("demo")(demo)
app.add_typer(data)
app.add_typer(annotate)
app.add_typer(ab)
app.add_typer(cache)
app.add_typer(metrics)


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    """Measure, train for and decode with diversity."""
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except (ImportError, OSError) as error:
        _complain(error)
        sys.exit(1)
    except ValueError as error:
        from hfdiv.data import DataError

        if not isinstance(error, DataError):
            raise
        _complain(error)
        sys.exit(2)


def _complain(error: Exception) -> None:
    typer.secho("Error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(str(error), err=True)
