import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError
from hfdiv.data.conversations import Logs, Rejected, import_logs
from hfdiv.data.conversations.gathered import IDS, gathered


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


TALKS = {
    "a": [user("Hi"), {**assistant("Hello!"), "rating": "5"}, user("Bye"), assistant("=Bye()\n<b> 你好 👋")],
    "b": [assistant("Welcome"), user("Where?"), {**assistant("Here."), "abandoned": "true"}],
}


def rows_of(talks=TALKS, name="conversation_id"):
    return [{name: key, **message} for key, talk in talks.items() for message in talk]


@pytest.fixture
def table(tmp_path):
    def write(rows, name="log.csv"):
        path = tmp_path / name
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, delimiter="\t" if name.endswith("tsv") else ",", restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


def read(path):
    return [found for row in Logs([path]) for found in (row if isinstance(row, list) else [row])]


@pytest.mark.parametrize("form", ["log.csv", "log.tsv", "log.jsonl"])
def test_messages_of_one_row_each_are_the_conversations_that_they_make(form, table, jsonl, tmp_path):
    path = jsonl(rows_of()) if form == "log.jsonl" else table(rows_of(), form)
    whole = tmp_path / "whole.jsonl"
    whole.write_text("".join(json.dumps({"conversation_id": k, "messages": t}) + "\n" for k, t in TALKS.items()))
    replies = read(path)
    assert replies == read(whole)
    assert [reply.response for reply in replies] == ["Hello!", "=Bye()\n<b> 你好 👋", "Here."]
    assert replies[0].columns == {"conversation_id": "a", "rating": 5.0}
    assert replies[1].history == ["Hello!"]
    assert replies[2].columns == {"conversation_id": "b", "abandoned": True}


def test_an_import_counts_conversations(table, tmp_path):
    done = import_logs([table(rows_of(name="session_id"))], tmp_path / "out")
    assert (done.n_rows, done.n_replies) == (2, 3)


@given(
    st.lists(
        st.lists(st.sampled_from([user("q"), assistant("r"), user(""), assistant("s")]), min_size=1, max_size=4),
        max_size=4,
    ),
    st.sampled_from(IDS),
)
def test_nothing_is_lost_whatever_the_id_is_called(talks, name):
    rows = [{name: place, **message} for place, talk in enumerate(talks) for message in talk]
    found = [row for _, row in gathered(enumerate(rows))]
    assert found == [{name: place, "messages": talk} for place, talk in enumerate(talks)]


def test_other_rows_pass_between_conversations():
    other = {"prompt": "Hi", "response": "Hello"}
    rows = [*rows_of({"a": TALKS["a"][:2]}), other, *rows_of({"b": TALKS["b"]})]
    found = list(gathered(enumerate(rows)))
    assert [number for number, _ in found] == [0, 2, 3]
    assert found[1][1] is other


def test_a_conversation_that_goes_on_after_another_is_refused(table):
    rows = rows_of()
    path = table([*rows, {"conversation_id": "a", **user("Again")}, {"conversation_id": "a", **assistant("Yes?")}])
    *replies, first, second = read(path)
    assert [reply.response for reply in replies][:1] == ["Hello!"]
    assert {type(first), type(second)} == {Rejected}
    assert first.reason == "conversation 'a' goes on here, after another: sort the table by `conversation_id`."
    assert first.number == 10  # behind the names on top, seven messages, and the newline in one of them


def test_a_row_that_cannot_be_read_spoils_its_conversation(table, tmp_path):
    path = table(rows_of())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"a,user\xff,Hm,,\r\n", *lines[2:]]))
    bad, spoiled, reply = read(path)
    assert "not UTF-8" in bad.reason
    assert "row 3, in the middle of this conversation, cannot be read." in spoiled.reason
    assert spoiled.number == 2
    assert reply.response == "Here."
    done = import_logs([path], tmp_path / "out", skip_bad=True)
    assert (done.n_replies, done.n_rejected) == (1, 2)


def test_messages_without_a_conversation_say_what_is_missing(table):
    with pytest.raises(DataError, match="one message a row needs a column .*, such as `conversation_id`"):
        list(Logs([table([user("Hi"), assistant("Hello")])]).replies())
