"""The tables of a cache file, and whether a file is one."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from hfdiv.data.records import DataError


APPLICATION_ID = 0x68666476  # "hfdv", in the header of the file
VERSION = 1

# Rows that change at each hit are small: texts and vectors stand in tables of their own, because SQLite writes whole
# rows. What a row costs beside its texts was measured, so that `bytes` is about what the file takes up.
ROW_BYTES = 100

TABLES = (
    """CREATE TABLE namespaces (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        exact_hits INTEGER NOT NULL DEFAULT 0,
        semantic_hits INTEGER NOT NULL DEFAULT 0,
        misses INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE prompts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        namespace INTEGER NOT NULL REFERENCES namespaces (id),
        key BLOB NOT NULL,
        context BLOB NOT NULL,
        offered INTEGER NOT NULL,
        used REAL NOT NULL,
        size INTEGER NOT NULL,
        UNIQUE (namespace, key)
    )""",
    "CREATE INDEX prompts_by_use ON prompts (used)",
    """CREATE TABLE prompt_texts (
        prompt INTEGER PRIMARY KEY REFERENCES prompts (id) ON DELETE CASCADE,
        json TEXT NOT NULL
    )""",
    """CREATE TABLE vectors (
        prompt INTEGER NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
        encoder TEXT NOT NULL,
        letters INTEGER NOT NULL,
        vector BLOB NOT NULL,
        UNIQUE (prompt, encoder)
    )""",
    """CREATE TABLE answers (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        prompt INTEGER NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
        sentence INTEGER NOT NULL,
        quality REAL NOT NULL,
        expires REAL,
        turn INTEGER NOT NULL DEFAULT 0,
        served INTEGER NOT NULL DEFAULT 0,
        size INTEGER NOT NULL,
        UNIQUE (prompt, sentence)
    )""",
    "CREATE INDEX answers_by_end ON answers (expires) WHERE expires IS NOT NULL",
    """CREATE TABLE answer_texts (
        answer INTEGER PRIMARY KEY REFERENCES answers (id) ON DELETE CASCADE,
        text TEXT NOT NULL
    )""",
    """CREATE TABLE heard (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation INTEGER NOT NULL,
        sentence INTEGER NOT NULL,
        UNIQUE (conversation, sentence)
    )""",
    "CREATE TABLE totals (prompts INTEGER, answers INTEGER, bytes INTEGER, removed INTEGER)",
    "INSERT INTO totals VALUES (0, 0, 0, 0)",
    """CREATE TRIGGER prompt_in AFTER INSERT ON prompts BEGIN
        UPDATE totals SET prompts = prompts + 1, bytes = bytes + new.size;
    END""",
    """CREATE TRIGGER prompt_grows AFTER UPDATE OF size ON prompts BEGIN
        UPDATE totals SET bytes = bytes + new.size - old.size;
    END""",
    """CREATE TRIGGER prompt_out AFTER DELETE ON prompts BEGIN
        UPDATE totals SET prompts = prompts - 1, bytes = bytes - old.size, removed = removed + 1;
    END""",
    """CREATE TRIGGER answer_in AFTER INSERT ON answers BEGIN
        UPDATE totals SET answers = answers + 1, bytes = bytes + new.size;
    END""",
    """CREATE TRIGGER answer_out AFTER DELETE ON answers BEGIN
        UPDATE totals SET answers = answers - 1, bytes = bytes - old.size;
    END""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)


def prepare(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Make the tables in a new file, or check those of an old one. A file of something else is not touched.

    Args:
        connection: In autocommit mode.
        path: For messages.
        timeout: Seconds to wait for another process that is making the same file.

    Raises:
        DataError: If the file is something else, is of a newer version, or cannot be shared between processes.
    """
    if _is_ready(connection, path):
        return
    _share(connection, path, timeout)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ready(connection, path):  # another process may have been faster
            for statement in TABLES:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _is_ready(connection: sqlite3.Connection, path: Path) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (n_objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == APPLICATION_ID and version == VERSION:
        return True
    if application == APPLICATION_ID:
        raise DataError(
            f"{path} is a cache of version {version}, and this hfdiv reads version {VERSION}. Use the hfdiv that "
            "wrote it, or give another file."
        )
    if n_objects or application or version:
        raise DataError(f"{path} is a database of something else, and was left as it is. Give another file.")
    return False


def _share(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Let readers and a writer work at once. SQLite does not wait when two processes ask for that at the same time."""
    give_up = time.monotonic() + timeout
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise DataError(
            f"{path} cannot be shared between processes: SQLite's mode there is {mode!r} and not WAL. Give a file on "
            "a local disk."
        )
