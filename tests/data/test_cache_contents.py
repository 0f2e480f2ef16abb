import math
import time

import pytest

from hfdiv import distinct_n
from hfdiv.data.cache import CacheConfig, ResponseCache
from hfdiv.data.cache.contents import clear, clear_ended, entries, namespaces, read_stats
from hfdiv.data.cache.database import Database


TEXTS = [["It is on its way.", "Let me look."], ["您好。", "您好，请问？"]]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "answers.db"
    with ResponseCache(path, {"model": "m"}, CacheConfig(k=2)) as cache:
        for prompt, texts in zip(["Where?", [{"role": "user", "content": "你好"}]], TEXTS, strict=True):
            for place, text in enumerate(texts):
                assert cache.add(prompt, text, quality=place)
        assert cache.get("Where?").text == TEXTS[0][0]
        assert cache.get("nothing") is None
    with ResponseCache(path, "other", CacheConfig(k=1, ttl=10)) as cache:
        cache.add("Hi", "Hello")
    return path


def test_stats_are_those_of_the_answers(path):
    with ResponseCache(path, {"model": "m"}) as cache:
        stats = cache.stats()
    assert (stats.n_prompts, stats.n_answers, stats.exact_hits, stats.semantic_hits, stats.misses) == (2, 4, 1, 0, 1)
    assert stats.hit_rate == 0.5
    expected = distinct_n(TEXTS, n=2)
    assert (stats.distinct_2.value, stats.distinct_2.signature) == (expected.value, expected.signature)


def test_stats_of_nothing(tmp_path):
    with ResponseCache(tmp_path / "new.db", "a") as cache:
        stats = cache.stats()
    assert (stats.n_answers, stats.n_bytes, stats.distinct_2) == (0, 0, None)
    assert math.isnan(stats.hit_rate)


def test_a_file_is_seen_as_a_whole_or_by_namespace(path):
    now = time.time()
    with Database(path) as database:
        assert namespaces(database) == ['{"model":"m"}', "other"]
        whole = read_stats(database, now)
        parts = [read_stats(database, now, name) for name in namespaces(database)]
        assert whole.n_answers == sum(part.n_answers for part in parts) == 5
        assert whole.n_bytes == sum(part.n_bytes for part in parts)
        with database.read() as db:
            assert db.execute("SELECT bytes FROM totals").fetchone() == (whole.n_bytes,)
        found = list(entries(database, now))
    assert [entry.prompt for entry in found] == ["Where?", [{"role": "user", "content": "你好"}], "Hi"]
    assert [entry.responses for entry in found] == [*TEXTS, ["Hello"]]
    assert (found[0].quality, found[0].served) == ([0.0, 1.0], [1, 0])


def test_what_is_read_is_of_one_moment(path):
    with ResponseCache(path, {"model": "m"}) as cache:
        reading = cache.entries()
        first = next(reading)
        cache.add("new", "Something new")
        assert [first.prompt, *(entry.prompt for entry in reading)] == [
            "Where?",
            [{"role": "user", "content": "你好"}],
        ]
        assert len(list(cache.entries())) == 3


def test_clearing(path):
    with Database(path) as database, ResponseCache(path, {"model": "m"}, CacheConfig(k=2)) as server:
        assert {server.get("Where?", "Ann").text for _ in range(2)} == set(TEXTS[0])
        assert clear_ended(database, time.time()) == 0
        assert clear_ended(database, time.time() + 11) == 1
        assert clear(database, "other") == 0
        assert server.get("Where?", "Bob") is not None
        assert clear(database, '{"model":"m"}') == 4
        assert server.get("Where?", "Bob") is None
        assert server.stats().exact_hits == 0
        assert server.add("Where?", TEXTS[0][0])
        assert server.get("Where?", "Ann", early=True) is None  # who had what is remembered
        assert clear(database) == 1
        server.add("Where?", TEXTS[0][0])
        assert server.get("Where?", "Ann", early=True) is not None


def test_clearing_gives_the_room_back(path):
    with Database(path) as database, ResponseCache(path, "big", CacheConfig(k=1)) as cache:
        for number in range(20):
            cache.add(f"p{number}", "long " * 20_000)
        assert clear(database, "big") == 20
    assert path.stat().st_size < 200_000
