import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfdiv.data import DataError, read_records
from hfdiv.data.resume import GrowingReplies
from hfdiv.data.unordered import Piece, UnorderedReplies


PROMPTS = ["Hi", "Bye", [{"role": "user", "content": "你好 👋"}], "Hi", ""]
N_WANTED = [2, 1]
SETTINGS = {"model": "tiny"}


def row_of(place, pieces):
    columns = {"responses": [], "finished": []}
    for piece in pieces:
        for name, values in piece.columns.items():
            columns[name] += values
    return columns


def opened(folder, **options):
    return UnorderedReplies(GrowingReplies(folder, PROMPTS, SETTINGS, **options), len(PROMPTS), N_WANTED, row_of)


def piece(place, source, n_had, n):
    texts = [f"{place} {source} {number}" for number in range(n_had, n_had + n)]
    return Piece(source, {"responses": texts, "finished": [True] * n})


def give(replies, place, source, n_had, n=None):
    given = piece(place, source, n_had, N_WANTED[source] - n_had if n is None else n)
    replies.keep(place, given)
    replies.add(place, given)


def rows(folder):
    return [json.loads(line) for line in (folder / "replies.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]


WHOLE = [
    {
        "prompt": prompt,
        "responses": [f"{place} {source} {number}" for source in (0, 1) for number in range(N_WANTED[source])],
        "finished": [True] * 3,
    }
    for place, prompt in enumerate(PROMPTS)
]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@settings(max_examples=60)
@given(st.data())
def test_any_order_any_pieces_and_any_kill_give_the_same_file(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("out")
    replies = opened(folder)
    while missing := replies.missing():
        place, source, n_had = data.draw(st.sampled_from(missing))
        what = data.draw(st.sampled_from(["all", "all", "one", "fail", "kill", "torn", "kept"]))
        if what in ("all", "one"):
            give(replies, place, source, n_had, 1 if what == "one" else None)
        elif what == "fail":
            replies.fail(place, source, "status 500")
            replies.finish()
            replies = opened(folder)
        elif what == "kept":  # killed between keeping and adding
            replies.keep(place, piece(place, source, n_had, 1))
            replies = opened(folder)
        else:
            journal = folder / "unfinished.jsonl"
            if what == "torn" and journal.exists():
                with journal.open("ab") as file:
                    file.write(b'{"prompt": 0, "sou')
            replies = opened(folder)
    replies.finish()
    assert rows(folder) == WHOLE
    assert names(folder) == ["generate.json", "replies.jsonl"]
    assert (replies.n_done, replies.n_failed) == (5, 0)


def test_rows_are_written_as_soon_as_it_is_their_turn(tmp_path):
    replies = opened(tmp_path)
    give(replies, 1, 0, 0)
    give(replies, 1, 1, 0)
    assert not (tmp_path / "replies.jsonl").exists()
    give(replies, 0, 1, 0)
    give(replies, 0, 0, 0, n=1)
    assert replies.n_done == 0
    give(replies, 0, 0, 1)
    assert rows(tmp_path) == WHOLE[:2]
    assert replies.n_done == 2


def test_a_failure_has_a_row_that_says_why_and_does_not_hold_up_the_others(tmp_path):
    replies = opened(tmp_path)
    replies.fail(1, 0, "a: status 500")
    for place in (0, 2, 3, 4):
        give(replies, place, 0, 0)
        give(replies, place, 1, 0)
    replies.fail(1, 1, "b: status 400")
    replies.finish()
    failed = {"prompt": "Bye", "responses": [], "finished": [], "error": "a: status 500; b: status 400"}
    assert rows(tmp_path) == [WHOLE[0], failed, *WHOLE[2:]]
    assert (replies.n_done, replies.n_failed) == (4, 1)
    records = read_records(tmp_path / "replies.jsonl")
    assert [len(group) for group in records.groups] == [3, 0, 3, 3, 3]
    again = opened(tmp_path)
    assert again.missing() == [(1, 0, 0), (1, 1, 0)]
    give(again, 1, 0, 0)
    give(again, 1, 1, 0)
    assert again.n_done == 5
    again.finish()
    assert rows(tmp_path) == WHOLE
    assert names(tmp_path) == ["generate.json", "replies.jsonl"]


def test_what_there_is_of_a_failed_prompt_is_in_its_row_and_is_not_asked_for_again(tmp_path):
    replies = opened(tmp_path)
    give(replies, 0, 0, 0, n=1)
    give(replies, 0, 1, 0)
    replies.fail(0, 0, "a: status 500")
    replies.finish()
    assert rows(tmp_path)[0] == {
        "prompt": "Hi",
        "responses": ["0 0 0", "0 1 0"],
        "finished": [True] * 2,
        "error": "a: status 500",
    }
    assert opened(tmp_path).missing()[0] == (0, 0, 1)
    again = opened(tmp_path)
    again.fail(0, 0, "a: status 502")
    again.finish()
    assert rows(tmp_path)[0]["error"] == "a: status 502"
    assert opened(tmp_path).missing()[0] == (0, 0, 1)


def test_no_folder_is_made_for_failures_alone(tmp_path):
    replies = opened(tmp_path / "out")
    for place in range(5):
        replies.fail(place, 0, "status 500")
        replies.fail(place, 1, "status 500")
    replies.finish()
    assert not (tmp_path / "out").exists()


def test_a_kill_before_late_rows_are_in_their_places_loses_none(tmp_path):
    replies = opened(tmp_path)
    for source in (0, 1):
        replies.fail(0, source, "status 500")
    for place in range(1, 5):
        give(replies, place, 0, 0)
        give(replies, place, 1, 0)
    replies.finish()
    again = opened(tmp_path)
    give(again, 0, 0, 0)
    give(again, 0, 1, 0)  # and now the kill
    once_more = opened(tmp_path)
    assert once_more.missing() == []
    once_more.finish()
    assert rows(tmp_path) == WHOLE


def test_the_journal_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr("hfdiv.data.unordered._SPENT", 3)
    replies = opened(tmp_path)
    most = 0
    for place in range(5):
        for source in (0, 1):
            give(replies, place, source, 0)
            journal = tmp_path / "unfinished.jsonl"
            most = max(most, journal.read_bytes().count(b"\n") if journal.exists() else 0)
    assert most <= 4
    assert rows(tmp_path) == WHOLE


def test_overwriting_begins_anew_with_the_first_reply(tmp_path):
    replies = opened(tmp_path)
    give(replies, 0, 0, 0)
    anew = opened(tmp_path, overwrite=True)
    assert anew.missing()[0] == (0, 0, 0)
    assert (tmp_path / "unfinished.jsonl").read_bytes()
    give(anew, 1, 1, 0)
    assert opened(tmp_path).missing()[:3] == [(0, 0, 0), (0, 1, 0), (1, 0, 0)]


@pytest.mark.parametrize(
    "entry",
    [
        {"prompt": 9, "source": 0, "responses": []},
        {"prompt": 0, "source": 2, "responses": []},
        {"prompt": 0, "source": 0},
        {"prompt": 0, "source": 0, "responses": "a"},
        {"source": 0, "responses": []},
    ],
)
def test_pieces_of_something_else_are_refused(tmp_path, entry):
    give(opened(tmp_path), 0, 0, 0)
    (tmp_path / "unfinished.jsonl").write_text(json.dumps(entry) + "\n")
    with pytest.raises(DataError, match="is not of these prompts and sources"):
        opened(tmp_path)


def test_what_is_noted_is_not_compared(tmp_path):
    give(opened(tmp_path, noted={"servers": {"m": "http://a/v1"}}), 0, 0, 0)
    assert json.loads((tmp_path / "generate.json").read_text())["servers"] == {"m": "http://a/v1"}
    assert opened(tmp_path, noted={"servers": {"m": "http://b/v1"}}).missing()[0] == (0, 1, 0)
