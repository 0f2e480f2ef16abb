"""A stream of chunks against the file read at once."""

import importlib
import itertools
import json
import math
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import Chunk, DataError, Records, read_records, stream
from tests.data.rows import assert_records


ROWS = {
    "scattered": [
        {"prompt": f"问{n % 7}", "response": f"{n} 好 👍", **({"score": n} if n % 3 else {}), "ok": n % 2 == 0}
        for n in range(60)
    ],
    "whole": [{"prompt": f"q{n // 2}", "responses": [f"{n}.{k}" for k in range(n % 4)]} for n in range(20)],
    "flat": [{"text": f"{n} 字", "ok": bool(n % 2)} for n in range(30)],
}
CHUNKS = [1, 2, 3, 7, 20, 10_000]
BUDGETS = [1, 1_000, 5_000, 10**9]


def groups_of(records):
    """Each group with its prompt and its numbers, in an order of their own. NaN is None, which equals itself."""
    columns = {name: column for name, column in records.columns.items() if any(map(len, column))}
    found = []
    for place, (prompt, group) in enumerate(zip(records.prompts, records.groups, strict=True)):
        numbers = {name: [None if math.isnan(x) else x for x in column[place]] for name, column in columns.items()}
        numbers = {name: values for name, values in sorted(numbers.items()) if any(x is not None for x in values)}
        found.append((prompt, group, str(numbers)))
    return sorted(found)


def joined(chunks):
    """What the chunks hold together, a corpus put together again."""
    chunks = list(chunks)
    if not chunks[0].has_prompts:
        (names,) = {tuple(sorted(chunk.columns)) for chunk in chunks}
        columns = {name: [sum((chunk.columns[name][0] for chunk in chunks), [])] for name in names}
        return [([""], [sum((chunk.texts for chunk in chunks), [])], columns)]
    return sorted(itertools.chain.from_iterable(map(groups_of, chunks)))


@pytest.mark.parametrize("layout", ROWS)
@pytest.mark.parametrize("chunk_responses", CHUNKS)
@pytest.mark.parametrize("budget_bytes", BUDGETS)
def test_a_stream_has_the_groups_of_the_file(layout, chunk_responses, budget_bytes, jsonl):
    path = jsonl(ROWS[layout])
    records = read_records(path)
    options = {"chunk_responses": chunk_responses, "budget_bytes": budget_bytes}
    chunks = list(stream(path, **options))
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    if layout == "flat":
        assert joined(chunks) == [(records.prompts, records.groups, records.columns)]
    else:
        assert joined(chunks) == groups_of(records)
    if layout == "whole":  # in the order of the file
        assert sum((chunk.groups for chunk in chunks), []) == records.groups
    bytes_read = [chunk.bytes_read for chunk in chunks]
    assert bytes_read == sorted(bytes_read)
    assert bytes_read[-1] == stream(path).total_bytes == path.stat().st_size


@given(
    st.lists(st.tuples(st.text(max_size=1), st.text(max_size=5)), min_size=1, max_size=30),
    st.sampled_from(CHUNKS),
    st.sampled_from(BUDGETS),
)
def test_any_rows(tmp_path_factory, pairs, chunk_responses, budget_bytes):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text("".join(json.dumps({"prompt": p, "text": t}) + "\n" for p, t in pairs), encoding="utf-8")
    expected = {p: [t for q, t in pairs if q == p] for p, _ in pairs}
    chunks = list(stream(path, chunk_responses=chunk_responses, budget_bytes=budget_bytes))
    prompts = [prompt for chunk in chunks for prompt in chunk.prompts]
    assert len(prompts) == len(expected)
    assert dict(zip(prompts, (group for chunk in chunks for group in chunk.groups), strict=True)) == expected


@pytest.mark.parametrize("layout", ROWS)
def test_chunks_are_of_the_size_asked_for(layout, jsonl):
    sizes = [chunk.n_responses for chunk in stream(jsonl(ROWS[layout]), chunk_responses=7)]
    longest = {"scattered": 9, "whole": 3, "flat": 1}[layout]
    assert len(sizes) > 3
    assert all(7 <= size < 7 + longest for size in sizes[:-1])
    assert 0 < sizes[-1] < 7 + longest


@pytest.mark.parametrize("layout", ["whole", "flat"])
def test_chunks_of_long_texts_hold_fewer(layout, jsonl):
    long = "长" * 10_000
    rows = {
        "whole": [{"prompt": str(n), "responses": [long] * 2} for n in range(10)],
        "flat": [{"text": long}] * 20,
    }
    sizes = [chunk.n_responses for chunk in stream(jsonl(rows[layout]), budget_bytes=80_000)]
    assert sizes == [4] * 5


def test_order_in_the_file_is_kept_where_it_fits(jsonl):
    path = jsonl(ROWS["scattered"])
    assert [prompt for chunk in stream(path, chunk_responses=5) for prompt in chunk.prompts] == [
        f"问{n}" for n in range(7)
    ]


