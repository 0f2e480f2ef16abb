"""How long a hit of the response cache takes, beside diskcache and GPTCache in the same run.

    python benchmarks/cache.py --json cache.json

Exact hits: 1000 prompts with five answers each. What is asked of diskcache is less, one answer to a prompt, always the
same; "diskcache, turns" is the same job as ours done with it by hand, in a transaction: the answer whose turn it is,
and a note of who had it. The sides take turns in rounds, so that what other processes take falls upon all of them.

Hits by meaning: all-MiniLM-L6-v2 from its package, and the search alone, with random vectors that cost nothing to
encode. GPTCache stands beside ours with the same encoder, in its own default (SQLite and faiss), where it is installed
(`pip install gptcache faiss-cpu sqlalchemy`). It was asked for prompts that are stored, so that its rule for what is
near does not matter; ours was asked in other words, because it finds the same words without the encoder.

Several processes: all ask one file at once for a second.
"""

from __future__ import annotations

import os


os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import importlib.util
import json
import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache as remembered
from pathlib import Path
from typing import Any

import diskcache
import numpy as np
from numpy.typing import NDArray

import hfdiv
from hfdiv import CacheConfig, ResponseCache
from hfdiv.similarity import EmbeddingSimilarity


PROMPTS, K, SEED, ROUNDS = 1000, 5, 0, 10
WORDS = "order parcel shoes refund delivery street address color size invoice gift box price sale today never".split()
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hits", type=int, default=10_000, help="hits of each side")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers here")
    options = parser.parse_args(arguments)
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, hfdiv {hfdiv.__version__}, seed {SEED}")
    with tempfile.TemporaryDirectory(prefix="hfdiv-benchmark-") as name:
        rows = exact(Path(name), options.hits)
        rows += by_meaning(Path(name), options.hits // 50)
        rows.append(together(Path(name, "exact.db"), options.processes))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def exact(folder: Path, n_hits: int) -> list[Row]:
    """Time exact hits of ours and of diskcache."""
    ours = ResponseCache(folder / "exact.db", "benchmark", CacheConfig(k=K))
    plain, turns = diskcache.Cache(str(folder / "plain")), diskcache.Cache(str(folder / "turns"))
    for number in range(PROMPTS):
        texts = [answer(number, place) for place in range(K)]
        assert all([ours.add(prompt(number), text) for text in texts])
        plain[prompt(number)] = texts[0]
        turns[prompt(number)] = texts
    sides: dict[str, Callable[[int], object]] = {
        "hfdiv, a conversation each": lambda i: ours.get(prompt(i % PROMPTS), f"a{i}"),
        "hfdiv, no conversation": lambda i: ours.get(prompt(i % PROMPTS)),
        "diskcache, one answer": lambda i: plain.get(prompt(i % PROMPTS)),
        "diskcache, turns": lambda i: in_turn(turns, prompt(i % PROMPTS), f"a{i}"),
    }
    print(f"exact hits, {PROMPTS} prompts, {K} answers each")
    rows = show(timed(sides, n_hits), "diskcache, one answer")
    ours.close()
    plain.close()
    turns.close()
    return rows


def in_turn(cache: diskcache.Cache, asked: str, conversation: str) -> str | None:
    """Return the answer whose turn it is, if the conversation has not had it."""
    with cache.transact():
        texts = cache[asked]
        had = cache.get((conversation,), ())
        text = next((text for text in texts if text not in had), None)
        if text is not None:
            cache[asked] = [*(other for other in texts if other != text), text]
            cache[(conversation,)] = (*had, text)
        return text


def by_meaning(folder: Path, n_hits: int) -> list[Row]:
    """Time hits by meaning, with MiniLM and with vectors that cost nothing."""
    from hfdiv.demo.model import encoder_folder
    from hfdiv.similarity import load_encoder

    encoder = load_encoder(encoder_folder(), "cpu")
    minilm = filled(folder / "minilm.db", PROMPTS, EmbeddingSimilarity(encoder, "all-MiniLM-L6-v2"))
    sides: dict[str, Callable[[int], object]] = {
        "hfdiv, MiniLM": lambda i: minilm.get(prompt(i % PROMPTS).lower()),
        "the encoder alone": lambda i: encoder([prompt(i % PROMPTS).upper()]),
    }
    if importlib.util.find_spec("gptcache") is None:
        print("GPTCache is not installed: it is left out")
    else:
        sides["GPTCache, MiniLM"] = gptcache(folder / "gptcache", encoder)
    print(f"hits by meaning, {PROMPTS} prompts")
    rows = show(timed(sides, n_hits), "GPTCache, MiniLM")
    for n in (1_000, 10_000, 100_000):
        free = EmbeddingSimilarity(random_vectors, "random")
        cache = filled(folder / f"free-{n}.db", n, free, k=1)
        asked = {f"hfdiv, search of {n}": lambda i, cache=cache, n=n: cache.get(prompt(i % n).lower())}
        rows += show(timed(asked, n_hits), "")
    return rows


def filled(path: Path, n_prompts: int, encoder: EmbeddingSimilarity, k: int = 2) -> ResponseCache:
    """Return a cache that is full and has read all of its vectors."""
    with ResponseCache(path, "benchmark", CacheConfig(k=k)) as cache:
        for number in range(n_prompts):
            for place in range(k):
                cache.add(prompt(number), answer(number, place))
    cache = ResponseCache(path, "benchmark", CacheConfig(k=k), semantic=encoder)
    start = time.perf_counter()
    cache.get("not there")
    print(f"{n_prompts} vectors encoded and stored by the first search: {time.perf_counter() - start:.1f} s")
    return cache


def gptcache(folder: Path, encoder: Callable[[Sequence[str]], NDArray[np.float32]]) -> Callable[[int], object]:
    """Return a lookup in a GPTCache that is full."""
    from gptcache import Cache
    from gptcache.adapter.api import get, init_similar_cache, put
    from gptcache.embedding.base import BaseEmbedding

    class Embedding(BaseEmbedding):
        dimension = 384

        def to_embeddings(self, data: str, **_: object) -> NDArray[np.float32]:
            return encoder([data])[0]

    cache = Cache()
    init_similar_cache(str(folder), cache_obj=cache, embedding=Embedding())
    for number in range(PROMPTS):
        put(prompt(number), answer(number, 0), cache_obj=cache)
    return lambda i: get(prompt(i % PROMPTS), cache_obj=cache)


def together(path: Path, n_processes: int) -> Row:
    """Time exact hits of several processes at once."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(n_processes) as pool:
        seconds = np.concatenate(pool.map(ask_for_a_second, [(str(path), n) for n in range(n_processes)], chunksize=1))
    row = {"side": f"hfdiv, {n_processes} processes at once", **percentiles(seconds), "hits": len(seconds)}
    print(f"{row['side']:>28} {row['p50'] * 1e6:9.0f} {row['p99'] * 1e6:9.0f}  {len(seconds)} hits in a second")
    return row


def ask_for_a_second(given: tuple[str, int]) -> NDArray[np.float64]:
    """Return how long each hit took."""
    path, process = given
    with ResponseCache(path, "benchmark", CacheConfig(k=K)) as cache:
        cache.get(prompt(0))
        taken, end = [], time.perf_counter() + 1.0
        while time.perf_counter() < end:
            start = time.perf_counter()
            assert cache.get(prompt(len(taken) % PROMPTS), f"{process}-{len(taken)}") is not None
            taken.append(time.perf_counter() - start)
    return np.array(taken)


def timed(sides: dict[str, Callable[[int], object]], n_hits: int) -> dict[str, NDArray[np.float64]]:
    """Return how long each call of each side took; every call must find something."""
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for round_ in range(ROUNDS):
        for side, call in sides.items():
            for i in range(round_ * n_hits // ROUNDS, (round_ + 1) * n_hits // ROUNDS):
                start = time.perf_counter()
                found = call(i)
                taken[side].append(time.perf_counter() - start)
                assert found is not None, (side, i)
    return {side: np.array(seconds) for side, seconds in taken.items()}


def show(taken: dict[str, NDArray[np.float64]], peer: str) -> list[Row]:
    """Print p50 and p99 in microseconds, and how many times the peer's p50 it is."""
    rows = [{"side": side, **percentiles(seconds)} for side, seconds in taken.items()]
    base = next((row["p50"] for row in rows if row["side"] == peer), None)
    print(f"{'':>28} {'p50 µs':>9} {'p99 µs':>9}  {'to ' + peer if base else ''}")
    for row in rows:
        ratio = "" if base is None else f"{row['p50'] / base:.2f}x"
        print(f"{row['side']:>28} {row['p50'] * 1e6:9.0f} {row['p99'] * 1e6:9.0f}  {ratio}", flush=True)
    return rows


def percentiles(seconds: NDArray[np.float64]) -> Row:
    """Return the median and the 99th percentile."""
    return {"p50": float(np.quantile(seconds, 0.5)), "p99": float(np.quantile(seconds, 0.99)), "n": len(seconds)}


@remembered
def prompt(number: int) -> str:
    """Return a question of about twelve words, which no number tells from the others."""
    rng = np.random.default_rng([SEED, number])
    return " ".join(["What about my", *rng.choice(WORDS, 9)]).capitalize() + spelled(number) + "?"


def spelled(number: int) -> str:
    """Return a number as letters."""
    return " " + "".join(chr(ord("a") + int(digit)) for digit in str(number))


def answer(number: int, place: int) -> str:
    """Return an answer of some 25 words."""
    return " ".join(np.random.default_rng([SEED, number, place]).choice(WORDS, 25)) + spelled(number) + "."


def random_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return a vector for each text that is the same whatever its case, and unlike all others."""
    seeds = [[SEED, *text.lower().encode()] for text in texts]
    return np.array([np.random.default_rng(seed).standard_normal(384, dtype=np.float32) for seed in seeds])


if __name__ == "__main__":
    main()
