"""Tests of hfdiv/ab/table.py: what counts, what does not, and why."""

import math

import numpy as np
import pytest

from hfdiv.ab.table import read_table
from hfdiv.data import DataError
from tests.ab.logs import row, talk, write_log


BOTH = [row("u1", "control"), row("u2", "varied")]


def table(tmp_path, rows, **options):
    return read_table([write_log(tmp_path / "log.jsonl", rows)], **options)


def test_columns(tmp_path):
    found = table(
        tmp_path,
        [
            row("u1", "control", "c1", abandoned=True, dwell_time=2),
            row("u2", "varied", "c1", time=5.0, messages=talk("a", "b")),
            row("u1", "control", "c2", abandoned=False),
        ],
    )
    assert (found.experiment, found.arms) == ("endings", ["control", "varied"])
    assert found.arm.tolist() == [0, 1]
    assert found.unit.tolist() == [0, 1, 0]
    assert found.time[1] == 5
    assert np.array_equal(found.values["abandoned"], [1, math.nan, 0], equal_nan=True)
    assert np.array_equal(found.values["turns"], [math.nan, 1, math.nan], equal_nan=True)
    assert list(found.texts["varied"]) == ["u2"]


def test_units_in_several_arms_are_left_out_and_counted(tmp_path):
    found = table(tmp_path, [*BOTH, row("u3", "control"), row("u3", "control", "c2"), row("u3", "varied", "c3")])
    assert len(found.arm) == 2
    assert (found.counts.contaminated_units, found.counts.contaminated) == (1, 3)
    assert "u3" not in found.texts["control"]


def test_rows_that_repeat_count_once(tmp_path):
    found = table(tmp_path, [*BOTH, *BOTH, row("u1", "control", "c2")])
    assert len(found.unit) == 3
    assert (found.counts.repeated, found.counts.replaced) == (2, 0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_latest_of_several_rows_on_a_conversation_counts(tmp_path, order):
    told = [row(dwell_time=1, time=10, messages=talk("a", "b")), row(dwell_time=9, time=20, messages=talk("a", "c"))]
    found = table(tmp_path, [*(told[place] for place in order), BOTH[1]])
    assert found.values["dwell_time"].tolist()[:1] == [9]
    assert found.counts.replaced == 1
    assert [each.replies for each in found.texts["control"]["u1"]] == [["c"]]


def test_one_name_of_a_conversation_may_serve_several_units(tmp_path):
    assert len(table(tmp_path, BOTH).unit) == 2


def test_an_unknown_arm_is_a_bad_row(tmp_path):
    rows = [*BOTH, row("u3", "other")]
    with pytest.raises(DataError, match=r"log.jsonl, row 3: the arm 'other' is none of \['control', 'varied'\]"):
        table(tmp_path, rows, arms=["control", "varied"])
    found = table(tmp_path, rows, arms=["control", "varied"], skip_bad=True)
    assert (found.counts.bad, len(found.arm)) == (1, 2)
    assert "row 3: the arm 'other'" in found.counts.examples[0]
    assert table(tmp_path, rows).arms == ["control", "other", "varied"]


def test_bad_rows_stop_unless_they_are_to_be_skipped(tmp_path):
    rows = [*BOTH, row("u3", dwell_time=-1), {"arm": "control"}]
    with pytest.raises(DataError, match=r"line 3: `dwell_time` must be at least 0, got -1. Give `--skip-bad`"):
        table(tmp_path, rows)
    assert table(tmp_path, rows, skip_bad=True).counts.bad == 2


def test_a_row_that_is_being_written_is_no_error(tmp_path):
    path = write_log(tmp_path / "log.jsonl", BOTH)
    with path.open("a") as file:
        file.write('{"experiment": "end')
    assert read_table([path]).counts.unfinished == 1


def test_units_that_take_no_part_are_counted(tmp_path):
    assert table(tmp_path, [*BOTH, row("u3", None)]).counts.apart == 1


def test_several_experiments_must_be_told_apart(tmp_path):
    rows = [*BOTH, {**row("u1", "varied"), "experiment": "other"}]
    with pytest.raises(DataError, match="several experiments, such as 'endings' and 'other'"):
        table(tmp_path, rows)
    found = table(tmp_path, rows, experiment="endings")
    assert (found.counts.elsewhere, found.counts.contaminated_units) == (1, 0)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "no conversation to analyze: the logs are empty"),
        ([row("u1", None)], {}, "no conversation to analyze: rows 1, apart 1"),
        (BOTH, {"experiment": "none"}, "no conversation to analyze: rows 2, elsewhere 2"),
        (BOTH, {"control": "old"}, r"no arm 'old' to compare with; there are \['control', 'varied'\]"),
        (BOTH[:1], {}, "Beside the control 'control', no arm has"),
        (BOTH, {"arms": ["control", "varied", "third"]}, "The arm 'third' has no conversation that counts"),
        ([*BOTH, row("u2", "control")], {}, "The arm 'varied' has no conversation that counts"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path, rows, options, message):
    with pytest.raises(DataError, match=message):
        table(tmp_path, rows, **options)
