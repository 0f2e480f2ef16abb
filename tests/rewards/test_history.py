import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.rewards import HistoryReward, history_reward
from hfdiv.rewards.history import history_similarity, last_sentence
from hfdiv.similarity import BleuSimilarity, NgramSimilarity


UNIGRAMS = NgramSimilarity(n=1)
sentence = st.lists(st.sampled_from(["a", "b", "c", "好"]), max_size=3).map(lambda words: " ".join(words) + ".")
reply = st.one_of(st.just(""), st.lists(sentence, max_size=3).map(" ".join))


def jaccard(left, right):
    """On words of the mixed tokenizer of these sentences: letters and the full stop."""
    left, right = set(left) - {" "}, set(right) - {" "}
    return len(left & right) / len(left | right) if left and right else math.nan


def brute_force(texts, histories):
    values = []
    for text, history in zip(texts, histories, strict=True):
        found = [jaccard(text, earlier) for earlier in history]
        values.append(max((value for value in found if not math.isnan(value)), default=math.nan))
    return values


@given(st.lists(st.tuples(reply, st.lists(reply, max_size=3)), max_size=5))
def test_whole_replies_equal_a_loop_over_pairs(rows):
    texts, histories = [text for text, _ in rows], [history for _, history in rows]
    values = history_similarity(texts, histories, UNIGRAMS, scope="response")
    assert values.tolist() == pytest.approx(brute_force(texts, histories), nan_ok=True)


@given(st.lists(st.tuples(reply, st.lists(reply, max_size=3)), max_size=5))
def test_last_sentences_are_compared_as_whole_replies_made_of_them(rows):
    texts, histories = [text for text, _ in rows], [history for _, history in rows]
    cut = [[last_sentence(earlier) for earlier in history] for history in histories]
    np.testing.assert_array_equal(
        history_similarity(texts, histories, UNIGRAMS),
        history_similarity([last_sentence(text) for text in texts], cut, UNIGRAMS, scope="response"),
    )


def test_the_ending_counts_and_the_body_does_not():
    history = ["Your parcel is late. Anything else?", "好的。还需要什么帮助吗？"]
    texts = ["Refunds take a week. Anything else?", "明天到。还需要什么帮助吗？", "Refunds take a week."]
    values = history_similarity(texts, [history] * 3, UNIGRAMS)
    assert values[:2].tolist() == [1.0, 1.0]
    assert values[2] == 0.0
    whole = history_similarity(texts, [history] * 3, UNIGRAMS, scope="response")
    assert whole[0] == pytest.approx(4 / 12)  # anything else ? . of 8 + 8 − 4 words and marks


def test_no_history_and_nothing_to_compare_are_undefined():
    values = history_similarity(["a.", "", "a.", "a."], [[], ["a."], [""], ["", "a."]], UNIGRAMS)
    assert np.isnan(values[:3]).all()
    assert values[3] == 1.0
    assert history_similarity([], [], UNIGRAMS).shape == (0,)


def test_the_reply_is_the_row_of_a_similarity_that_is_not_symmetric():
    contained = NgramSimilarity(n=1, kind="containment")
    assert history_similarity(["a"], [["a b"]], contained, scope="response").tolist() == [1.0]
    assert history_similarity(["a b"], [["a"]], contained, scope="response").tolist() == [0.5]


def test_a_similarity_is_asked_once_for_each_different_history():
    asked = []

    def similarity(texts):
        asked.append(list(texts))
        return BleuSimilarity(n=1)(texts)

    history_similarity(["x.", "x.", "y.", "z."], [["a.", "a."], ["a."], ["a."], ["b."]], similarity)
    assert asked == [["x.", "y.", "a."], ["z.", "b."]]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="one history a text, got 1 for 2"):
        history_similarity(["a", "b"], [["a"]], UNIGRAMS)
    with pytest.raises(ValueError, match="`scope` must be one of .*'response'.*got 'word'"):
        history_similarity(["a"], [["a"]], UNIGRAMS, scope="word")


def test_the_last_sentence_of_a_text():
    assert last_sentence("One. Two!") == "Two!"
    assert last_sentence("  \n") == ""
    assert last_sentence("no full stop") == "no full stop"


ENDS_ALIKE = ["It is on its way. Anything else?"]


@given(st.lists(st.tuples(reply, st.lists(reply, max_size=3)), min_size=1, max_size=5), st.floats(0, 0.9))
def test_the_reward_falls_evenly_from_the_threshold_to_sameness(rows, threshold):
    texts, histories = [text for text, _ in rows], [history for _, history in rows]
    scores = HistoryReward(threshold, "response")(["?"] * len(rows), texts, history=histories)
    for score, value in zip(scores, brute_force(texts, histories), strict=True):
        assert (score is None) == math.isnan(value)
        assert score is None or score == pytest.approx(-max(value - threshold, 0) / (1 - threshold))
        assert score is None or -1 <= score <= 0


def test_the_history_of_the_reward_is_the_column_or_the_chat():
    chat = [
        {"role": "assistant", "content": ENDS_ALIKE[0]},
        {"role": "user", "content": "Thanks"},
    ]
    replies = ["Bye! Anything else?", "Bye!"]
    assert history_reward([chat] * 2, replies) == [-1.0, 0.0]
    assert history_reward(["Thanks"] * 2, replies, history=[ENDS_ALIKE, ENDS_ALIKE]) == [-1.0, 0.0]
    assert history_reward([chat] * 2, replies, history=[[], None]) == [None, None]
    assert history_reward([chat], [[{"role": "assistant", "content": replies[0]}]]) == [-1.0]


def test_any_similarity_goes():
    def by_letters(texts):
        return np.array([[len(set(a) & set(b)) / max(len(set(a)), len(set(b)), 1) for b in texts] for a in texts])

    reward = HistoryReward(threshold=0.5, similarity=by_letters)
    assert reward(["?"] * 2, ["abcd", "abxy"], history=[["abcx"]] * 2) == pytest.approx([-0.5, -0.5])


def test_plain_prompts_without_a_history_column_are_refused():
    with pytest.raises(KeyError, match=r"needs a column 'history'.*there are \['answer'\].*chat messages"):
        history_reward(prompts=["?"], completions=["a"], answer=["b"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.0}, "`threshold` must be at least 0 and below 1, got 1.0"),
        ({"threshold": math.nan}, "`threshold` must be at least 0 and below 1, got nan"),
        ({"scope": "word"}, "`scope` must be one of"),
        ({"n": 0}, "`n` must be an integer of at least 1, got 0"),
    ],
)
def test_bad_arguments_of_the_reward_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        HistoryReward(**options)
