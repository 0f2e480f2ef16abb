"""`hfdiv ab`: honest A/B tests of what users do with replies."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer


if TYPE_CHECKING:
    from hfdiv.ab.plan import Baseline

ab = typer.Typer(
    name="ab",
    help="A/B tests: assign users, plan a size, analyze the log, and decide.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Logs = Annotated[
    list[Path],
    typer.Argument(
        help="JSON Lines, CSV, TSV, Parquet, or folders of one kind.", metavar="LOG...", show_default=False
    ),
]
_Experiment = Annotated[
    str | None, typer.Option(help="Name of the experiment, where the log holds several.", show_default=False)
]
_Control = Annotated[str, typer.Option(help="Arm that the others are compared with.")]
_SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out and count unreadable rows instead of stopping.")]
_Arms = Annotated[
    str | None,
    typer.Option(
        help="Arms and weights as they were assigned. Default: those in the log, equally.", show_default=False
    ),
]


@ab.command()
def assign(
    experiment: Annotated[str, typer.Option(help="Name of the experiment.", show_default=False)],
    file: Annotated[
        Path | None, typer.Argument(help="Ids, one a line; or with --column, a table. Default: stdin.")
    ] = None,
    arms: Annotated[str, typer.Option(help="Arms and their weights.")] = "control=1,treatment=1",
    holdout: Annotated[float, typer.Option(help="Share of the units that take no part; their arm is null.")] = 0.0,
    column: Annotated[
        str | None, typer.Option(help="FILE is JSON Lines, CSV or Parquet: the column of ids.", show_default=False)
    ] = None,
) -> None:
    r"""Say which arm each unit is in: by a hash, so the same on every machine.

    Prints JSON Lines: `unit_id`, `experiment` and `arm`; with --column, the rows with these two added.

    Example: `printf 'u1\nu2\n' | hfdiv ab assign --experiment endings --arms control=1,varied=1`
    """
    from hfdiv.ab import assign as arm_of
    from hfdiv.ab.assignment import parse_arms
    from hfdiv.data import DataError

    weights = parse_arms(arms)
    for row, unit in _units(file, column):
        try:
            arm = arm_of(unit, experiment, list(weights), list(weights.values()), holdout)
        except ValueError as error:
            raise DataError(str(error)) from error
        print(json.dumps({**row, "experiment": experiment, "arm": arm}, ensure_ascii=False, default=str))


@ab.command()
def plan(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Take the baseline from past logs (--metric names it).", metavar="[LOG]...", show_default=False
        ),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Metric of the logs, such as abandoned or dwell_time.")] = None,
    proportion: Annotated[float | None, typer.Option(help="Or the share without treatment, such as 0.3.")] = None,
    mean: Annotated[float | None, typer.Option(help="Or the mean without treatment, with --sd.")] = None,
    sd: Annotated[float | None, typer.Option(help="Standard deviation of one conversation.")] = None,
    conversations: Annotated[float, typer.Option(help="Conversations a unit.")] = 1.0,
    alike: Annotated[
        float, typer.Option(help="How alike those of one unit are, 0 to 1 (intra-class correlation).")
    ] = 0.0,
    effect: Annotated[str | None, typer.Option(help="Effect to find: `10%` of the baseline, or `-0.02`.")] = None,
    units: Annotated[
        int | None, typer.Option(min=2, help="Or: units of the control; says what they can find.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Chance of a false positive.")] = 0.05,
    power: Annotated[float, typer.Option(help="Chance of finding the effect.")] = 0.8,
    ratio: Annotated[float, typer.Option(help="Units of another arm for each of the control.")] = 1.0,
    arms: Annotated[int, typer.Option(min=2, help="Arms, with the control.")] = 2,
    tests: Annotated[
        int | None, typer.Option(min=1, help="Tests that share alpha: metrics that decide × arms. Default: arms − 1.")
    ] = None,
    units_per_day: Annotated[float | None, typer.Option(help="New units a day, all arms together.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say how many units an experiment needs, or what effect it can find.

    Example: `hfdiv ab plan --proportion 0.3 --effect -10% --units-per-day 400`
    """
    from hfdiv.ab.plan import plan as plan_for
    from hfdiv.cli.ab_text import plan_text

    baseline = _baseline(logs, metric, proportion, mean, sd, conversations, alike)
    found = plan_for(
        baseline,
        effect=None if effect is None else _effect(effect, baseline.value),
        units=units,
        alpha=alpha,
        power=power,
        ratio=ratio,
        n_arms=arms,
        n_tests=tests,
        units_per_day=units_per_day,
    )
    print(json.dumps(found.to_dict(), indent=2) if as_json else plan_text(found, baseline, power, units))


