import json

import pytest

from hfdiv.data import DataError
from hfdiv.data.prompts import read_prompts


CHAT = [
    {"role": "user", "content": "在吗？"},
    {"role": "assistant", "content": "在的 👋"},
    {"role": "user", "content": "好"},
]


def lines(path, *rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_prompts_are_texts_or_messages_in_order(tmp_path):
    path = lines(tmp_path / "p.jsonl", {"prompt": "Hi 🏳️‍🌈"}, {"prompt": CHAT, "id": 3}, {"prompt": ""})
    prompts = read_prompts(path)
    assert prompts.prompts == ["Hi 🏳️‍🌈", CHAT, ""]
    assert prompts.histories == [[], [], []]


def test_messages_are_prompts_too_and_a_column_can_be_named(tmp_path):
    path = lines(tmp_path / "p.jsonl", {"messages": CHAT, "question": "Why?"})
    assert read_prompts(path).prompts == [CHAT]
    assert read_prompts(path, prompt_column="question").prompts == ["Why?"]


def test_a_text_file_has_a_prompt_a_line_and_a_table_one_a_row(tmp_path):
    (tmp_path / "p.txt").write_text("one\n\n二\n", encoding="utf-8")
    (tmp_path / "p.csv").write_text("id,prompt\n1,one\n2,二\n", encoding="utf-8")
    assert read_prompts(tmp_path / "p.txt").prompts == ["one", "二"]
    assert read_prompts(tmp_path / "p.txt").fingerprint == read_prompts(tmp_path / "p.csv").fingerprint


@pytest.mark.parametrize(
    ("history", "replies"),
    [(None, []), ([], []), (["a", "好的"], ["a", "好的"]), (CHAT, ["在的 👋"])],
)
def test_histories_are_replies_or_a_conversation(tmp_path, history, replies):
    path = lines(tmp_path / "p.jsonl", {"prompt": "Hi", "history": history})
    assert read_prompts(path).histories == [replies]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9])
def test_a_limit_counts_over_all_files(tmp_path, limit):
    lines(tmp_path / "a.jsonl", {"prompt": "1"}, {"prompt": "2"})
    lines(tmp_path / "b.jsonl", {"prompt": "3"}, {"prompt": "4"})
    assert read_prompts(tmp_path, limit=limit).prompts == list("1234")[:limit]


def test_a_fingerprint_changes_with_anything_that_counts(tmp_path):
    rows = [{"prompt": "1"}, {"prompt": "2"}, {"prompt": "1", "history": ["x"]}, {"prompt": CHAT}]
    marks = {read_prompts(lines(tmp_path / f"{i}.jsonl", row)).fingerprint for i, row in enumerate(rows)}
    both = read_prompts(lines(tmp_path / "both.jsonl", *rows[:2]))
    assert len(marks | {both.fingerprint}) == 5
    other = read_prompts(lines(tmp_path / "other.jsonl", {"prompt": "1", "id": 7}))
    assert other.fingerprint in marks


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"promt": "Hi"}, "line 1: no prompt: a row needs `prompt` or `messages`; this one has ['promt']. Did you"),
        ({"prompt": 3}, "line 1: A prompt must be a string or a list of chat messages, got int"),
        ({"prompt": "Hi", "history": "Hello"}, "`history` must be a list of earlier replies or chat messages"),
        ({"prompt": "Hi", "history": [1]}, "`history` must be a list"),
        ({"prompt": "\ud83d"}, "half of a surrogate pair"),
        ([1], "a row must be a JSON object"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, message):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError) as caught:
        read_prompts(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_no_prompts_are_an_error(tmp_path):
    (tmp_path / "p.txt").write_text("\n")
    with pytest.raises(DataError, match="holds no prompts"):
        read_prompts(tmp_path / "p.txt")
    with pytest.raises(DataError, match="Cannot read"):
        read_prompts(tmp_path / "none.jsonl")
