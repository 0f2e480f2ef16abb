"""Rows of one prompt brought together from all over a file that does not fit in memory.

The rows go to temporary files, one for each class of a hash of their keys (Grace partitioning), so that all rows of a
key are in one file; a file that is still too large is split again by another hash.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from itertools import chain
from math import ceil
from typing import IO

from hfdiv.data.entry import Entry
from hfdiv.data.groups import Groups, cost_of
from hfdiv.data.records import DataError


_FILES = (64, 16)  # at most, of the first split and of one of a file of a split: all stay open at once
_DEEPEST = 8  # splits of splits, after which two long groups have met too often to be parted


def gather(
    entries: Iterable[Entry], budget: int, estimate: Callable[[int], float] = float, depth: int = 0
) -> Generator[Groups, None, None]:
    """Yield the groups that the entries make, each of them whole and in one of the yielded collections.

    What fits the budget is grouped in memory, in the order of first appearance. Of more than that, the order of
    groups is that of a hash of their keys, the same in every run. Within a group the order of replies is that of the
    entries. A single group larger than the budget is held in memory all the same.

    The temporary files have no name, so that nothing can leave them behind, and are gone when the iterator is closed.

    Args:
        entries: Entries in any order.
        budget: Bytes of memory for the groups of one collection, nearly.
        estimate: From the cost of the entries read so far to that of all.
        depth: How often these entries were split before.

    Raises:
        DataError: If the temporary files cannot be written.
    """
    groups = Groups()
    rest = iter(entries)
    for entry in rest:
        groups.add(entry)
        if groups.cost > budget and len(groups) > 1 and depth < _DEEPEST:
            break
    else:
        if groups:
            yield groups
        return
    n_files = min(max(2, ceil(2 * estimate(groups.cost) / budget)), _FILES[depth > 0])
    with ExitStack() as stack:
        files = [_File(stack, budget // (4 * n_files)) for _ in range(n_files)]
        for entry in chain(groups.entries(), rest):
            files[_hash(entry.key, depth) % n_files].add(entry)
        del groups
        for file in files:
            yield from gather(file.entries(), budget, file.estimate, depth + 1)


class _File:
    """Entries on their way to a temporary file and back.

    They are written with `marshal`, several times as fast as JSON; unlike `pickle`, it makes plain values only.
    """

    def __init__(self, stack: ExitStack, buffer: int) -> None:
        with _writing():
            self._file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile(prefix="hfdiv-"))
        self._buffer = buffer
        self._waiting: list[tuple[object, ...]] = []
        self._waiting_cost = 0
        self._cost = 0

    def estimate(self, _: int) -> float:
        return self._cost

    def add(self, entry: Entry) -> None:
        cost = cost_of(entry)
        self._cost += cost
        self._waiting_cost += cost
        self._waiting.append(tuple(entry))
        if self._waiting_cost > self._buffer:
            self._write()

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in the order in which they came, and close the file."""
        self._write()
        with self._file as file:
            file.seek(0)
            while size := file.read(8):
                yield from map(Entry._make, marshal.loads(file.read(int.from_bytes(size, "little"))))

    def _write(self) -> None:
        block = marshal.dumps(self._waiting)
        self._waiting, self._waiting_cost = [], 0
        with _writing():
            self._file.write(len(block).to_bytes(8, "little"))
            self._file.write(block)
            self._file.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"Cannot write temporary files to {tempfile.gettempdir()}: {error.strerror or error}. The replies to one "
            "prompt stand too far apart in the file to be grouped in memory; set TMPDIR to a folder with as much room "
            "as the file takes."
        ) from error


def _hash(key: str, depth: int) -> int:
    """Return a hash that is the same in every process, and another one at each depth."""
    return int.from_bytes(blake2b(key.encode("utf-8"), digest_size=8, salt=bytes([depth])).digest(), "little")
