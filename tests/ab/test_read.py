"""Tests of hfdiv/ab/read.py: rows with their places, and the last one that is still being written."""

import json

import pytest

from hfdiv.ab.read import BadConversation, read_log
from hfdiv.data import DataError
from tests.ab.logs import row, write_log


def test_places_are_named(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(f"{json.dumps(row())}\n\nnot json\n{json.dumps(row(arm=2.5))}\n", encoding="utf-8")
    good, broken, odd = read_log([path])
    assert (good.number, good.conversation.unit) == (1, "u1")
    assert broken.place == f"{path}, line 3"
    assert odd.place == f"{path}, line 4"
    assert "`arm` must be a name" in odd.reason
    assert not broken.unfinished


@pytest.mark.parametrize(("end", "unfinished"), [('{"experiment": "e', True), ('{"experiment": "e\n', False)])
def test_a_last_line_without_its_end_is_unfinished(tmp_path, end, unfinished):
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(row()) + "\n" + end)
    assert [each.unfinished for each in read_log([path]) if isinstance(each, BadConversation)] == [unfinished]


def test_a_whole_last_line_without_its_end_counts(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(row()))
    assert [each.conversation.unit for each in read_log([path])] == ["u1"]


def test_tables_and_several_files(tmp_path):
    table = tmp_path / "log.csv"
    table.write_text("experiment,arm,unit_id,conversation_id,time,abandoned\nendings,control,u2,c,2025-03-01,true\n")
    found = list(read_log([table, write_log(tmp_path / "log.jsonl", [row()])]))
    assert [each.conversation.unit for each in found] == ["u2", "u1"]
    assert found[0].conversation.values == {"abandoned": 1}


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match="Cannot read"):
        list(read_log([tmp_path / "no.jsonl"]))
