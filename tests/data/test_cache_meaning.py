import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfdiv.data import DataError
from hfdiv.data.cache import CacheConfig, ResponseCache
from hfdiv.similarity import EmbeddingSimilarity


CONFIG = CacheConfig(k=1, semantic_threshold=0.9)


class Words:
    """An encoder of a few words, that counts what it is asked; all other words are one and the same to it."""

    KNOWN = "where is my the order parcel return red".split()

    def __init__(self):
        self.asked = []

    def __call__(self, texts):
        self.asked += texts
        rows = np.zeros((len(texts), len(self.KNOWN) + 1))
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace("?", "").split():
                row[self.KNOWN.index(word) if word in self.KNOWN else -1] += 1
            row[-1] += 1e-3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.db"


def cache_with(path, encoder=None, config=CONFIG, name="words"):
    semantic = None if encoder is None else EmbeddingSimilarity(encoder, name)
    return ResponseCache(path, "a", config, semantic=semantic)


def chat(*texts):
    return [
        {"role": ("user", "assistant")[place % 2] if place else "system", "content": text}
        for place, text in enumerate(texts, start=len(texts) % 2)
    ]


def test_the_same_words_are_found_without_the_encoder(path):
    words = Words()
    with cache_with(path, words) as cache:
        cache.add("Where is my order?", "On its way.")
        del words.asked[:]
        assert cache.get("Where is my order?").source == "exact"
        assert words.asked == []


def test_other_words_are_found_by_their_meaning(path):
    with cache_with(path, Words(), CacheConfig(k=1, semantic_threshold=0.8)) as cache:
        cache.add("Where is my order?", "On its way.", quality=0.5)
        found = cache.get("where is order")
        assert (found.text, found.source, found.quality) == ("On its way.", "semantic", 0.5)
        assert found.prompt == "Where is my order?"
        assert found.similarity == pytest.approx(3**0.5 / 2, abs=1e-3)
        assert cache.get("where is my parcel") is None
        assert cache.get("return my order") is None
        stats = cache.stats()
    assert (stats.exact_hits, stats.semantic_hits, stats.misses) == (0, 1, 2)


def test_the_nearest_that_can_answer_does(path):
    config = CacheConfig(k=2, semantic_threshold=0.7)
    with cache_with(path, Words(), config) as cache:
        for text in ("one two three", "four five six"):
            cache.add("where is my order", text)
        cache.add("where is the order", "not full yet")
        near = [cache.get("where is the order ?", "Ann") for _ in range(3)]
        assert [answer and answer.text for answer in near] == ["one two three", "four five six", None]
        assert near[0].similarity == pytest.approx(0.75, abs=1e-3)
        # a prompt that is stored and cannot answer, because it is not full, is answered by its neighbour too
        assert cache.get("where is the order", "Bob").source == "semantic"
        assert cache.get("where is the order", "Bob", early=True).text == "not full yet"


@pytest.mark.parametrize(
    ("stored", "asked", "found"),
    [
        ("where is order 123", "where is my order 123", True),
        ("where is order 123", "where is my order 124", False),
        ("where is order 123", "where is my order", False),
        (chat("Be kind.", "where is order"), chat("Be kind.", "where is my order"), True),
        (chat("Be kind.", "where is order"), chat("Be rude.", "where is my order"), False),
        (chat("Be kind.", "where is order"), "where is my order", False),
        (chat("red", "yes", "where is order"), chat("red", "yes", "where is my order"), True),
        (chat("red", "yes", "where is order"), chat("red", "no", "where is my order"), False),
        ("退货", "换货", False),
        ("🙂", "🎉", False),
        ("where is Order", "WHERE is order?", True),
        ("where is order " + "x" * 250, "where is my order " + "x" * 250, False),
        ("", "?", False),
    ],
)
def test_what_must_not_be_taken_for_the_same(path, stored, asked, found):
    with cache_with(path, Words(), CacheConfig(k=1, semantic_threshold=0.8)) as cache:
        assert cache.add(stored, "an answer")
        answer = cache.get(asked)
    assert (answer is not None) == found
    assert not found or answer.source == "semantic"


def test_what_others_store_is_found_and_encoded_once(path):
    words, others = Words(), Words()
    with cache_with(path) as without, cache_with(path, words) as one:
        without.add("where is my order", "from one without an encoder")
        assert one.get("Where is my order").text == "from one without an encoder"
        assert sorted(words.asked) == ["Where is my order", "where is my order"]
        without.add("return my parcel", "later")
        assert one.get("Return my parcel").text == "later"
        with cache_with(path, others) as other:
            assert other.get("Return my parcel").text == "later"
        assert others.asked == ["Return my parcel"]  # the vectors stand in the file
        without.clear()
        assert one.get("Return my parcel") is None


