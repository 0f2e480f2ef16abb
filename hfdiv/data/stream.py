"""A file of replies of any size: chunk by chunk in bounded memory, or at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from sys import maxsize
from typing import NamedTuple

from hfdiv.data.folder import parts_of
from hfdiv.data.groups import Groups
from hfdiv.data.records import DataError, Records
from hfdiv.data.rows import Rows
from hfdiv.data.scattered import gather


@dataclass(frozen=True)
class Chunk(Records):
    """Some of a file's groups, each of them whole; or some of its replies, where it has no prompts.

    Attributes:
        bytes_read (`int`): Bytes of the file that this chunk and those before it account for, nearly; all of them
            (`Stream.total_bytes`) at the last chunk.
    """

    bytes_read: int = 0


class Stream:
    """The chunks of a file: iterate over it, as often as needed. [`stream`] makes one.

    Attributes:
        path (`Path`): The file or folder.
        total_bytes (`int`): Its size; 0 of a pipe.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        prompt_column: str | None = None,
        response_column: str | None = None,
        where: str | None = None,
        chunk_responses: int = 20_000,
        budget_bytes: int = 200_000_000,
    ) -> None:
        for name, value in (("chunk_responses", chunk_responses), ("budget_bytes", budget_bytes)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1, got {value}.")
        self.path = Path(path)
        self.total_bytes = sum(part.size for part in parts_of(self.path))
        self._prompt_column = prompt_column
        self._response_column = response_column
        self._where = where
        self._chunk_responses = chunk_responses
        self._budget = budget_bytes

    def __iter__(self) -> Iterator[Chunk]:
        rows = Rows(self.path, self._prompt_column, self._response_column)
        columns: dict[str, None] = {}  # all seen so far: a chunk that lacks one has NaN there
        with closing(self._pieces(rows)) as pieces:  # Python 3.12 keeps what a closed generator refers to
            for piece in pieces:
                columns.update(dict.fromkeys(piece.groups.column_names))
                names = columns if self._where is None else {**columns, self._where: None}
                records = piece.groups.records(names, rows.layout != "flat", piece.start, piece.stop)
                if self._where is not None:
                    records = records.where(self._where)
                yield Chunk(records.prompts, records.groups, records.columns, records.has_prompts, piece.bytes_read)
        if not rows.n_responses:
            raise DataError(f"{self.path} holds no replies: every list of replies is empty.")
        if self._where is not None and self._where not in columns:
            raise DataError(f"There is no column {self._where!r} to select by; the columns are {sorted(columns)}.")

    def _pieces(self, rows: Rows) -> Generator[_Piece, None, None]:
        return self._scattered(rows) if rows.layout == "scattered" else self._in_order(rows)

    def _in_order(self, rows: Rows) -> Generator[_Piece, None, None]:
        """Yield groups as the file has them: nothing of them comes later."""
        groups = Groups()
        add = Groups.add_apart if rows.layout == "whole" else Groups.add
        for entry in rows.entries():
            if groups.n_responses >= self._chunk_responses or groups.cost >= self._budget:
                yield _Piece(groups, 0, len(groups), rows.position)
                groups = Groups()
            add(groups, entry)
        yield _Piece(groups, 0, len(groups), self.total_bytes)

    def _scattered(self, rows: Rows) -> Generator[_Piece, None, None]:
        """Yield groups whose replies may stand anywhere: the whole file is read before the first."""

        def estimate(cost: int) -> float:
            return cost * (self.total_bytes or maxsize) / (rows.position or 1)

        n_done = 0
        with closing(gather(rows.entries(), self._budget, estimate)) as gathered:
            for groups in gathered:
                for start, stop, n in groups.spans(self._chunk_responses):
                    n_done += n
                    yield _Piece(groups, start, stop, self.total_bytes * n_done // max(rows.n_responses, 1))


class _Piece(NamedTuple):
    """Groups `start` to `stop` of a collection, on their way to be a chunk."""

    groups: Groups
    start: int
    stop: int
    bytes_read: int


def stream(
    path: str | Path,
    *,
    prompt_column: str | None = None,
    response_column: str | None = None,
    where: str | None = None,
    chunk_responses: int = 20_000,
    budget_bytes: int = 200_000_000,
) -> Stream:
    r"""Read a file of replies of any size, chunk by chunk. [`read_records`] says which files.

    Every group is whole and in one chunk. Where a row is a group, or there are no prompts, chunks follow the file.
    Where rows are single replies to prompts, the whole file is read before the first chunk comes: those of one prompt
    may stand anywhere. What does not fit the budget is then grouped in unnamed temporary files (in `TMPDIR`, about
    as much room as the texts take), and the order of the prompts is no longer that of the file; that of the replies
    to one prompt is.

    A JSON array is read at once, whatever the budget; so is a single group larger than it.

    Args:
        path: The file or folder.
        prompt_column: Name of the column of prompts.
        response_column: Name of the column of replies.
        where: Keep only replies whose column of this name is true, as [`Records.where`] does.
        chunk_responses: Replies that make a chunk, the last group's beyond that included.
        budget_bytes: Bytes of texts to hold in memory, nearly; the process takes up somewhat more.

    Raises:
        DataError: If the file cannot be opened; on the way, if a row is wrong, or at the end, if there is no column
            `where`.
        ImportError: If `pyarrow` is needed and not installed.
        ValueError: If `chunk_responses` or `budget_bytes` is less than 1.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "replies.txt")
        >>> _ = file.write_text("Hello\nHey\nHi\n", encoding="utf-8")
        >>> [chunk.texts for chunk in stream(file, chunk_responses=2)]
        [['Hello', 'Hey'], ['Hi']]
    """
    return Stream(
        path,
        prompt_column=prompt_column,
        response_column=response_column,
        where=where,
        chunk_responses=chunk_responses,
        budget_bytes=budget_bytes,
    )


def read_records(path: str | Path, *, prompt_column: str | None = None, response_column: str | None = None) -> Records:
    r"""Read a file of replies, or a folder of such files.

    A row holds `prompt` and one reply (`response`, `completion` or `text`; rows of the same prompt make a group), or
    `prompt` and a list of replies (`responses`, `generations` or `completions`; the row is the group). Prompts and
    replies are strings or chat messages. Further columns that hold a number a reply (in a list of the same
    length, where the replies are a list) are kept as [`Records.columns`]; all others are ignored. A file of single
    replies without any prompt is one corpus.

    Such rows may stand in JSON Lines (also gzipped), a JSON array, Parquet, CSV or TSV, Arrow, a dataset saved to
    disk by `datasets`, or plain text, one reply a line. These logs are read as they are, told by their first row:

    - TRL's completions tables, in which replies to one prompt at one step are a group;
    - samples of lm-evaluation-harness, where the replies are what the model wrote before any filter;
    - reviews of EvalScope;
    - NoveltyBench's generations;
    - the output of OpenAI's batch API and of `vllm run-batch`, where the request's `custom_id` stands for the prompt.

    Of a folder, all `.jsonl`, `.parquet`, `.csv`, `.tsv`, `.txt` or `.arrow` files are read, in the order of their
    names; they must be of one kind.

    Args:
        path: The file or folder; a name without a suffix known here is read as JSON.
        prompt_column: Name of the column of prompts, where it is not `prompt`.
        response_column: Name of the column of replies or of lists of replies, where it is none of the above.

    Raises:
        DataError: If the file cannot be read, is empty, or a row is not as above. The message names the row.
        ImportError: If the file is Parquet or Arrow and `pyarrow` is not installed.

    Example:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "replies.csv")
        >>> _ = file.write_text("question,answer\nHi,Hello\nHi,Hey\n", encoding="utf-8")
        >>> read_records(file, prompt_column="question", response_column="answer")
        Records(prompts=['Hi'], groups=[['Hello', 'Hey']], columns={}, has_prompts=True)
    """
    (records,) = Stream(
        path,
        prompt_column=prompt_column,
        response_column=response_column,
        chunk_responses=maxsize,
        budget_bytes=maxsize,
    )
    return Records(records.prompts, records.groups, records.columns, records.has_prompts)
