"""Who gets which answer: nobody the same twice, and all of them as often."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hfdiv.data.cache import CacheConfig, ResponseCache
from hfdiv.data.cache.key import sentence_hash
from hfdiv.diversity import distinct_n
from hfdiv.similarity import NgramSimilarity


ANSWERS = [
    "It left our warehouse this morning and should reach you tomorrow.",
    "Let me look. Could you tell me the number of your order?",
    "Orders placed before noon are sent the same day; yours is on its way.",
    "I'm sorry that you have to wait! The carrier says Thursday.",
    "您的包裹已经发出，明天送到。📦",
]
ASKED = "Where is my order?"


@pytest.fixture
def cache(tmp_path):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=5, fill=1)) as cache:
        for text in ANSWERS:
            assert cache.add(ASKED, text)
        yield cache


def test_a_thousand_requests_are_as_varied_as_the_answers(cache):
    replies = [cache.get(ASKED, f"conversation {number}").text for number in range(1000)]
    # Distinct-2 falls with the size of the set, so that sets of one size are compared: any five replies in a row.
    stored = distinct_n([ANSWERS], n=2)
    windows = distinct_n([replies[start : start + 5] for start in range(996)], n=2)
    assert windows.value == stored.value
    assert windows.signature == stored.signature
    assert np.min(windows.values) == stored.value
    assert Counter(replies) == dict.fromkeys(ANSWERS, 200)


def test_a_thousand_requests_of_talkative_people_too(cache):
    """Conversations of three requests at once, in any order: none repeats, and no answer is worn out."""
    asks = np.random.default_rng(0).permutation(np.repeat(np.arange(334), 3))[:1000]
    said = {}
    for conversation in asks:
        said.setdefault(conversation, []).append(cache.get(ASKED, str(conversation)).text)
    assert all(len(set(texts)) == len(texts) for texts in said.values())
    stored = distinct_n([ANSWERS], n=2).value
    assert distinct_n(list(said.values()), n=2).value >= stored
    assert max(Counter(text for texts in said.values() for text in texts).values()) <= 210


def test_a_conversation_gets_all_k_before_a_miss_and_no_repeat(cache):
    first = [cache.get(ASKED, "Ann").text for _ in range(5)]
    assert sorted(first) == sorted(ANSWERS)
    assert [cache.get(ASKED, "Ann") for _ in range(3)] == [None] * 3
    assert cache.get(ASKED, "Bob") is not None
    cache.forget("Ann")
    assert cache.get(ASKED, "Ann") is not None


def test_no_conversation_hears_a_sentence_again_from_another_prompt(cache):
    cache.add("When will it come?", ANSWERS[1].upper())
    cache.add("When will it come?", "On Friday.")
    assert cache.get("When will it come?", "Ann").text == ANSWERS[1].upper()
    assert {cache.get(ASKED, "Ann").text for _ in range(4)} == set(ANSWERS) - {ANSWERS[1]}
    assert cache.get(ASKED, "Ann") is None


def test_nor_in_another_namespace_of_the_file(cache, tmp_path):
    with ResponseCache(tmp_path / "answers.db", "b", CacheConfig(fill=1)) as other:
        assert other.get(ASKED, "Ann") is None
        other.add(ASKED, ANSWERS[0])
        assert cache.get(ASKED, "Ann").text == ANSWERS[0]
        assert other.get(ASKED, "Ann") is None


def test_what_was_said_before_counts(cache):
    history = [*ANSWERS[:3], "And something of a colleague."]
    assert cache.get(ASKED, history=history).text == ANSWERS[3]
    messages = [{"role": "assistant", "content": text} for text in ANSWERS]
    assert cache.get(ASKED, history=messages[:4]).text == ANSWERS[4]
    assert cache.get(ASKED, history=messages) is None
    talk = [*messages[:4], {"role": "user", "content": ASKED}]
    cache.add(talk, ANSWERS[0])
    cache.add(talk, ANSWERS[4])
    assert cache.get(talk).text == ANSWERS[4]


def test_without_a_conversation_answers_take_turns(cache):
    assert [cache.get(ASKED).text for _ in range(7)] == ANSWERS + ANSWERS[:2]


def test_a_new_answer_has_its_turn_and_no_more(tmp_path):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=3, fill=1)) as cache:
        cache.add(ASKED, "one two three")
        assert [cache.get(ASKED).text for _ in range(20)] == ["one two three"] * 20
        cache.add(ASKED, "four five six")
        assert [cache.get(ASKED).text for _ in range(4)] == ["four five six", "one two three"] * 2


def test_a_prompt_is_filled_first(tmp_path):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=3)) as cache:
        for number, text in enumerate(ANSWERS[:3]):
            assert cache.get(ASKED, f"{number}") is None
            cache.add(ASKED, text, conversation_id=f"{number}")
        assert cache.get(ASKED, "0").text == ANSWERS[1]  # she was told the first when it was new


def test_filling_ends_when_the_model_has_no_more_to_say(tmp_path):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=3, patience=4)) as cache:
        for _ in range(4):
            assert cache.get(ASKED) is None
            assert cache.get(ASKED, early=True) is None or cache.stats().n_answers == 1
            cache.add(ASKED, ANSWERS[0])
        assert cache.get(ASKED).text == ANSWERS[0]


def test_who_heard_what_is_forgotten_from_the_oldest(tmp_path):
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=1, max_heard=300)) as cache:
        cache.add(ASKED, ANSWERS[0])
        for number in range(1000):
            assert cache.get(ASKED, str(number)) is not None
        assert cache.get(ASKED, "999") is None
        assert cache.get(ASKED, "0") is not None
        with cache._database.read() as db:
            assert db.execute("SELECT count(*) FROM heard").fetchone()[0] <= 300 + 256


class Clock:
    """Stands in for the module `time`."""

    def __init__(self):
        self.now = 1_000_000.0

    def time(self):
        return self.now


WORDS = st.sampled_from(["a", "b", "c", "d", "好", "👍", "\0"])
PROMPTS = st.sampled_from(["", "Hi", "你好", "Where?", "x" * 5000])
CONVERSATIONS = st.sampled_from([None, "Ann", "Bob", "张"])


class Cached(RuleBasedStateMachine):
    """A cache beside a plain model of what it must do."""

    @initialize(k=st.integers(1, 4), fill=st.integers(1, 4), ttl=st.sampled_from([None, 50.0]), gate=st.booleans())
    def begin(self, k, fill, ttl, gate):
        self.folder = tempfile.TemporaryDirectory()
        self.config = CacheConfig(
            k=k, fill=min(fill, k), patience=6, ttl=ttl, min_quality=0.0 if gate else None, max_similarity=0.6
        )
        self.clock, self.patch = Clock(), pytest.MonkeyPatch()
        for module in ("cache", "offer"):
            self.patch.setattr(f"hfdiv.data.cache.{module}.time", self.clock)
        self.similarity = NgramSimilarity(1, "whitespace")
        self.open()
        self.heard, self.ends, self.offered = set(), {}, Counter()

    def open(self):
        path = Path(self.folder.name, "answers.db")
        self.cache = ResponseCache(path, "a", self.config, similarity=self.similarity)

    def stored(self):
        return {entry.prompt: entry for entry in self.cache.entries()}

    def alive(self, prompt):
        entry = self.stored().get(prompt)
        return [] if entry is None else entry.responses

    @rule(prompt=PROMPTS, conversation=CONVERSATIONS, early=st.booleans(), history=st.lists(WORDS, max_size=2))
    def get(self, prompt, conversation, early, history):
        heard = {sentence for who, sentence in self.heard if who == conversation} | set(map(sentence_hash, history))
        alive = self.alive(prompt)
        left = [text for text in alive if sentence_hash(text) not in heard]
        ready = early or len(alive) >= self.config.answers_to_serve or self.offered[prompt] >= 6
        answer = self.cache.get(prompt, conversation, history, early)
        if answer is None:
            assert not (left and ready)
        else:
            assert answer.text in left
            assert ready
            self.tell(conversation, answer.text)

    @rule(
        prompt=PROMPTS,
        words=st.lists(WORDS, min_size=1, max_size=5),
        quality=st.floats(-1, 1),
        conversation=CONVERSATIONS,
    )
    def add(self, prompt, words, quality, conversation):
        text = " ".join(words)
        before = self.alive(prompt)
        self.forget_ended()
        added = self.cache.add(prompt, text, quality=quality, conversation_id=conversation)
        after = self.alive(prompt)
        assert any(sentence_hash(text) == sentence_hash(other) for other in after) or not added
        assert set(after) - {text} <= set(before)
        found_bad = not added and self.config.min_quality is not None and quality < self.config.min_quality
        left = [other for other in before if not (found_bad and sentence_hash(other) == sentence_hash(text))]
        assert added or after == left
        self.tell(conversation, text)
        if not added and left != before:
            self.offered[prompt] = len(left)
        self.offered[prompt] = self.offered[prompt] + 1 if after else 0
        sentences = set(map(sentence_hash, after))
        self.ends = {pair: end for pair, end in self.ends.items() if pair[0] != prompt or pair[1] in sentences}
        if added and self.config.ttl:
            self.ends[prompt, sentence_hash(text)] = self.clock.now + self.config.ttl

    def forget_ended(self):
        """Filling begins anew where an answer has ended, as the cache does when something is added."""
        for (prompt, sentence), end in list(self.ends.items()):
            if end <= self.clock.now:
                del self.ends[prompt, sentence]
                self.offered[prompt] = len(self.alive(prompt))

    def tell(self, conversation, text):
        if conversation is not None:
            self.heard.add((conversation, sentence_hash(text)))

    @rule(prompt=PROMPTS, data=st.data())
    def discard(self, prompt, data):
        before = self.alive(prompt)
        text = data.draw(st.sampled_from([*before, "never said"]))
        assert self.cache.discard(prompt, text) == (text in before)
        if text in before:
            assert self.alive(prompt) == [other for other in before if other != text]
            ended = sum(asked == prompt and end <= self.clock.now for (asked, _), end in self.ends.items())
            self.offered[prompt] = len(before) - 1 + ended
            self.ends.pop((prompt, sentence_hash(text)), None)

    @rule(conversation=st.sampled_from(["Ann", "Bob"]))
    def forget(self, conversation):
        self.cache.forget(conversation)
        self.heard = {pair for pair in self.heard if pair[0] != conversation}

    @rule()
    def reopen(self):
        before = self.stored()
        self.cache.close()
        self.open()
        assert self.stored() == before

    @rule(seconds=st.sampled_from([1.0, 30.0, 60.0]))
    def wait(self, seconds):
        self.clock.now += seconds

    @invariant()
    def what_is_kept_is_good_and_different(self):
        for entry in self.stored().values():
            assert 1 <= len(entry.responses) <= self.config.k
            assert self.config.min_quality is None or min(entry.quality) >= self.config.min_quality
            alike = self.similarity(entry.responses)
            np.fill_diagonal(alike, 0)
            assert not (alike >= 0.6).any()

    @invariant()
    def totals_are_right(self):
        with self.cache._database.read() as db:
            counted = db.execute("SELECT prompts, answers, bytes FROM totals").fetchone()
            assert (
                counted
                == db.execute(
                    "SELECT (SELECT count(*) FROM prompts), (SELECT count(*) FROM answers),"
                    " (SELECT total(size) FROM prompts) + (SELECT total(size) FROM answers)"
                ).fetchone()
            )

    def teardown(self):
        if hasattr(self, "folder"):
            self.cache.close()
            self.patch.undo()
            self.folder.cleanup()


TestCached = Cached.TestCase
TestCached.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
