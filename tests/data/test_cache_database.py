import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from hfdiv.data import DataError
from hfdiv.data.cache import CacheConfig, ResponseCache
from hfdiv.data.cache.database import Database
from hfdiv.data.cache.schema import APPLICATION_ID, TABLES, prepare


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.db"


def filled(path, n=3):
    with ResponseCache(path, "a", CacheConfig(fill=1)) as cache:
        for number in range(n):
            cache.add(f"prompt {number}", f"answer {number} " + "long " * 500)
    return path


def read_all(path):
    with ResponseCache(path, "a") as cache:
        return list(cache.entries())


def fail_in_the_middle(database):
    with database.write() as db:
        db.execute("INSERT INTO namespaces (name) VALUES ('a')")
        raise KeyboardInterrupt


def integrity(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def test_a_file_is_made_with_its_folder(tmp_path):
    path = tmp_path / "deep" / "er" / "answers.db"
    with Database(path) as database, database.read() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert db.execute("PRAGMA synchronous").fetchone() == (1,)
    assert [file.name for file in path.parent.iterdir()] == ["answers.db"]


def test_durable_waits_for_the_disk(path):
    with Database(path, durable=True) as database, database.read() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_that_must_be_there_is_not_made(path):
    with pytest.raises(DataError, match=r"There is no cache at .*answers.db"):
        Database(path, must_exist=True)
    assert not path.exists()


def test_an_empty_file_is_a_new_one(path):
    path.touch()
    assert ResponseCache(path, "a").add("Hi", "Hello")


@pytest.mark.parametrize(
    "content",
    [b"prompt,response\nHi,Hello\n" * 100, random.Random(0).randbytes(5000), b"SQLite format 3\0" * 300],
    ids=["text", "noise", "header"],
)
def test_a_file_of_something_else_is_told_and_left(path, content):
    path.write_bytes(content)
    with pytest.raises(DataError, match="is no cache, or is damaged .*Move it away"):
        ResponseCache(path, "a")
    assert path.read_bytes() == content


@pytest.mark.parametrize("setup", ["CREATE TABLE mine (x)", "PRAGMA user_version = 3", "PRAGMA application_id = 7"])
def test_another_database_is_told_and_left(path, setup):
    with sqlite3.connect(path) as connection:
        connection.execute(setup)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DataError, match="is a database of something else, and was left as it is"):
        ResponseCache(path, "a")
    assert path.read_bytes() == before


def test_a_newer_version_is_told_and_left(path):
    with sqlite3.connect(filled(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(DataError, match="is a cache of version 2, and this hfdiv reads version 1"):
        ResponseCache(path, "a")


def test_a_cache_without_its_tables_is_damaged(path):
    with sqlite3.connect(filled(path)) as connection:
        connection.execute("DROP TABLE answer_texts")
    connection.close()
    with pytest.raises(DataError, match="is damaged"):
        ResponseCache(path, "a", CacheConfig(fill=1)).get("prompt 1")


def test_a_damaged_file_is_told_and_left(path):
    whole = filled(path, 200).read_bytes()
    path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))
    before = path.read_bytes()
    with pytest.raises(DataError, match="is damaged .*Nothing in it was changed"):
        read_all(path)
    assert len(path.read_bytes()) == len(before)


@pytest.mark.parametrize("nowhere", ["", ":memory:"])
def test_a_cache_needs_a_file(nowhere):
    with pytest.raises(ValueError, match="A cache needs a file"):
        ResponseCache(nowhere, "a")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError, match="unable to open database file"):
        ResponseCache(tmp_path, "a")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_written_is_told(path):
    filled(path).chmod(0o400)
    with pytest.raises(OSError, match="readonly"):
        ResponseCache(path, "a")


def test_a_full_disk_is_told(path):
    cache = ResponseCache(path, "a")
    with cache._database.read() as db:
        db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(OSError, match="answers.db: database or disk is full"):
        cache.add("Hi", "long " * 20_000)
    assert cache.get("Hi") is None
    assert cache.add("Hi", "short")


