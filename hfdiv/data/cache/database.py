"""A cache file: connections, transactions, and errors that say what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from hfdiv.data.cache.schema import prepare
from hfdiv.data.records import DataError


# How large the log grows before it is written into the file, which takes milliseconds: at SQLite's own 1000 pages, one
# hit in a hundred waits for that.
_WAL_PAGES, _PAGE = 4000, 4096

_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()


class Database:
    """An SQLite file in WAL mode, for any number of threads and processes. A connection is used by one at a time.

    Args:
        path: The file. It is made, with its folder, where there is none.
        timeout: Seconds to wait for other writers.
        durable: Whether each commit waits for the disk.
        must_exist: Do not make a file.

    Attributes:
        path (`Path`): The file.

    Raises:
        DataError: If the file is not a cache, is damaged, or is missing.
        OSError: If it cannot be opened.
        ValueError: If the path is empty or `:memory:`.

    Example:
        >>> import tempfile
        >>> with Database(Path(tempfile.mkdtemp(), "answers.db")) as database, database.read() as connection:
        ...     connection.execute("SELECT answers FROM totals").fetchone()
        (0,)
    """

    def __init__(
        self, path: str | Path, timeout: float = 30.0, durable: bool = False, must_exist: bool = False
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise ValueError(f"A cache needs a file, which its connections share, got {str(path)!r}.")
        self.path = Path(os.path.abspath(path))
        self._timeout = timeout
        self._synchronous = "FULL" if durable else "NORMAL"
        self._idle: deque[sqlite3.Connection] = deque()
        self._closed = False
        if must_exist and not self.path.exists():
            raise DataError(f"There is no cache at {self.path}.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors(), self._connection() as connection:
            prepare(connection, self.path, timeout)
        _OPEN.add(self)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with; all that is read inside is of one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to write with: all of it is done, or nothing. Others that write wait.

        Raises:
            TimeoutError: If others wrote for longer than the timeout.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def shrink(self) -> None:
        """Give the room of what was deleted back to the disk."""
        with self._errors(), self._connection() as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file. The last process to do so also writes the log into it."""
        self._closed = True
        self.close_idle()

    def close_idle(self) -> None:
        """Close the connections that nobody uses; further ones are opened when needed."""
        with contextlib.suppress(IndexError):  # empty, perhaps because another thread took the last
            while True:
                self._idle.pop().close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._errors(), self._connection() as connection:
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise ValueError(f"The cache at {self.path} was closed.")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()  # which undoes what was not committed
            raise
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_PAGES * _PAGE}")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
                raise
            raise self._told(error) from error

    def _told(self, error: sqlite3.DatabaseError) -> Exception:
        """Say what is wrong with the file. Python 3.10 has no codes of errors, only their words."""
        words = str(error)
        if "locked" in words or "busy" in words:
            return TimeoutError(
                f"{self.path} was locked by others for {self._timeout:g} s. Give a longer `timeout`, or look for a "
                "process that holds it."
            )
        damaged = ("not a database", "malformed", "no such table", "no such column", "corrupt")
        if any(sign in words for sign in damaged):
            return DataError(
                f"{self.path} is no cache, or is damaged ({words}). Nothing in it was changed. Move it away, together "
                f"with {self.path.name}-wal and {self.path.name}-shm if they are there, and a new one is made; "
                f"`sqlite3 {self.path.name} .recover` may save what was in it."
            )
        return OSError(f"{self.path}: {words}")


def _close_before_fork() -> None:
    """SQLite's connections must not be carried into a child process: it opens its own."""
    for database in list(_OPEN):
        database.close_idle()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_close_before_fork)
