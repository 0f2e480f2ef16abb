import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError
from hfdiv.data.journal import Journal


ENTRIES = [
    {"prompt": 3, "responses": ["你好 👋", "a\nb"]},
    {"prompt": 0, "responses": ["\u2028"]},
    {"prompt": 1, "x": []},
]


def filled(folder):
    journal = Journal(folder / "unfinished.jsonl")
    for entry in ENTRIES:
        journal.append(entry)
    return journal


def test_entries_come_back_in_order(tmp_path):
    assert filled(tmp_path).entries() == ENTRIES
    assert Journal(tmp_path / "unfinished.jsonl").entries() == ENTRIES
    assert Journal(tmp_path / "none.jsonl").entries() == []


@given(st.integers(0, 10_000))
def test_an_entry_that_was_cut_is_dropped_and_the_rest_stays(tmp_path_factory, place):
    journal = filled(tmp_path_factory.mktemp("journal"))
    whole = journal.path.read_bytes()
    kept = whole[: place % (len(whole) + 1)]
    journal.path.write_bytes(kept)
    assert journal.entries() == ENTRIES[: kept.count(b"\n")]
    journal.append(ENTRIES[0])
    assert journal.entries() == [*ENTRIES[: kept.count(b"\n")], ENTRIES[0]]


def test_what_is_no_longer_needed_is_dropped(tmp_path):
    journal = filled(tmp_path)
    journal.keep(lambda entry: entry["prompt"] < 2)
    assert journal.entries() == ENTRIES[1:]
    journal.keep(lambda entry: False)
    assert list(tmp_path.iterdir()) == []
    journal.keep(lambda entry: True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["[1]", "{", "\x00\x00"])
def test_a_line_of_someone_else_is_refused(tmp_path, line):
    journal = filled(tmp_path)
    journal.path.write_text(f"{json.dumps(ENTRIES[0])}\n{line}\n{json.dumps(ENTRIES[1])}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"unfinished.jsonl, line 2: this is not what this command writes"):
        journal.entries()


def test_threads_do_not_lose_each_others_entries(tmp_path):
    journal = Journal(tmp_path / "unfinished.jsonl")

    def work(number):
        for count in range(50):
            journal.append({"thread": number, "count": count})
            if count % 10 == 0:
                journal.keep(lambda entry: True)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = journal.entries()
    assert sorted((entry["thread"], entry["count"]) for entry in found) == [
        (n, c) for n in range(4) for c in range(50)
    ]
