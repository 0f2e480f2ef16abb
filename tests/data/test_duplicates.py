import pytest

from hfdiv.data.conversations import import_logs
from hfdiv.text import get_tokenizer


pytest.importorskip("datasketch", reason="near-duplicates need the extra `data`")

from hfdiv.data.duplicates import Duplicates, _bands  # noqa: E402


WORDS = [f"w{i}" for i in range(200)]


def jaccard(left, right):
    split = get_tokenizer("mixed").split
    sets = [{tuple(tokens[i : i + 3]) for i in range(max(len(tokens) - 2, 1))} for tokens in map(split, (left, right))]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def changed(n):
    """A text of 200 words of which the last n are others."""
    return " ".join([*WORDS[: 200 - n], *(f"x{i}" for i in range(n))])


def test_a_text_is_a_duplicate_of_one_that_is_nearly_the_same():
    assert jaccard(changed(0), changed(3)) > 0.95
    assert jaccard(changed(0), changed(100)) < 0.4
    duplicates = Duplicates(0.8)
    assert [duplicates.seen(changed(n)) for n in (0, 0, 3, 100, 103)] == [False, True, True, False, True]


def test_the_threshold_decides():
    close = (changed(0), changed(30))
    assert 0.7 < jaccard(*close) < 0.8
    for threshold, expected in ((0.5, True), (0.95, False), (1.0, False)):
        duplicates = Duplicates(threshold)
        assert [duplicates.seen(text) for text in close] == [False, expected]


def test_short_empty_and_chinese_texts_are_compared():
    duplicates = Duplicates(0.9)
    texts = ["", "", "no", "yes", "no", "请问我的订单在哪里？", "请问我的订单在哪里？", "👋"]
    assert [duplicates.seen(text) for text in texts] == [False, True, False, False, True, False, True, False]


@pytest.mark.parametrize("threshold", [0, 0.05, 1.01, -1, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match="`threshold` must be from 0.1"):
        Duplicates(threshold)


def test_an_import_leaves_duplicates_out_and_keeps_other_questions(jsonl, tmp_path):
    other = " ".join(f"y{i}" for i in range(100))
    rows = [{"prompt": prompt, "response": changed(n)} for prompt, n in (("a", 0), ("a", 1), (other, 0))]
    done = import_logs([jsonl(rows)], tmp_path / "out", dedup=0.9)
    assert (done.n_rows, done.n_replies, done.n_duplicates) == (3, 2, 1)
    assert import_logs([jsonl(rows)], tmp_path / "all").n_replies == 3


def test_the_turns_of_a_conversation_are_no_duplicates_of_each_other(jsonl, tmp_path):
    talk = [{"role": ("user", "assistant")[i % 2], "content": f"turn {i} of many {i}"} for i in range(60)]
    rows = [{"messages": talk}, {"messages": talk[:-1] + [{**talk[-1], "content": "turn 59 or so"}]}]
    done = import_logs([jsonl(rows)], tmp_path / "out", dedup=0.9)
    assert (done.n_replies, done.n_duplicates) == (30, 1)


def test_few_texts_at_the_threshold_are_missed():
    for threshold in (0.1, 0.5, 0.8, 0.9, 0.99, 1.0):
        bands, rows = _bands(threshold)
        assert bands * rows <= 128
        assert 1 - (1 - threshold**rows) ** bands >= 0.99
