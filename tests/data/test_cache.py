import math
import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hfdiv
from hfdiv.data import DataError
from hfdiv.data.cache import Answer, CacheConfig, ResponseCache


ONE = CacheConfig(k=1)
STRANGE = [
    "",
    "您好，请问有什么可以帮您？",
    "👨‍👩‍👧 👍🏽",
    "a\0b\0",
    "Robert'); DROP TABLE answers;--",
    "<script>alert(1)</script>",
    "\u2028\u202e\ufeff",
    "x" * 1_000_000,
    "好" * 350_000,
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.db"


def test_the_front_door_has_it():
    assert hfdiv.ResponseCache is ResponseCache
    assert hfdiv.CacheConfig is CacheConfig


@pytest.mark.parametrize("prompt", STRANGE, ids=lambda text: repr(text[:8]))
def test_any_text_comes_back_as_it_was(path, prompt):
    text = f"{prompt}!"
    with ResponseCache(path, "a", ONE) as cache:
        assert cache.add(prompt, text)
    with ResponseCache(path, "a", ONE) as cache:
        assert cache.get(prompt) == Answer(text, "exact", prompt, 1.0, 0.0)
        assert cache.get(prompt + "?") is None
        (entry,) = cache.entries()
    assert (entry.prompt, entry.responses) == (prompt, [text])


@settings(max_examples=50)
@given(st.text(), st.text())
def test_any_text_is_kept_or_refused_with_a_reason(tmp_path_factory, prompt, text):
    with ResponseCache(tmp_path_factory.mktemp("cache") / "answers.db", "a", ONE) as cache:
        try:
            (prompt + text).encode()
        except UnicodeEncodeError:
            with pytest.raises(DataError, match="surrogate"):
                cache.add(prompt, text)
            assert cache.stats().n_answers == 0
            return
        added = cache.add(prompt, text)
        assert added.kept == bool(text.strip())
        assert (cache.get(prompt) is not None) == added.kept


@pytest.mark.parametrize("use", ["get", "add"])
def test_half_a_character_is_refused(path, use):
    with ResponseCache(path, "a") as cache:
        for arguments in (("\ud83d", "b"), ("a", "\ud83d")):
            with pytest.raises(DataError, match="half of a surrogate pair"):
                getattr(cache, use)(*arguments)
        with pytest.raises(DataError, match="half of a surrogate pair"):
            cache.get("a", history=["\ud83d"])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"quality": math.nan}, ValueError, "`quality` must be a finite number, got nan"),
        ({"quality": math.inf}, ValueError, "`quality` must be a finite number, got inf"),
        ({"quality": "0.5"}, TypeError, r"`quality` must be a number, got '0.5' \(str\)"),
        ({"quality": [1]}, TypeError, r"`quality` must be a number, got \[1\] \(list\)"),
        ({"conversation_id": ""}, ValueError, "`conversation_id` must not be empty"),
        ({"conversation_id": 7}, TypeError, "`conversation_id` must be a text, got int"),
        ({"answer": None}, TypeError, "A response must be a string"),
        ({"prompt": None}, TypeError, "A prompt must be a string"),
    ],
)
def test_bad_arguments_are_refused(path, arguments, error, words):
    with ResponseCache(path, "a") as cache:
        with pytest.raises(error, match=words):
            cache.add(**{"prompt": "Hi", "answer": "Hello", **arguments})
        assert cache.stats().n_answers == 0


def test_an_answer_may_be_chat_messages(path):
    with ResponseCache(path, "a", ONE) as cache:
        cache.add([{"role": "user", "content": "Hi"}], [{"role": "assistant", "content": "Hello"}])
        assert cache.get("Hi").text == "Hello"


def test_namespaces_are_apart(path):
    cold, hot = ({"model": "m", "temperature": t} for t in (0.1, 0.9))
    with ResponseCache(path, cold, ONE) as one, ResponseCache(path, hot, ONE) as other:
        one.add("Hi", "Good day.")
        assert other.get("Hi") is None
        other.add("Hi", "Hey!")
        assert (one.get("Hi").text, other.get("Hi").text) == ("Good day.", "Hey!")
        assert one.clear() == 1
        assert (one.get("Hi"), other.get("Hi").text) == (None, "Hey!")


def test_quality_is_served_and_graded_anew(path):
    with ResponseCache(path, "a", CacheConfig(k=1, min_quality=0.3)) as cache:
        assert cache.add("Hi", "Hello", quality=0.2).reason == "its quality is below 0.3 (0.2)"
        assert cache.add("Hi", "Hello", quality=0.4)
        assert cache.get("Hi").quality == 0.4
        assert cache.add("Hi", " hello", quality=0.9).reason == "it was stored already"
        assert cache.get("Hi") == Answer("Hello", "exact", "Hi", 1.0, 0.9)
        assert cache.add("Hi", "Bonjour à vous", quality=0.8).kept is False
        assert cache.add("Hi", "Good morning to you", quality=1.0, conversation_id="Ann")
        assert cache.get("Hi", "Ann") is None
        assert cache.get("Hi", "Bob").text == "Good morning to you"


def test_an_answer_that_was_found_bad_is_served_no_more(path):
    with ResponseCache(path, "a", CacheConfig(k=2, fill=1, min_quality=0.3)) as cache:
        cache.add("Hi", "Hello to you", quality=np.float32(0.5))
        cache.add("Hi", "What a fine day", quality=1)
        assert cache.add("Hi", "hello to you", quality=0.1).kept is False
        assert [cache.get("Hi").text for _ in range(2)] == ["What a fine day"] * 2
        assert cache.add("Hi", "What a fine day", quality=0.1).kept is False
        assert cache.get("Hi") is None
        assert (cache.stats().n_prompts, cache.stats().n_bytes) == (0, 0)