def test_who_waits_too_long_is_told(path):
    with Database(path) as holder, Database(path, timeout=0.1) as waiting:
        with holder.write():
            with waiting.read() as db:
                assert db.execute("SELECT answers FROM totals").fetchone() == (0,)
            with pytest.raises(TimeoutError, match=r"was locked by others for 0.1 s"):
                waiting.write().__enter__()
        with waiting.write() as db:
            db.execute("INSERT INTO namespaces (name) VALUES ('a')")


def test_what_fails_is_undone(path):
    with Database(path) as database:
        with pytest.raises(KeyboardInterrupt):
            fail_in_the_middle(database)
        with database.read() as db:
            assert db.execute("SELECT count(*) FROM namespaces").fetchone() == (0,)


def test_a_closed_cache_says_so(path):
    cache = ResponseCache(path, "a")
    cache.close()
    cache.close()
    for use in (lambda: cache.get("Hi"), lambda: cache.add("Hi", "Hello"), cache.stats, lambda: list(cache.entries())):
        with pytest.raises(ValueError, match=r"The cache at .*answers.db was closed"):
            use()


def test_closing_leaves_one_file(path):
    filled(path)
    assert [file.name for file in path.parent.iterdir()] == ["answers.db"]


def test_threads_share_a_cache(path):
    cache, wrong = ResponseCache(path, "a", CacheConfig(k=8)), []

    def work(me):
        try:
            for number in range(25):
                cache.add(f"shared {number % 5}", f"w{me}a w{me}b w{me}c")
                cache.get(f"shared {number % 5}", f"{me}", early=True)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(me,)) for me in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert {tuple(sorted(entry.responses)) for entry in cache.entries()} == {
        tuple(f"w{me}a w{me}b w{me}c" for me in range(8))
    }
    assert len(cache._database._idle) <= 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_the_file_anew(path):
    cache = ResponseCache(path, "a", CacheConfig(fill=1))
    cache.add("Hi", "of the parent")
    child = os.fork()
    if child == 0:
        fine = cache.get("Hi", "child").text == "of the parent" and cache.add("Hi", "what a child says").kept
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.get("Hi", "x").text == "what a child says"
    cache.close()
    assert integrity(path) == "ok"


def run(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def test_a_process_killed_while_it_writes_leaves_nothing_half_done(path):
    filled(path)
    process = run(
        "import os, signal, sys\n"
        "from hfdiv.data.cache.database import Database\n"
        "with Database(sys.argv[1]).write() as db:\n"
        "    db.execute('DELETE FROM prompts')\n"
        "    db.execute(\"INSERT INTO namespaces (name) VALUES ('half')\")\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n",
        path,
    )
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    start = time.monotonic()
    with ResponseCache(path, "a", CacheConfig(fill=1)) as cache:
        assert [cache.get(f"prompt {number}").text[:8] for number in range(3)] == ["answer 0", "answer 1", "answer 2"]
        assert cache.stats().n_answers == 3
    assert time.monotonic() - start < 20  # it waits for nobody who is dead
    assert integrity(path) == "ok"


def test_many_processes_may_make_the_same_file(path):
    code = (
        "import sys\n"
        "from hfdiv.data.cache import ResponseCache\n"
        "print(ResponseCache(sys.argv[1], 'a').add('Hi', 'Hello').kept)"
    )
    processes = [run(code, path) for _ in range(6)]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == ["True"] * 6
    assert integrity(path) == "ok"
    with ResponseCache(path, "a") as cache:
        assert cache.stats().n_answers == 1


def test_a_file_that_cannot_be_shared_is_told():
    in_memory = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(DataError, match="cannot be shared between processes: SQLite's mode there is 'memory'"):
        prepare(in_memory, "there", 1.0)


def test_tables_are_made_whole_or_not_at_all(path, monkeypatch):
    monkeypatch.setattr("hfdiv.data.cache.schema.TABLES", (*TABLES[:5], "CREATE TABLE broken ("))
    with pytest.raises(OSError, match="incomplete input"):
        Database(path)
    monkeypatch.undo()
    assert ResponseCache(path, "a").add("Hi", "Hello")
