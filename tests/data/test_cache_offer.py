"""What is decided about an answer holds for the answers that are there when it is stored."""

from hfdiv.data.cache import CacheConfig, ResponseCache
from hfdiv.similarity import NgramSimilarity


def test_an_answer_is_judged_anew_when_another_came_meanwhile(tmp_path):
    config, path = CacheConfig(k=2), tmp_path / "answers.db"
    words, calls = NgramSimilarity(1, "whitespace"), []

    def slow(texts):
        calls.append(len(texts))
        if len(calls) == 1:
            assert other.add("Hi", "a b c d", quality=1.0)
        return words(texts)

    with ResponseCache(path, "a", config) as other, ResponseCache(path, "a", config, similarity=slow) as cache:
        cache.add("Hi", "x y z")
        assert cache.add("Hi", "a b c e", quality=0.5).reason == "too like one that is stored (0.60)"
        assert calls == [2, 3]
        assert [entry.responses for entry in cache.entries()] == [["x y z", "a b c d"]]


def test_others_do_not_wait_for_a_comparison(tmp_path):
    config, path = CacheConfig(k=2, fill=1, timeout=0.5), tmp_path / "answers.db"

    def slow(texts):
        assert other.get("Hi", "Ann").text == "x y z"
        assert other.add("Bye", "See you")
        return NgramSimilarity()(texts)

    with ResponseCache(path, "a", config) as other, ResponseCache(path, "a", config, similarity=slow) as cache:
        cache.add("Hi", "x y z")
        assert cache.add("Hi", "one two three")


def test_of_many_that_end_at_once_each_answer_clears_some(tmp_path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("time.time", lambda: now)
    monkeypatch.setattr("hfdiv.data.cache.offer._ENDED_AT_ONCE", 3)
    with ResponseCache(tmp_path / "answers.db", "a", CacheConfig(k=1, ttl=10)) as cache:
        for number in range(10):
            cache.add(f"p{number}", "Hello")
        now += 10
        assert cache.add("p9", "hello").reason == "it is the first"  # its own has gone, whatever else is left
        with cache._database.read() as db:
            assert db.execute("SELECT prompts, answers FROM totals").fetchone() == (7, 7)
        assert cache.stats().n_answers == 1
