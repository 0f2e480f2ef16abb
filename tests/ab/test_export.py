"""Tests of hfdiv/ab/export.py: an arm's conversations out of the log, and into the import."""

import json

import pytest

from hfdiv.ab import log_conversation
from hfdiv.ab.export import export_arm
from hfdiv.data import DataError
from hfdiv.data.conversations import import_logs
from tests.ab.logs import experiment_rows, row, talk, write_log


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_rows_come_out_as_they_went_in(tmp_path):
    rows = [row("u1", "varied", note={"a": [1, "您好"]}, messages=talk("a", "b\u2028")), row("u2", "control")]
    assert export_arm([write_log(tmp_path / "log.jsonl", rows)], "varied", tmp_path / "out.jsonl") == 1
    assert lines(tmp_path / "out.jsonl") == rows[:1]


def test_what_does_not_count_stays_behind(tmp_path):
    told = [row("u1", "varied", time=1, turns=1), row("u1", "varied", time=9, turns=2)]
    mixed = [row("u2", "varied"), row("u2", "control")]
    rows = [told[1], told[0], told[1], *mixed, row("u3", "control"), row("u4", "varied")]
    log = write_log(tmp_path / "log.jsonl", rows)
    assert export_arm([log], "varied", tmp_path / "out.jsonl") == 2
    assert lines(tmp_path / "out.jsonl") == [told[1], row("u4", "varied")]


def test_an_arm_that_is_not_there_is_said(tmp_path):
    log = write_log(tmp_path / "log.jsonl", [row("u1", "varied")])
    with pytest.raises(DataError, match=r"no conversation in the arm 'other' that counts; the arms are \['varied'\]"):
        export_arm([log], "other", tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_the_log_itself_goes_into_the_import(tmp_path):
    """The loop closes: what the service wrote is what `hfdiv data import` reads, with feedback and all."""
    log = tmp_path / "log.jsonl"
    messages = talk("Where is it?", "On its way.", "When?", "Today. 👍🏽")
    messages[3]["rating"] = 5
    log_conversation(
        log,
        experiment="endings",
        arm="varied",
        unit_id="u1",
        conversation_id=3,
        messages=messages,
        dwell_time=12.5,
        click=True,
        abandoned=True,
    )
    done = import_logs([log], tmp_path / "imported")
    assert (done.n_rows, done.n_replies, done.n_rejected) == (1, 2, 0)
    first, last = lines(tmp_path / "imported" / "rows.jsonl")
    assert (first["abandoned"], last["abandoned"]) == (False, True)
    assert last["history"] == ["On its way."]
    assert {name: last[name] for name in ("arm", "unit_id", "conversation_id", "dwell_time", "click", "rating")} == {
        "arm": "varied",
        "unit_id": "u1",
        "conversation_id": 3,
        "dwell_time": 12.5,
        "click": True,
        "rating": 5,
    }


def test_a_whole_experiment_goes_into_the_import(tmp_path):
    log = write_log(tmp_path / "log.jsonl", experiment_rows(60))
    done = import_logs([log], tmp_path / "all")
    assert done.n_rejected == 0
    n = export_arm([log], "varied", tmp_path / "varied.jsonl")
    exported = import_logs([tmp_path / "varied.jsonl"], tmp_path / "imported")
    assert (exported.n_rows, exported.n_replies) == (n, 2 * n)
    assert n < done.n_rows
    assert {each["arm"] for each in lines(tmp_path / "imported" / "rows.jsonl")} == {"varied"}
