import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError, read_records
from hfdiv.data.resume import GrowingReplies


PROMPTS = ["Hi", [{"role": "user", "content": "你好 👋"}], "", "Hi"]
SETTINGS = {"model": "tiny", "decoding": {"seed": 0, "top_p": 0.9}}
REPLIES = [["a", "b\nc"], ["好的。", ""], ["\u2028", "🏳️‍🌈"], ["d", "e"]]


def write(folder, stop=4, **options):
    replies = GrowingReplies(folder, PROMPTS, SETTINGS, **options)
    for group in REPLIES[replies.n_done : stop]:
        replies.add({"responses": group, "finished": [True, False]})
    return replies


def test_nothing_is_made_before_the_first_reply(tmp_path):
    replies = GrowingReplies(tmp_path / "deep" / "out", PROMPTS, SETTINGS)
    assert (replies.n_done, list(tmp_path.iterdir())) == (0, [])
    replies.add({"responses": ["a"]})
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == ["generate.json", "replies.jsonl"]


def test_what_is_written_is_read_as_groups(tmp_path):
    records = read_records(write(tmp_path).path)
    assert records.groups == REPLIES
    assert records.columns["finished"] == [[1.0, 0.0]] * 4


@given(st.data())
def test_a_file_cut_anywhere_is_gone_on_with_to_the_same_bytes(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("out")
    path = write(folder).path
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:place])
    assert GrowingReplies(folder, PROMPTS, SETTINGS).n_done == whole[:place].count(b"\n")
    write(folder)
    assert path.read_bytes() == whole


def test_a_killed_run_may_have_left_its_settings_alone(tmp_path):
    write(tmp_path).path.unlink()
    assert write(tmp_path, stop=2).n_done == 2


def test_what_differs_is_named_setting_by_setting(tmp_path):
    write(tmp_path, stop=1)
    other = {"model": "tiny", "decoding": {"seed": 1, "top_p": 0.9}, "raw": True}
    with pytest.raises(DataError) as caught:
        GrowingReplies(tmp_path, PROMPTS, other)
    assert "`decoding.seed` was 0 and is 1; `raw` was None and is True." in str(caught.value)


def test_versions_are_noted_down_but_not_compared(tmp_path):
    write(tmp_path, stop=1, versions={"torch": "2.6"})
    assert write(tmp_path, versions={"torch": "2.7"}).n_done == 4
    assert json.loads((tmp_path / "generate.json").read_text())["versions"] == {"torch": "2.6"}


def test_overwrite_begins_anew_with_the_first_reply(tmp_path):
    path = write(tmp_path).path
    before = path.read_bytes()
    replies = GrowingReplies(tmp_path, ["Bye"], {"model": "other"}, overwrite=True)
    assert path.read_bytes() == before
    replies.add({"responses": ["x"]})
    assert path.read_text() == '{"prompt": "Bye", "responses": ["x"]}\n'
    assert json.loads((tmp_path / "generate.json").read_text())["settings"] == {"model": "other"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("generate.json", None, "without a generate.json that says what it is"),
        ("generate.json", "{}", "generate.json is not what this command writes"),
        ("generate.json", "half", "generate.json is not what this command writes"),
        ("replies.jsonl", '{"prompt": "Other", "responses": []}\n', "line 1: these are no replies to prompt 1"),
        ("replies.jsonl", "half\n", "line 1: these are no replies to prompt 1"),
    ],
)
def test_what_it_did_not_write_is_left_alone(tmp_path, name, content, message):
    write(tmp_path, stop=2)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match=message):
        GrowingReplies(tmp_path, PROMPTS, SETTINGS)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_more_lines_than_prompts_are_not_its_own(tmp_path):
    path = write(tmp_path).path
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(DataError, match="line 5"):
        GrowingReplies(tmp_path, PROMPTS, SETTINGS)
