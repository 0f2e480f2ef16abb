import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.generation.backends.choices import Choices, read_choices
from hfdiv.generation.backends.failures import RetryableError


def chat(*contents, reason="stop", **more):
    return json.dumps(
        {"choices": [{"message": {"content": text}, "finish_reason": reason, **more} for text in contents]}
    )


def test_texts_are_stripped_and_kept_whole(any_texts):
    assert read_choices(chat(*any_texts), at_most=99).responses == [text.strip() for text in any_texts]


def test_completions_have_their_text_elsewhere():
    body = json.dumps({"choices": [{"text": " Hi ", "index": 0, "finish_reason": "length", "logprobs": None}]})
    assert read_choices(body, 1) == Choices(["Hi"], [False], [None])


@pytest.mark.parametrize(
    ("reason", "finished"),
    [("stop", True), ("eos_token", True), ("length", False), ("content_filter", False), (None, False), (7, False)],
)
def test_only_a_reply_that_ended_by_itself_is_finished(reason, finished):
    assert read_choices(chat("Hi", reason=reason), 1).finished == [finished]


def test_choices_are_put_in_the_order_of_their_index():
    choices = [{"index": index, "message": {"content": str(index)}, "finish_reason": "stop"} for index in (2, 0, 1)]
    assert read_choices(json.dumps({"choices": choices}), 3).responses == ["0", "1", "2"]


@pytest.mark.parametrize("indices", [(0, 0, 0), (None, 1, 0), ("2", "1", "0"), (True, False, 2)])
def test_an_index_that_tells_nothing_leaves_the_order(indices):
    choices = [
        {"index": index, "message": {"content": text}, "finish_reason": "stop"}
        for index, text in zip(indices, "abc", strict=True)
    ]
    assert read_choices(json.dumps({"choices": choices}), 3).responses == ["a", "b", "c"]


def test_choices_without_text_and_those_too_many_are_left_out():
    assert read_choices(chat(None, "a", None, "b", "c"), 2).responses == ["a", "b"]


def test_an_empty_text_is_a_reply():
    assert read_choices(chat(""), 1).responses == [""]


def test_half_a_character_becomes_a_replacement_character():
    assert read_choices('{"choices": [{"text": "ok \\ud83d"}]}', 1).responses == ["ok \ufffd"]
    assert read_choices('{"choices": [{"text": "ok \\ud83d\\ude00"}]}', 1).responses == ["ok 😀"]


@pytest.mark.parametrize(
    ("logprobs", "mean"),
    [
        ({"content": [{"logprob": -1.0}, {"logprob": -3.0}]}, -2.0),
        ({"token_logprobs": [-1, -2.0]}, -1.5),
        ({"content": []}, None),
        ({"content": [{"logprob": None}]}, None),
        ({"content": ["-1"]}, None),
        ({"content": [{"logprob": float("nan")}]}, None),
        ({"content": [{"logprob": float("-inf")}]}, None),
        ({"content": [{"logprob": 10**400}]}, None),
        ({"token_logprobs": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_mean_log_probability_is_over_a_replys_tokens(logprobs, mean):
    assert read_choices(chat("Hi", logprobs=logprobs), 1).log_probabilities == [mean]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>502</html>", "the answer is no JSON: '<html>502</html>'"),
        ("", "the answer is no JSON: ''"),
        ('{"choices": [{"mess', "the answer is no JSON"),
        ("[" * 100_000, "the answer is no JSON"),
        ("[]", "the answer is no JSON object"),
        ("null", "the answer is no JSON object: 'null'"),
        ("{}", "the answer holds no choices"),
        ('{"choices": []}', "the answer holds no choices"),
        ('{"choices": {"0": "a"}}', "the answer holds no choices"),
        ('{"choices": ["a"]}', "the answer holds no choices"),
        ('{"error": {"message": "overloaded"}}', "overloaded"),
        ('{"error": "overloaded", "choices": null}', "overloaded"),
        (chat(None, reason="length"), r"no choice of the answer has a text \(finish_reason: length\)"),
        (chat([{"type": "text"}]), "no choice of the answer has a text"),
        ('{"choices": [{"message": "Hi"}]}', "no choice of the answer has a text"),
    ],
)
def test_an_answer_without_replies_says_what_it_is(body, message):
    with pytest.raises(RetryableError, match=message):
        read_choices(body, 1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "text", "logprobs", "logprob", "index", "error", "x"])
            | st.text(max_size=2),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.text() | json_values.map(json.dumps), st.integers(1, 3))
def test_anything_is_replies_or_a_retry(body, n):
    try:
        choices = read_choices(body, n)
    except RetryableError:
        return
    assert 1 <= len(choices) <= n
    assert len(choices.finished) == len(choices.log_probabilities) == len(choices)
    "".join(choices.responses).encode()