def test_a_question_is_encoded_once_for_a_miss_and_its_answer(path):
    words = Words()
    with cache_with(path, words) as cache:
        cache.get_or_generate("where is my order", lambda prompt: "On its way.")
        assert words.asked == ["where is my order"]


def test_many_are_read_again_when_many_are_gone(path, monkeypatch):
    monkeypatch.setattr("hfdiv.data.cache.meaning._STALE", 5)
    config = CacheConfig(k=1, max_answers=3, semantic_threshold=0.9)
    with cache_with(path, Words(), config) as cache:
        for number in range(40):
            name = "".join(chr(ord("a") + int(digit)) for digit in str(number))
            cache.add(f"where {name}", "x")
            cache.get(f"where is {name} the red")
        assert cache._meanings._n <= 3 + 6
        cache.add("where is my order", "On its way.")
        assert cache.get("Where is my order").text == "On its way."


def test_an_encoder_needs_a_name(path):
    with pytest.raises(ValueError, match="The encoder needs a name"):
        ResponseCache(path, "a", semantic=EmbeddingSimilarity(Words()))


def test_vectors_of_two_encoders_are_not_compared(path):
    with cache_with(path, Words()) as cache:
        cache.add("where is my order", "On its way.")

    def longer(texts):
        return np.pad(Words()(texts), ((0, 0), (0, 3)))

    with cache_with(path, longer, name="longer") as cache:
        assert cache.get("Where is my order").text == "On its way."
    with cache_with(path, longer) as cache, pytest.raises(DataError, match="have 9 and 12 numbers.*another name"):
        cache.get("Where is my order")


def test_an_encoder_that_fails_is_told_and_asked_again(path):
    words, broken = Words(), [True]

    def encoder(texts):
        if broken and "where is my order" in texts:
            raise RuntimeError("out of memory")
        return words(texts)

    with cache_with(path) as without:
        without.add("where is my order", "On its way.")
    with cache_with(path, encoder) as cache:
        with pytest.raises(RuntimeError, match="out of memory"):
            cache.get("Where is my order")
        broken.clear()
        assert cache.get("Where is my order").text == "On its way."


def test_room_for_vectors_counts(path):
    with cache_with(path) as cache:
        cache.add("where is my order", "On its way.")
        before = cache.stats().n_bytes
    with cache_with(path, Words()) as cache:
        cache.get("my order")
        assert cache.stats().n_bytes == before + 4 * 9


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from(Words.KNOWN), min_size=1, max_size=4), min_size=1, max_size=12), st.data())
def test_what_is_found_is_the_nearest_by_brute_force(tmp_path_factory, questions, data):
    prompts = list(dict.fromkeys(" ".join(words) for words in questions))
    asked = " ".join(data.draw(st.lists(st.sampled_from(Words.KNOWN), min_size=1, max_size=4)))
    with cache_with(tmp_path_factory.mktemp("cache") / "answers.db", Words()) as cache:
        for prompt in prompts:
            cache.add(prompt, json.dumps(prompt))
        found = cache.get(asked)
    cosine = EmbeddingSimilarity(Words())([asked, *prompts])[0, 1:]
    blind = [
        near > 1 - 1e-5 and "".join(sorted(asked)) != asked and prompt != asked
        for near, prompt in zip(cosine, prompts, strict=True)
    ]
    left = [near for near, unseen in zip(cosine, blind, strict=True) if not unseen]
    if asked in prompts:
        assert (found.text, found.source) == (json.dumps(asked), "exact")
    elif max(left, default=0) < 0.9 - 1e-6:
        assert found is None
    else:
        assert found.similarity == pytest.approx(max(left), abs=1e-5)


@pytest.mark.slow  # it loads torch
def test_a_real_encoder_knows_the_same_question(path):
    pytest.importorskip("sentence_transformers")
    model = pytest.importorskip("hfdiv.demo.model")
    from hfdiv.similarity import load_encoder

    try:
        folder = model.encoder_folder()
    except ImportError as error:
        pytest.skip(str(error))
    with cache_with(path, load_encoder(folder, "cpu"), CacheConfig(k=1)) as cache:
        cache.add("How do I reset my password?", "Use the link below.")
        cache.add("退货", "好的。")
        assert cache.get("How can I reset my password?").source == "semantic"
        for other in ("How do I change my email?", "How do I not reset my password?", "换货"):
            assert cache.get(other) is None
