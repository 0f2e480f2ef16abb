"""A folder of pairs that `datasets` and TRL take as it is."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hfdiv._extras import require
from hfdiv.data.pairs.candidates import as_completion
from hfdiv.data.pairs.pair import Dropped, Pair
from hfdiv.data.records import DataError
from hfdiv.text import Response


PAIRS, SFT, DROPPED, REPORT, CARD = "pairs.parquet", "sft.parquet", "dropped.jsonl", "pairs.json", "README.md"

_ROWS = 1000  # written at a time
_BYTES = 32_000_000  # or as soon as their texts are so long


class PairFolder:
    """Writes pairs, rows for fine-tuning and what was dropped, as they come.

    All rows take the form of the first prompt. Where that is chat messages, a prompt that is a text becomes a user's
    message.

    Args:
        folder: An empty folder.
        columns: Names of the numbers of each pair.
        stack: Closes the files.

    Attributes:
        n_pairs (`int`): Pairs written.
        n_sft (`int`): Rows for fine-tuning written.
        dropped (`Counter`): By reason, how many prompts or replies were dropped.

    Raises:
        ImportError: If `pyarrow` is not installed.
    """

    def __init__(self, folder: Path, columns: Iterable[str], stack: ExitStack) -> None:
        self._arrow = require("pyarrow", "data")
        self.n_pairs = self.n_sft = 0
        self.dropped: Counter[str] = Counter()
        self._columns = tuple(columns)
        self._chat: bool | None = None
        self._files = {name: _Parquet(folder / name, stack) for name in (PAIRS, SFT)}
        self._dropped = stack.enter_context((folder / DROPPED).open("w", encoding="utf-8", newline="\n"))

    def add(self, pair: Pair) -> None:
        """Write a pair."""
        prompt = self._prompt(pair.prompt)
        row = {
            "prompt": prompt,
            "chosen": as_completion(prompt, pair.chosen),
            "rejected": as_completion(prompt, pair.rejected),
            "history": pair.history,
            **{name: pair.numbers[name] for name in self._columns},
        }
        text = self._text()
        numbers = dict.fromkeys(self._columns, self._arrow.float64())
        history = self._arrow.list_(self._arrow.string())
        schema = {**dict.fromkeys(("prompt", "chosen", "rejected"), text), "history": history, **numbers}
        self._files[PAIRS].add(row, schema)
        self.n_pairs += 1

    def add_sft(self, prompt: Response, completion: str, quality: float) -> None:
        """Write a row for fine-tuning."""
        prompt = self._prompt(prompt)
        row = {"prompt": prompt, "completion": as_completion(prompt, completion), "quality": quality}
        text = self._text()
        self._files[SFT].add(row, {"prompt": text, "completion": text, "quality": self._arrow.float64()})
        self.n_sft += 1

    def drop(self, dropped: Dropped) -> None:
        """Write what is dropped, and count it."""
        self.dropped[dropped.reason] += 1
        self._dropped.write(json.dumps(dropped._asdict(), ensure_ascii=False) + "\n")

    def _prompt(self, prompt: Response) -> Response:
        if self._chat is None:
            self._chat = not isinstance(prompt, str)
        if self._chat and isinstance(prompt, str):
            return [{"role": "user", "content": prompt}]
        if not self._chat and not isinstance(prompt, str):
            raise DataError(
                "The first prompt is a text and a later one chat messages, and TRL takes one form: give them apart."
            )
        return prompt

    def _text(self) -> Any:  # noqa: ANN401 - pyarrow has no types
        string = self._arrow.string()
        message = self._arrow.struct([("role", string), ("content", string)])
        return self._arrow.list_(message) if self._chat else string


class _Parquet:
    """A Parquet file that is begun with its first row."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._writer: Any = None
        self._waiting: list[dict[str, Any]] = []
        self._size = 0

    def add(self, row: dict[str, Any], types: Mapping[str, Any]) -> None:
        if self._writer is None:
            arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
            self._schema = arrow.schema(list(types.items()))
            self._writer = self._stack.enter_context(parquet.ParquetWriter(self._path, self._schema))
            self._stack.callback(self.flush)  # before the writer is closed
        self._waiting.append(row)
        self._size += len(str(row))
        if len(self._waiting) >= _ROWS or self._size >= _BYTES:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            table = require("pyarrow", "data").Table.from_pylist(self._waiting, schema=self._schema)
            self._writer.write_table(table)
        self._waiting, self._size = [], 0


def card(report: Mapping[str, Any], folder: Path) -> str:
    """Return the card of the dataset in `folder`: counts, settings and signature, its files named for `datasets`."""
    has_sft = report["n_sft"] > 0
    configs = "configs:\n" + _config("default", folder / PAIRS)
    if has_sft:
        configs += _config("sft", folder / SFT)
    dropped = report["dropped"]
    counts = {"prompts": report["n_prompts"], "replies": report["n_replies"], "pairs": report["n_pairs"]}
    counts |= {"rows for fine-tuning": report["n_sft"]} if has_sft else {}
    lines = [f"| {name} | {n} |" for name, n in counts.items()]
    lines += [f"| dropped: {reason} | {n} |" for reason, n in sorted(dropped.items())]
    settings = json.dumps(report["settings"], indent=2, ensure_ascii=True)
    indented = "\n".join(f"    {line}" for line in settings.splitlines())
    return (
        f"---\ntags:\n- trl\n- dpo\n- hfdiv\n{configs}---\n\n# Preference pairs by hfdiv\n\n"
        "`prompt`, `chosen` and `rejected` are as TRL's preference trainers read them; the other columns say why.\n"
        f"What is dropped is in `{DROPPED}`, with the reason.\n\n"
        "| | n |\n|---|---|\n" + "\n".join(lines) + "\n\n"
        f"Signature:\n\n    {report['signature']}\n\nSettings:\n\n{indented}\n"
    )


def _config(name: str, file: Path) -> str:
    """Name a file for `datasets`, whose cache knows a folder by its name and by what its card says of its files.

    Without the digest the cache would serve the old pairs for new ones in a folder of the same name.
    """
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while part := content.read(1 << 20):
            digest.update(part)
    return f"- config_name: {name}\n  data_files: {file.name}\n  description: sha256 {digest.hexdigest()}\n"