def test_a_stream_can_be_read_again(jsonl):
    chunks = stream(jsonl(ROWS["flat"]), chunk_responses=4)
    assert [chunk.texts for chunk in chunks] == [chunk.texts for chunk in chunks]


def test_a_chunk_is_records(jsonl):
    (chunk,) = stream(jsonl(ROWS["scattered"]))
    assert isinstance(chunk, Records)
    assert chunk.where("ok").groups == read_records(jsonl(ROWS["scattered"])).where("ok").groups


@pytest.mark.parametrize("layout", ["scattered", "flat"])
@pytest.mark.parametrize("chunk_responses", CHUNKS)
@pytest.mark.parametrize("budget_bytes", [1, 10**9])
def test_where(layout, chunk_responses, budget_bytes, jsonl):
    path = jsonl(ROWS[layout])
    chunks = stream(path, where="ok", chunk_responses=chunk_responses, budget_bytes=budget_bytes)
    expected = read_records(path).where("ok")
    assert sorted(t for chunk in chunks for group in chunk.groups for t in group) == sorted(sum(expected.groups, []))
    assert {p for chunk in chunks for p in chunk.prompts} == set(expected.prompts)


def test_where_of_a_column_that_comes_late(jsonl):
    path = jsonl([{"text": "a"}, {"text": "b", "ok": True}, {"text": "c"}, {"text": "d", "ok": False}])
    chunks = list(stream(path, where="ok", chunk_responses=1))
    assert [chunk.texts for chunk in chunks] == [[], ["b"], [], []]


def test_where_without_the_column(jsonl):
    chunks = iter(stream(jsonl(ROWS["scattered"]), where="finished"))
    with pytest.raises(DataError, match=r"no column 'finished' to select by; the columns are \['ok', 'score'\]"):
        list(chunks)


def test_a_column_seen_before_is_there_in_later_chunks(jsonl):
    path = jsonl([{"text": "a"}, {"text": "b", "x": 1}, {"text": "c"}])
    columns = [chunk.columns for chunk in stream(path, chunk_responses=1)]
    assert str(columns) == "[{}, {'x': [[1.0]]}, {'x': [[nan]]}]"


def test_named_columns(jsonl):
    path = jsonl([{"q": "p", "a": "x"}, {"q": "p", "a": "y"}])
    (chunk,) = stream(path, prompt_column="q", response_column="a")
    assert_records(chunk, ["p"], [["x", "y"]])


@pytest.mark.parametrize("budget_bytes", BUDGETS)
@pytest.mark.parametrize("bad", [0, 5, 59])
def test_a_bad_row_is_named(bad, budget_bytes, jsonl):
    rows = ROWS["scattered"][:bad] + [{"prompt": "p"}] + ROWS["scattered"][bad:]
    path = jsonl(rows)
    with pytest.raises(DataError) as caught:
        list(stream(path, budget_bytes=budget_bytes))
    assert str(caught.value).startswith(f"{path}, line {bad + 1}: no reply: a row needs one of response,")


def test_what_was_right_before_a_bad_row_comes_first(jsonl):
    chunks = iter(stream(jsonl([{"text": "a"}, {"text": "b"}, {"text": 3}]), chunk_responses=1))
    assert next(chunks).texts == ["a"]
    with pytest.raises(DataError, match="line 3: A response must be a string"):
        list(chunks)


def test_a_file_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read .*none\.jsonl: No such file or directory"):
        stream(tmp_path / "none.jsonl")


def test_nothing_to_read(jsonl):
    with pytest.raises(DataError, match="holds no rows: there is nothing to measure"):
        list(stream(jsonl("\n")))
    with pytest.raises(DataError, match="holds no replies: every list of replies is empty"):
        list(stream(jsonl([{"prompt": "p", "responses": []}])))


@pytest.mark.parametrize("name", ["chunk_responses", "budget_bytes"])
def test_sizes_must_be_positive(name, jsonl):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1, got 0"):
        stream(jsonl([{"text": "a"}]), **{name: 0})


@pytest.mark.parametrize("end", ["normal", "close", "bad row", "consumer"])
def test_temporary_files_are_gone(end, jsonl, monkeypatch):
    files, make = [], tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: files.append(make(**options)) or files[-1])
    module, gathering = importlib.import_module("hfdiv.data.stream"), []  # held here, as Python 3.12 holds them
    gather = module.gather
    monkeypatch.setattr(module, "gather", lambda *rest: gathering.append(gather(*rest)) or gathering[-1])
    chunks = iter(stream(jsonl(ROWS["scattered"] + [{}] * (end == "bad row")), budget_bytes=1, chunk_responses=1))
    if end == "normal":
        assert len(list(chunks)) == 7
    elif end == "close":
        next(chunks)
        chunks.close()
    elif end == "bad row":
        with pytest.raises(DataError, match="line 61: no reply"):
            next(chunks)
    else:
        with pytest.raises(KeyboardInterrupt):
            interrupted(chunks)
        del chunks
    assert files
    assert all(file.closed for file in files)


def interrupted(chunks):
    for _ in chunks:
        raise KeyboardInterrupt
