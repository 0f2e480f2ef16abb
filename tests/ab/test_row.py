"""Tests of hfdiv/ab/row.py: what a row says, and what it must not."""

import pytest

from hfdiv.ab.row import read_row
from hfdiv.data import DataError
from tests.ab.logs import row, talk


def values(**columns):
    return read_row(row(**columns)).values


def test_names_and_time():
    found = read_row(row(7, "varied", 3))
    assert (found.unit, found.arm, found.id, found.experiment) == ("7", "varied", "3", "endings")
    assert found.time == 1740819600
    assert read_row(row(time=1740819600)).time == 1740819600
    assert read_row(row(time="2025-03-01T10:00:00+01:00")).time == 1740819600
    assert read_row(row(time="2025-03-01T09:00:00")).time == 1740819600  # no zone is UTC


def test_turns_are_counted_where_the_log_does_not_say():
    assert values(messages=talk("a", "b", "c", "d"))["turns"] == 2
    assert values(messages=talk("a", "b", "c"))["turns"] == 1
    assert values(messages=talk("a"))["turns"] == 0
    assert values(messages=talk("a", "b"), turns=9)["turns"] == 9
    assert values(prompt="a", response="b")["turns"] == 1
    assert "turns" not in values()


def test_feedback_on_replies_is_put_together():
    messages = talk("a", "b", "c", "d")
    messages[1] |= {"dwell": 2.5, "clicked": False, "stars": 2}
    messages[3] |= {"dwell_seconds": 4, "click": True, "rating": 5}
    found = read_row(row(messages=messages), columns=("rating",)).values
    assert found == {"turns": 2, "dwell_time": 6.5, "click": 1, "rating": 3.5}
    assert values(messages=messages, dwell_time=1, click=False) == {"turns": 2, "dwell_time": 1, "click": 0}


def test_what_is_missing_is_not_there():
    assert values(dwell_time=None, click="", abandoned=float("nan")) == {}
    assert values(dwell_time=float("nan")) == {}


def test_further_columns_are_numbers():
    assert read_row(row(score="1.5"), columns=("score",)).values == {"score": 1.5}
    assert read_row(row(score=True), columns=("score",)).values == {"score": 1.0}
    assert read_row(row(score=None), columns=("score",)).values == {}


def test_replies_and_turns():
    found = read_row(row(messages=[{"role": "assistant", "content": "Hi"}, *talk("a", "b")]))
    assert found.replies == ["b"]
    assert [turn.content for turn in found.turns] == ["Hi", "a", "b"]
    found = read_row(row(prompt=talk("a", "b", "c"), completion="d"))
    assert found.replies == ["d"]
    assert [turn.role for turn in found.turns] == ["user", "assistant", "user", "assistant"]


def test_cells_of_a_table_are_text():
    cells = {name: str(value) for name, value in row(abandoned="no", dwell_time="3.5", click="").items()}
    found = read_row({**cells, "messages": '[{"role": "user", "content": "a"}]'}, untyped=True)
    assert found.values == {"turns": 0, "dwell_time": 3.5, "abandoned": 0}
    assert read_row({**cells, "arm": ""}, untyped=True).arm is None


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"dwell_time": -1}, "at least 0, got -1"),
        ({"dwell_time": float("inf")}, "must be a number"),
        ({"dwell_time": "long"}, "must be a number"),
        ({"click": "maybe"}, "true or false"),
        ({"turns": -1}, "`turns` must be at least 0"),
        ({"turns": "many"}, "`turns`: it must be a number"),
        ({"turns": float("inf")}, "`turns` must be finite"),
        ({"arm": 1.5}, "`arm` must be a name"),
        ({"arm": ""}, "`arm` must be a name"),
        ({"unit_id": None}, "`unit_id` must be a name"),
        ({"time": None}, "`time` must be"),
        ({"time": True}, "`time` must be"),
        ({"time": 1740819600000}, "`time` must be"),  # milliseconds
        ({"messages": []}, "at least one message"),
        ({"messages": "Hi"}, "at least one message"),
        ({"messages": talk("a \ud83d")}, "surrogate"),
        ({"prompt": "a", "responses": ["b", "c"]}, "several replies to choose from"),
        ({"prompt": "a"}, "no reply"),
        ({"role": "user", "content": "a"}, "a message alone"),
        ({"prompt": 3, "response": "b"}, "must be a"),
    ],
)
def test_what_cannot_be_understood_is_said(columns, message):
    with pytest.raises(DataError, match=message):
        read_row({**row(), **columns})


@pytest.mark.parametrize("name", ["experiment", "arm", "unit_id", "conversation_id", "time"])
def test_every_row_needs_its_names(name):
    cells = row()
    del cells[name]
    with pytest.raises(DataError, match=f"a row needs `{name}`"):
        read_row(cells)
    with pytest.raises(DataError, match="must be a JSON object"):
        read_row([1, 2])
