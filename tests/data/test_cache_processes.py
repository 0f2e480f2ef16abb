"""Eight processes write to one file, and are killed at random: nothing that was committed is lost or torn."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hfdiv.data.cache import CacheConfig, ResponseCache


# What a process writes is longer than a page, and says of itself whether it is whole.
WRITER = """
import sys
from tests.data.test_cache_processes import CONFIG, text_of, whole
from hfdiv.data.cache import ResponseCache

path, me = sys.argv[1:]
cache = ResponseCache(path, "a", CONFIG)
for number in range(10**9):
    own, shared = f"{me} {number}", f"shared {number % 7}"
    for prompt in (own, shared):
        if cache.add(prompt, text_of(f"{me}-{number}")).kept:
            print(f"{prompt}\\t{me}-{number}", flush=True)
    answer = cache.get(shared, f"{me}-{number}", early=True)
    if answer is not None and not whole(answer.text):
        print("torn", flush=True)
"""
N, KILLS = 8, 6
CONFIG = CacheConfig(k=10_000, fill=1, max_similarity=1.0)


def text_of(name):
    generator = random.Random(name)
    words = [name, *("".join(generator.choices("abcdefg中文👍", k=8)) for _ in range(300))]
    return " ".join([*words, str(len(words))])


def whole(text):
    name, *_, n = text.split(" ")
    return text == text_of(name) and int(n) == 301


def start(path, me):
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), me], cwd=root, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_killed_processes_lose_and_tear_nothing(tmp_path):
    path, generator = tmp_path / "answers.db", random.Random(0)
    running = [start(path, f"p{place}") for place in range(N)]
    said = []
    for process in running:
        said.append(process.stdout.readline())  # all are at work
    ended = []
    for kill in range(KILLS):
        time.sleep(generator.uniform(0.05, 0.4))
        victim = running.pop(generator.randrange(len(running)))
        victim.send_signal(signal.SIGKILL)
        ended.append(victim)
        running.append(start(path, f"q{kill}"))
    said.append(running[-1].stdout.readline())
    for process in running:
        process.send_signal(signal.SIGKILL)
    for process in ended + running:
        output = process.communicate(timeout=60)[0]
        said += output.splitlines(keepends=True)
        assert process.returncode == -signal.SIGKILL
    committed = [line.rstrip("\n").split("\t") for line in said if line.endswith("\n")]
    assert ["torn"] not in committed
    assert len(committed) > 2 * N
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        counted = connection.execute("SELECT prompts, answers, bytes FROM totals").fetchone()
        assert (
            counted
            == connection.execute(
                "SELECT (SELECT count(*) FROM prompts), (SELECT count(*) FROM answers),"
                " (SELECT sum(size) FROM prompts) + (SELECT sum(size) FROM answers)"
            ).fetchone()
        )
    connection.close()
    with ResponseCache(path, "a", CONFIG) as cache:
        found = {entry.prompt: entry.responses for entry in cache.entries()}
    assert all(text_of(name) in found[prompt] for prompt, name in committed)
    assert all(whole(text) for texts in found.values() for text in texts)
