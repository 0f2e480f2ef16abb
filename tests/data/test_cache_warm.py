import json

import pytest

from hfdiv.data import DataError
from hfdiv.data.cache import CacheConfig, ResponseCache
from hfdiv.data.cache.warm import warm


TALK = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "你好"}]
ROWS = [
    {"prompt": "Where is it?", "responses": ["On its way.", "Let me look.", "on its way."], "finished": [1, 1, 1]},
    {"prompt": TALK, "responses": ["您好！👋", "您好"], "finished": [True, False], "score": [0.9, 0.1]},
    {"prompt": "Bye", "response": "See you.", "finished": True, "score": 0.5},
]


@pytest.fixture
def cache(tmp_path):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=2, fill=1)) as cache:
        yield cache


def contents(cache):
    return {json.dumps(entry.prompt): entry.responses for entry in cache.entries()}


def test_replies_become_answers(cache, jsonl):
    done = warm(cache, [jsonl(ROWS)], where="finished")
    assert done == {
        "it is the first": 3,
        "it is different": 1,
        "it was stored already": 1,
        "`finished` is not true": 1,
    }
    assert cache.get(TALK).text == "您好！👋"
    assert cache.get("Where is it?").text == "On its way."


def test_to_run_it_again_changes_nothing(cache, jsonl):
    warm(cache, [jsonl(ROWS)])
    before = contents(cache)
    assert warm(cache, [jsonl(ROWS)]) == {"it was stored already": 6}
    assert contents(cache) == before


def test_quality_comes_from_a_column(tmp_path, jsonl):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=2, fill=1, min_quality=0.4)) as cache:
        done = warm(cache, [jsonl(ROWS)], quality_column="score")
        assert done == {"no `score`": 3, "it is the first": 2, "its quality is below 0.4": 1}
        assert cache.get("Bye").quality == 0.5


def test_in_csv_true_is_a_word(cache, jsonl):
    file = jsonl("prompt,response,ok\nHi,Hello,True\nBye,See you,false\n", "replies.csv")
    assert warm(cache, [file], where="ok") == {"it is the first": 1, "`ok` is not true": 1}
    with pytest.raises(DataError, match="`ok` must be true or false, got str 'maybe'"):
        warm(cache, [jsonl("prompt,response,ok\nHi,Hello,maybe\n", "other.csv")], where="ok")


def test_what_is_exported_is_read_back(cache, jsonl, tmp_path):
    warm(cache, [jsonl(ROWS)])
    file = jsonl([vars(entry) for entry in cache.entries()], "answers.jsonl")
    with ResponseCache(tmp_path / "other.db", "a", CacheConfig(k=2)) as other:
        warm(other, [file], quality_column="quality")
        assert contents(other) == contents(cache)


def test_bad_rows_stop_it_or_are_counted(cache, jsonl):
    file = jsonl([ROWS[2], {"prompt": "alone"}])
    with pytest.raises(DataError, match=r"replies.jsonl, line 2: no reply"):
        warm(cache, [file])
    assert contents(cache) == {'"Bye"': ["See you."]}  # what was read is stored
    assert warm(cache, [file], skip_bad=True) == {"it was stored already": 1, "its row cannot be read": 1}


@pytest.mark.parametrize("option", ["where", "quality_column"])
def test_a_column_that_is_nowhere_is_told(cache, jsonl, option):
    with pytest.raises(DataError, match=r"No reply has a column 'done'; the columns are \['finished', 'score'\]"):
        warm(cache, [jsonl(ROWS)], **{option: "done"})


def test_it_says_how_far_it_is(cache, jsonl):
    seen, file = [], jsonl(ROWS)
    warm(cache, [file], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)
