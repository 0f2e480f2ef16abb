"""Tests of hfdiv/cli/ab.py: from users to a decision by commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hfdiv.ab import assign
from hfdiv.cli.ab import ab
from hfdiv.data import DataError
from tests.ab.logs import experiment_rows, row, write_log


EXAMPLE = Path(__file__).parents[2] / "examples" / "simulate_ab_log.py"


def run(*arguments, text=None):
    result = CliRunner().invoke(ab, [str(argument) for argument in arguments], input=text)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def lines(text):
    return [json.loads(line) for line in text.split("\n") if line]


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "log.jsonl", experiment_rows(600, abandoned=(0.6, 0.2)))


def test_ids_on_stdin_are_assigned():
    found = lines(run("assign", "--experiment", "endings", "--arms", "control=1,varied=3", text="u1\n\n 用户 \n"))
    arms = ["control", "varied"]
    assert found == [
        {"unit_id": unit, "experiment": "endings", "arm": assign(unit, "endings", arms, [1, 3])}
        for unit in ("u1", "用户")
    ]


def test_ids_in_files_are_assigned(tmp_path):
    (tmp_path / "ids.txt").write_text("\ufeffu1\nu2\n", encoding="utf-8")
    found = lines(run("assign", tmp_path / "ids.txt", "--experiment", "e", "--holdout", 0.5))
    assert [each["arm"] for each in found] == [assign(unit, "e", holdout=0.5) for unit in ("u1", "u2")]
    table = write_log(tmp_path / "users.jsonl", [{"id": 7, "name": "Ada"}])
    assert lines(run("assign", table, "--column", "id", "--experiment", "e")) == [
        {"id": 7, "name": "Ada", "experiment": "e", "arm": assign(7, "e")}
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.txt"], "Cannot read ids from"),
        (["--column", "id"], "give a file"),
        (["ids.jsonl", "--column", "name"], r"line 1: no id in the column 'name'"),
        (["ids.txt", "--arms", "control"], "Arms are given as"),
        (["ids.txt", "--holdout", "1"], "`holdout` must be a share"),
    ],
)
def test_ids_that_cannot_be_assigned_are_refused(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("ids.txt").write_text("u1\n")
    Path("ids.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DataError, match=message):
        run("assign", *arguments, "--experiment", "e")


def test_a_plan_in_words_and_as_json():
    text = run("plan", "--proportion", 0.3, "--effect=-10%", "--units-per-day", 400)
    assert "Effect −0.03 from 0.3 (−10.0%), alpha 0.05 a test, power 0.8." in text
    assert "3,554 units in the control, 3,554 in each other arm, 18 days." in text
    assert "at most 6,888 and 6,888, 1.94 times as many, 35 days." in text
    found = json.loads(run("plan", "--mean", 60, "--sd", 80, "--units", 500, "--json"))
    assert found["control"] == 500
    assert found["peeking_effect"] > found["effect"] > 0
    assert "an effect of" in run("plan", "--mean", 60, "--sd", 80, "--units", 500)


def test_a_plan_from_a_log(log):
    assert "from 0.375" in run("plan", log, "--metric", "abandoned", "--effect", "0.05")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--proportion", 0.3, "--mean", 3, "--sd", 1],
        ["--mean", 3],
        ["--proportion", 0.3, "--sd", 1],
        ["--metric", "click"],
        ["log.jsonl"],
    ],
)
def test_a_plan_needs_one_baseline(arguments):
    with pytest.raises(DataError, match="Give one baseline"):
        run("plan", *arguments, "--effect", "5%")


def test_from_a_log_to_a_decision(log, tmp_path):
    text = run(
        "analyze", log, "--primary", "abandoned", "--guardrail", "dwell_time=60%", "--output-dir", tmp_path / "ab"
    )
    assert "varied: ship" in text
    assert "The primary metric got better: abandoned" in text
    found = json.loads((tmp_path / "ab" / "ab.json").read_text(encoding="utf-8"))
    assert found["decisions"][0]["action"] == "ship"
    assert found["settings"]["peeking"]
    assert (tmp_path / "ab" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_options_reach_the_analysis(log, tmp_path):
    options = (
        "--metric note=mean --lower-is-better turns --higher-is-better abandoned --cap dwell_time=100 "
        "--control varied --arms control=1,varied=1 --experiment endings --effect 20% --no-peeking --planned-units 9 "
        "--alpha 0.1 --correction fdr_bh --tokenizer char --samples 1 --seed 3 --skip-bad --json"
    ).split()
    found = json.loads(run("analyze", log, "--primary", "abandoned", *options, "--output-dir", tmp_path / "ab"))
    settings = found["settings"]
    metrics = {metric["name"]: metric for metric in settings.pop("metrics")}
    assert settings == {
        "control": "varied",
        "weights": {"control": 1, "varied": 1},
        "experiment": "endings",
        "effect": 0.2,
        "alpha": 0.1,
        "peeking": False,
        "planned_units": 9,
        "correction": "fdr_bh",
        "tokenizer": "char",
        "n_texts": 1000,
        "n_samples": 1,
        "n_resamples": 2000,
        "seed": 3,
        "skip_bad": True,
    }
    assert [arm["name"] for arm in found["arms"]] == ["varied", "control"]
    assert metrics["dwell_time"]["cap"] == 100
    assert metrics["abandoned"]["higher_is_better"]
    assert not metrics["turns"]["higher_is_better"]
    assert "The log does not say 'note'." in found["notes"]


def test_the_winner_comes_out_again(log, tmp_path):
    text = run("export", log, "--arm", "varied", "--output", tmp_path / "varied.jsonl")
    assert text.startswith("400 conversations of varied: ")
    rows = lines((tmp_path / "varied.jsonl").read_text(encoding="utf-8"))
    assert {each["arm"] for each in rows} == {"varied"}


def test_bad_input_ends_with_a_message_and_2(tmp_path):
    log = write_log(tmp_path / "log.jsonl", [row("a", "control", dwell_time=-1)])
    command = ["ab", "analyze", str(log), "--primary", "dwell_time", "--output-dir", str(tmp_path / "ab")]
    code = "import sys; from hfdiv.cli import main; sys.argv = ['hfdiv', *sys.argv[1:]]; main()"
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert done.returncode == 2
    assert "line 1: `dwell_time` must be at least 0, got -1." in done.stderr
    assert not (tmp_path / "ab").exists()


@pytest.mark.skipif(not EXAMPLE.exists(), reason="examples are not there")
def test_the_example_writes_a_log_that_can_be_analyzed(tmp_path):
    pytest.importorskip("yaml")
    log = tmp_path / "log.jsonl"
    subprocess.run([sys.executable, str(EXAMPLE), str(log), "--users", "300"], check=True, capture_output=True)
    found = json.loads(
        run(
            "analyze",
            log,
            "--primary",
            "abandoned",
            "--arms",
            "control=1,varied=1",
            "--output-dir",
            tmp_path,
            "--json",
        )
    )
    assert found["counts"]["apart"] > 0
    assert {measure["name"]: measure["change"] for measure in found["variety"]}["distinct_2"] == "more varied"
    assert not found["sample_ratio"]["is_mismatch"]
