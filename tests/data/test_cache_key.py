import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError
from hfdiv.data.cache.key import (
    conversation_hash,
    earlier_answers,
    letters_hash,
    namespace_name,
    prompt_json,
    prompt_key,
    sentence_hash,
)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def user(text, **more):
    return [{"role": "user", "content": text, **more}]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Café", "Cafe\u0301"),
        ("Hi", "  Hi\r\n"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("Hi", user("Hi")),
        ("", user(" ")),
        (user("Hi"), user("Hi", name=None, tool_calls=None)),
        (user([{"type": "text", "text": "é"}]), user([{"text": "e\u0301 ", "type": "text"}])),
    ],
)
def test_the_same_prompt(left, right):
    assert prompt_key(left) == prompt_key(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Hi", "hi"),
        ("a b", "a  b"),
        ("a\0b", "ab"),
        ("", "\0"),
        ("👍🏽", "👍🏿"),
        ("订单", "訂單"),
        (user("Hi"), [{"role": "system", "content": "Be kind."}, *user("Hi")]),
        (user("Hi"), [{"role": "assistant", "content": "Hi"}]),
        (user("Hi"), user("Hi", name="Ann")),
        (user([{"type": "image", "url": "a"}]), user([{"type": "image", "url": "b"}])),
        (user("a") + user("b"), user("a\nb")),
        (user('"},{"'), user('"}') + user('{"')),
    ],
)
def test_another_prompt(left, right):
    assert prompt_key(left).exact != prompt_key(right).exact


@given(TEXT, TEXT)
def test_keys_are_equal_only_for_texts_that_are_read_the_same(left, right):
    def plain(text):
        return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").strip()

    assert (prompt_key(left).exact == prompt_key(right).exact) == (plain(left) == plain(right))


@given(TEXT)
def test_a_prompt_is_written_down_as_it_was_given(text):
    import json

    messages = [{"role": "system", "content": text}, *user([{"type": "text", "text": text}])]
    assert json.loads(prompt_json(text)) == text
    assert json.loads(prompt_json(messages)) == messages


def test_by_meaning_only_the_last_message_may_differ():
    before = [{"role": "system", "content": "Be kind."}]
    first, other = prompt_key(before + user("Where is it?")), prompt_key(before + user("Where's it?"))
    assert first.context == other.context != b""
    assert first.question == "Where is it?"
    assert prompt_key(user("Where is it?")).context != first.context
    assert prompt_key(before + user("Where is it?", name="Ann")).context != first.context


@pytest.mark.parametrize("text", ["order 124", "order 12 3", "order 1.23", "order", "order 123 123", "order ١٢٤"])
def test_by_meaning_numbers_are_the_same(text):
    assert prompt_key(text).context != prompt_key("order 123").context
    assert prompt_key("my order: １２３!").context == prompt_key("order 123").context


@pytest.mark.parametrize("prompt", ["", " \n", user([{"type": "text", "text": "Hi"}]), user(None)])
def test_what_has_no_text_is_not_found_by_meaning(prompt):
    assert prompt_key(prompt)[1:] == (b"", "")


@pytest.mark.parametrize(
    "prompt", ["\ud83d", user("a\udc00"), user("a", name="\ud83d"), user([{"type": "image", "url": "\ud83d"}])]
)
def test_half_characters_are_refused(prompt):
    with pytest.raises(DataError, match="half of a surrogate pair"):
        prompt_key(prompt)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        (None, "must be a string or a list of chat messages"),
        ([], "must be a string or a list of chat messages"),
        (b"Hi", "must be a string or a list of chat messages"),
        (user("a", image=b"\x89PNG"), "only texts, numbers, lists and mappings"),
        (user("a", weight=float("nan")), "only what JSON has a form for"),
        (user(3), "content of a chat message"),
    ],
)
def test_what_is_no_prompt_is_refused(prompt, words):
    with pytest.raises(TypeError, match=words):
        prompt_key(prompt)


def test_a_long_prompt_has_a_short_key():
    assert len(prompt_key("x" * 1_000_000).exact) == 32


def test_a_namespace_is_named_by_what_is_in_it():
    settings = {"model": "SmolLM2", "decoding": {"top_p": 0.9, "seed": 0}, "系统": "友好"}
    assert namespace_name(settings) == namespace_name(dict(reversed(settings.items())))
    assert namespace_name({"a": 1}) != namespace_name({"a": "1"}) != namespace_name({"a": [1]})
    assert namespace_name("smollm2") == "smollm2"


@pytest.mark.parametrize(
    ("namespace", "error", "words"),
    [
        ("", ValueError, "must not be empty: name the model"),
        ({}, ValueError, "must not be empty"),
        (None, TypeError, "must be a text or a mapping, got NoneType"),
        (3, TypeError, "must be a text or a mapping, got int"),
        ({"model": object()}, TypeError, "can be part of a key"),
        ({"t": float("inf")}, TypeError, "can be part of a key"),
        ("\ud800", DataError, "surrogate"),
    ],
)
def test_a_bad_namespace_is_refused(namespace, error, words):
    with pytest.raises(error, match=words):
        namespace_name(namespace)


def test_sentences_and_letters():
    assert sentence_hash("Straße, bitte!") == sentence_hash(" STRASSE,\n bitte! ")
    assert sentence_hash("好的。") != sentence_hash("好的！")
    assert sentence_hash("a\0") != sentence_hash("a")
    assert letters_hash("It's 🙂!") == letters_hash("its 🙂")
    assert letters_hash("🙂") != letters_hash("🎉")
    assert -(2**63) <= sentence_hash("x") < 2**63


@pytest.mark.parametrize(
    ("conversation", "error"), [("", ValueError), (7, TypeError), (b"a", TypeError), ("\ud800", DataError)]
)
def test_a_bad_conversation_is_refused(conversation, error):
    with pytest.raises(error):
        conversation_hash(conversation)


def test_what_the_assistant_said_counts_and_nothing_else():
    prompt = [{"role": "assistant", "content": "One"}, {"role": "user", "content": "Two"}]
    assert earlier_answers(prompt, ["Three"]) == {sentence_hash("one"), sentence_hash("Three")}
    assert earlier_answers("Two", prompt) == {sentence_hash("One")}
    assert earlier_answers("Two", ()) == set()
    assert earlier_answers([{"role": "assistant", "content": None}, *user("a")], ()) == {sentence_hash("")}
    with pytest.raises(TypeError, match="`history` must be a list of earlier replies"):
        earlier_answers("Two", "One")
    with pytest.raises(TypeError, match="A response must be a string"):
        earlier_answers("Two", [3])