@ab.command()
def analyze(
    logs: _Logs,
    output_dir: Annotated[
        Path, typer.Option(help="Folder for `report.html`, `ab.json` and `figures/`.", show_default=False)
    ],
    primary: Annotated[
        str,
        typer.Option(
            help="Metric that decides: turns, dwell_time, click, abandoned, conversations.", show_default=False
        ),
    ],
    guardrail: Annotated[
        list[str] | None,
        typer.Option(help="A metric that must not get worse by more: `dwell_time=5%` or `click=0.01`. Repeatable."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="A further column: `rating=mean`, or count, skewed, proportion. Repeatable."),
    ] = None,
    lower_is_better: Annotated[list[str] | None, typer.Option(help="A metric that should fall. Repeatable.")] = None,
    higher_is_better: Annotated[list[str] | None, typer.Option(help="A metric that should rise. Repeatable.")] = None,
    cap: Annotated[
        list[str] | None, typer.Option(help="Take greater values for this one: `dwell_time=1800`. Repeatable.")
    ] = None,
    control: _Control = "control",
    arms: _Arms = None,
    experiment: _Experiment = None,
    effect: Annotated[
        str, typer.Option(help="Relative effect that the experiment is to find: intervals are tuned for it.")
    ] = "10%",
    peeking: Annotated[
        bool,
        typer.Option(
            "--peeking/--no-peeking",
            help="Intervals that stay right however often one looks; or narrower ones, for a single look at an end "
            "that was fixed beforehand.",
        ),
    ] = True,
    planned_units: Annotated[int | None, typer.Option(min=1, help="Units an arm that were planned.")] = None,
    alpha: Annotated[float, typer.Option(help="Chance of a false positive.")] = 0.05,
    correction: Annotated[
        Literal["holm", "fdr_bh", "none"], typer.Option(help="Of several tests; fdr_bh is Benjamini-Hochberg.")
    ] = "holm",
    tokenizer: Annotated[str, typer.Option(help="How replies are split: mixed, whitespace, char, ...")] = "mixed",
    samples: Annotated[int, typer.Option(min=0, help="Conversations an arm to show; they are users' own words.")] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap of diversity.")] = 0,
    skip_bad: _SkipBad = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Analyze the log of an experiment, and say for each arm: ship, do not ship, or keep running.

    Example: `hfdiv ab analyze log.jsonl --primary abandoned --guardrail dwell_time=5% --output-dir ab`
    """
    from rich.console import Console

    from hfdiv.ab import Settings, choose_metrics
    from hfdiv.ab import analyze as analyze_logs
    from hfdiv.ab.assignment import parse_arms
    from hfdiv.ab.metrics import parse_margin
    from hfdiv.ab.write import write_analysis
    from hfdiv.cli.ab_text import print_analysis

    margin = parse_margin("effect", effect)
    settings = Settings(
        metrics=choose_metrics(
            primary,
            guardrail or [],
            more=metric or [],
            lower_is_better=lower_is_better or [],
            higher_is_better=higher_is_better or [],
            caps=cap or [],
        ),
        control=control,
        weights=None if arms is None else parse_arms(arms),
        experiment=experiment,
        effect=margin.size,
        alpha=alpha,
        peeking=peeking,
        planned_units=planned_units,
        correction=correction,
        tokenizer=tokenizer,
        n_samples=samples,
        seed=seed,
        skip_bad=skip_bad,
    )
    with Console(stderr=True).status("Analyzing the log"):
        analysis = analyze_logs(logs, settings)
        paths = write_analysis(analysis, output_dir)
    if as_json:
        print(json.dumps(analysis.to_dict(), ensure_ascii=False, indent=2, allow_nan=False))
        return
    print_analysis(Console(), analysis, paths["html"])


@ab.command()
def export(
    logs: _Logs,
    arm: Annotated[str, typer.Option(help="The arm whose conversations are wanted.", show_default=False)],
    output: Annotated[Path, typer.Option(help="File to write, JSON Lines.", show_default=False)],
    experiment: _Experiment = None,
    skip_bad: _SkipBad = False,
) -> None:
    """Write the conversations of one arm that count, as they are in the log: for `hfdiv data import`.

    Example: `hfdiv ab export log.jsonl --arm varied --output varied.jsonl`
    """
    from hfdiv.ab.export import export_arm

    n = export_arm(logs, arm, output, experiment=experiment, skip_bad=skip_bad)
    print(f"{n} conversations of {arm}: {output}")


def _units(file: Path | None, column: str | None) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what is to be printed of each unit, and its id."""
    from hfdiv.data import DataError
    from hfdiv.data.folder import parts_of

    if column is None:
        lines = sys.stdin if file is None or str(file) == "-" else _lines(file)
        for line in lines:
            if line.strip():
                yield {"unit_id": line.strip()}, line.strip()
        return
    if file is None:
        raise DataError("`--column` names a column of FILE: give a file.")
    for part in parts_of(file):
        for number, row in part.rows():
            unit = row.get(column) if isinstance(row, dict) else None
            if isinstance(unit, bool) or not isinstance(unit, (str, int)) or unit == "":
                raise DataError(f"{part.path}, {part.unit} {number}: no id in the column {column!r}, got {unit!r}.")
            yield row, str(unit)


def _lines(file: Path) -> list[str]:
    from hfdiv.data import DataError

    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read ids from {file}: {error}.") from error


def _baseline(
    logs: list[Path] | None,
    metric: str | None,
    proportion: float | None,
    mean: float | None,
    sd: float | None,
    conversations: float,
    alike: float,
) -> Baseline:
    from hfdiv.ab.plan import Baseline, baseline_of
    from hfdiv.data import DataError

    given = [bool(logs), proportion is not None, mean is not None]
    if sum(given) != 1 or (mean is None) != (sd is None) or bool(logs) != (metric is not None):
        raise DataError("Give one baseline: logs with `--metric`, `--proportion`, or `--mean` with `--sd`.")
    if logs and metric is not None:
        return baseline_of(logs, metric)
    return Baseline(proportion if mean is None else mean, sd, conversations, alike)  # type: ignore[arg-type]


def _effect(text: str, value: float) -> float:
    """Return the difference that a text such as `-10%` or `0.02` means."""
    from hfdiv.ab.metrics import parse_margin

    size = parse_margin("effect", text.strip().lstrip("+-"))
    sign = -1 if text.strip().startswith("-") else 1
    return sign * size.size * (abs(value) if size.is_relative else 1)