def test_an_answer_can_be_taken_out(path):
    with ResponseCache(path, "a", CacheConfig(k=2)) as cache:
        for _ in range(6):
            cache.add("Hi", "Hello to you")
        assert cache.get("Hi") is not None  # no second one comes
        assert cache.discard("Hi", "something else") is False
        assert cache.discard("Bye", "Hello to you") is False
        assert cache.discard("Hi", "HELLO to you") is True
        assert cache.stats().n_bytes == 0
        assert cache.add("Hi", "What a fine day")
        assert cache.get("Hi") is None  # filling begins again
        assert cache.get("Hi", early=True).text == "What a fine day"


def test_answers_end(path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    with ResponseCache(path, "a", CacheConfig(k=2, ttl=60)) as cache:
        cache.add("Hi", "Hello to you")
        now += 30
        cache.add("Hi", "What a fine day")
        assert cache.get("Hi") is not None
        now += 30
        assert cache.get("Hi") is None  # one is left, and two are wanted
        assert cache.get("Hi", early=True).text == "What a fine day"
        assert cache.stats().n_answers == 1
        cache.add("Hi", "hello TO you")
        assert [cache.get("Hi").text for _ in range(2)] == ["hello TO you", "What a fine day"]
        cache.add("Hi", "what a fine day")  # said again: it lives on
        now += 59
        assert cache.stats().n_answers == 2
        now += 1
        assert (cache.stats().n_answers, list(cache.entries())) == (0, [])
        cache.add("Bye", "See you")
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT prompts, answers FROM totals").fetchone() == (1, 1)
    db.close()


def test_what_was_used_longest_ago_makes_room(path):
    with ResponseCache(path, "a", CacheConfig(k=1, max_answers=3)) as cache:
        for name in "abc":
            cache.add(name, f"answer {name}")
        cache.get("a")
        cache.add("d", "answer d")
        assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]


def test_bytes_are_bounded(path):
    config = CacheConfig(k=2, fill=1, max_bytes=50_000)
    with ResponseCache(path, "a", config) as cache:
        for number in range(60):
            assert cache.add(f"p{number}", f"{number} " + "好" * 1000)
            assert cache.stats().n_bytes <= 50_000
        assert cache.get("p59") is not None
        assert cache.get("p0") is None
        big = cache.add("big", "x" * 60_000)
        assert big.reason.startswith("its prompt would take more than `max_bytes`, 50000 (60")
        assert cache.add("p59", "y" * 48_000).kept is False
        assert cache.get("p59").text.startswith("59 ")
        cache.add("p59", "y" * 45_000)
        assert cache.stats().n_prompts == 1


def test_bounds_are_of_the_file_and_a_new_bound_holds_at_the_next_answer(path):
    with ResponseCache(path, "a", ONE) as cache:
        for number in range(20):
            cache.add(f"p{number}", "Hello")
    with ResponseCache(path, "b", CacheConfig(k=1, max_answers=5)) as cache:
        cache.add("Hi", "Hello")
    with ResponseCache(path, "a", ONE) as cache:
        assert cache.stats().n_answers == 4
        assert cache.get("p19") is not None


def test_generation_fills_the_cache_and_then_rests(path):
    texts = iter(["one two three", "four five six", "seven eight nine"])
    asked = []

    def generate(prompt):
        asked.append(prompt)
        return next(texts)

    with ResponseCache(path, "a", CacheConfig(k=2)) as cache:
        said = [cache.get_or_generate("Hi", generate, name) for name in ("Ann", "Ann", "Bob", "Bob", "Ann")]
        assert [answer.source for answer in said] == ["generated", "generated", "exact", "exact", "generated"]
        assert len({answer.text for answer in said if answer in (said[0], said[1], said[4])}) == 3
        assert asked == ["Hi"] * 3
        assert math.isnan(said[0].quality)


def test_a_generated_answer_is_judged(path):
    with ResponseCache(path, "a", CacheConfig(k=1, min_quality=5)) as cache:
        short = cache.get_or_generate("Hi", lambda prompt: "Yo", quality=lambda prompt, text: len(prompt + text))
        assert (short.text, short.quality) == ("Yo", 4.0)
        assert cache.get("Hi") is None
        cache.get_or_generate("Hi", lambda prompt: "Hello", quality=lambda prompt, text: len(prompt + text))
        assert cache.get("Hi").text == "Hello"


def test_what_a_model_repeats_is_not_said_again_where_something_else_is_stored(path):
    with ResponseCache(path, "a", CacheConfig(k=3)) as cache:
        cache.add("Hi", "one two three", conversation_id="Bob")
        cache.add("Hi", "four five six")
        again = cache.get_or_generate("Hi", lambda prompt: "One two three", "Bob")
        assert (again.text, again.source) == ("four five six", "exact")
        history = ["one two three", "four five six"]
        assert cache.get_or_generate("Hi", lambda prompt: "one two three", history=history).source == "generated"


def test_when_generation_fails_nothing_is_stored(path):
    def generate(prompt):
        raise ConnectionError("the model is down")

    with ResponseCache(path, "a", CacheConfig(k=2)) as cache:
        cache.add("Hi", "Hello")
        with pytest.raises(ConnectionError, match="the model is down"):
            cache.get_or_generate("Hi", generate, "Ann")
        assert cache.get("Hi", "Ann", early=True).text == "Hello"
        assert cache.stats().n_answers == 1


def test_ids_of_conversations_are_not_in_the_file(path):
    with ResponseCache(path, "a", ONE) as cache:
        cache.add("Hi", "Hello", conversation_id="ann@example.org")
    assert b"ann@" not in path.read_bytes()
