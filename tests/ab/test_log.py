"""Tests of hfdiv/ab/log.py: rows are whole, whoever writes and whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hfdiv.ab import log_conversation
from hfdiv.ab.log import append_line
from hfdiv.data import DataError
from tests.ab.logs import talk


WRITER = """
import sys
from hfdiv.ab import log_conversation
name, n, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for number in range(n):
    log_conversation(path, experiment="e", arm="a", unit_id=name, conversation_id=number,
                     messages=[{"role": "user", "content": "x" * 20000}], note="😀" * (number % 50))
"""


def writer(name, n, path):
    return subprocess.Popen([sys.executable, "-c", WRITER, name, str(n), str(path)])


def lines(path):
    text = path.read_bytes()
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_row_holds_all_that_was_given(tmp_path):
    path = tmp_path / "log.jsonl"
    log_conversation(
        path,
        experiment="e",
        arm=None,
        unit_id=7,
        conversation_id="c",
        messages=talk("您好\n", "👍🏽 <b>"),
        dwell_time=3,
        abandoned=True,
        model="m",
    )
    (found,) = lines(path)
    assert found["messages"] == talk("您好\n", "👍🏽 <b>")
    assert {name: found[name] for name in ("arm", "unit_id", "dwell_time", "abandoned", "model")} == {
        "arm": None,
        "unit_id": 7,
        "dwell_time": 3,
        "abandoned": True,
        "model": "m",
    }
    assert found["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"dwell_time": -1}, "`dwell_time` must be at least 0"),
        ({"abandoned": "perhaps"}, "`abandoned` must be true or false"),
        ({"turns": -2}, "`turns` must be at least 0"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, "message 1 is from 'nobody'"),
        ({"messages": talk("cut \ud83d")}, "half of a surrogate pair"),
        ({"unit_id": ""}, "`unit_id` must be a name"),
        ({"unit_id": "\udc00"}, "half of a surrogate pair"),
        ({"time": "yesterday"}, "`time` must be ISO 8601"),
        ({"score": float("nan")}, "cannot be written as JSON"),
        ({"score": object()}, "cannot be written as JSON"),
        ({"note": "cut \ud83d"}, "cannot be written as JSON"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, columns, message):
    path = tmp_path / "log.jsonl"
    known = {"experiment": "e", "arm": "a", "unit_id": "u", "conversation_id": "c"}
    with pytest.raises(DataError, match=message):
        log_conversation(path, **{**known, **columns})
    assert not path.exists()


def test_several_processes_write_to_one_file(tmp_path):
    path = tmp_path / "log.jsonl"
    writers = [writer(f"w{place}", 40, path) for place in range(4)]
    assert [process.wait() for process in writers] == [0] * 4
    found = lines(path)
    assert len(found) == 160
    for name in ("w0", "w3"):
        assert [each["conversation_id"] for each in found if each["unit_id"] == name] == list(range(40))


def test_a_kill_loses_no_row_that_was_appended(tmp_path):
    path = tmp_path / "log.jsonl"
    process = writer("killed", 100_000, path)
    while not path.exists() or path.stat().st_size < 300_000:
        time.sleep(0.005)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    log_conversation(path, experiment="e", arm="a", unit_id="after", conversation_id=0)
    found = lines(path)
    assert [each["conversation_id"] for each in found[:-1]] == list(range(len(found) - 1))
    assert found[-1]["unit_id"] == "after"


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ('{"a": 1}\n{"a": "cut o', '{"a": 1}\n'),
        ('{"a": 1}\n{"a": 2}', '{"a": 1}\n{"a": 2}\n'),
        ('{"cut', ""),
        ("", ""),
        ('{"a": 1}\n\n', '{"a": 1}\n\n'),
        ('{"a": 1}\n{"b": "' + "x" * 200_000, '{"a": 1}\n'),
        ('{"a": 1}\n{"b": "您', '{"a": 1}\n'),
    ],
)
def test_what_was_not_written_to_its_end_is_cut_off(tmp_path, before, kept):
    path = tmp_path / "log.jsonl"
    path.write_text(before, encoding="utf-8")
    append_line(path, '{"a": 3}')
    assert path.read_text(encoding="utf-8") == kept + '{"a": 3}\n'


def test_half_a_character_at_the_end_is_cut_off(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n{"b": "\xe6\x82')
    append_line(path, "{}")
    assert path.read_bytes() == b'{"a": 1}\n{}\n'


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        log_conversation(tmp_path / "no" / "log.jsonl", experiment="e", arm="a", unit_id=1, conversation_id=1)
