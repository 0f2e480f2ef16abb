"""From replies, or votes on them, to a folder of pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from sys import maxsize
from typing import Any, NamedTuple

from hfdiv import __version__
from hfdiv.data.conversations.read import Logs
from hfdiv.data.conversations.turns import Reply
from hfdiv.data.pairs.candidates import Candidate, Judge
from hfdiv.data.pairs.folder import CARD, DROPPED, PAIRS, REPORT, SFT, PairFolder, card
from hfdiv.data.pairs.grouping import Same, reply_groups, together
from hfdiv.data.pairs.pair import Dropped, Pair, PairMethod
from hfdiv.data.pairs.votes import Votes, read_votes
from hfdiv.data.records import DataError
from hfdiv.data.whole_folder import whole_folder
from hfdiv.selection import select


Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how much of how much of it is done."""

_OFTEN = 200  # rows from one call of it to the next


@dataclass
class Pairs:
    """What came of it.

    Attributes:
        n_prompts: Prompts with replies, one of very many replies counted once for each 256; for votes, pairs voted on.
        n_replies: Replies, or votes.
        n_pairs: Pairs written.
        n_sft: Rows for fine-tuning written.
        dropped: By reason, how many prompts or replies were dropped.
        signature: What decides about the pairs.
    """

    n_prompts: int
    n_replies: int
    n_pairs: int
    n_sft: int
    dropped: dict[str, int]
    signature: str


def build_pairs(
    path: str | Path,
    output_dir: str | Path,
    method: PairMethod | Votes,
    judge: Judge | None = None,
    *,
    same: Same = "prompt",
    sft: int = 0,
    prompt_column: str | None = None,
    response_column: str | None = None,
    settings: Mapping[str, Any] | None = None,
    budget_bytes: int = 200_000_000,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Pairs:
    r"""Write preference pairs to a folder that `datasets.load_dataset` and TRL's trainers take as it is.

    The folder holds `pairs.parquet` (`prompt`, `chosen`, `rejected`, `history`, and numbers that say why), a dataset
    card, `pairs.json` with the counts, and `dropped.jsonl` with each prompt that gave no pair and each reply that must
    not be preferred, and why. It appears when all is written.

    Args:
        path: Replies that [`~hfdiv.data.conversations.Logs`] reads, such as what `import_logs` wrote; for [`Votes`],
            rows of `prompt`, `response_a`, `response_b` and `preference`.
        output_dir: The folder to write.
        method: How pairs are made: [`DivPO`], [`Fresh`], [`Rated`] or [`Votes`].
        judge: Quality and safety of replies. Votes have none.
        same: Pair replies to the same whole `"prompt"`, or to the same last `"question"` in whatever conversation:
            then a reply can be preferred that was given in another one.
        sft: Also write so many good and varied replies a prompt to `sft.parquet` (`prompt`, `completion`): those that
            the judge lets pass, chosen by [`~hfdiv.selection.select`].
        prompt_column: As in [`~hfdiv.data.conversations.Logs`].
        response_column: As in [`~hfdiv.data.conversations.Logs`].
        settings: What to note down in the card and the report.
        budget_bytes: Bytes of replies to hold in memory, nearly. More are grouped in temporary files.
        overwrite: Replace a folder of pairs.
        progress: Called as it goes on.

    Raises:
        DataError: If the file cannot be read, or no pair comes of it. The message says why.
        ImportError: If `pyarrow` is not installed.
        ValueError: If the method needs a judge that is not given.
    """
    if isinstance(method, Votes):
        if judge is not None or sft:
            raise ValueError("Pairs from votes are judged by people: leave out the judge and `sft`.")
        work = _from_votes(path, method, budget_bytes)
    else:
        if judge is None or judge.quality is None:
            raise ValueError(f"`{method.signature}` needs a quality, so that what is preferred is never the worse.")
        if sft and judge.min_quality is None:
            raise ValueError("`sft` needs `min_quality`: only good replies are to be learned from.")
        logs = Logs([path], prompt_column, response_column)
        work = _from_replies(logs, method, judge, same, sft, budget_bytes, progress)
    signature = "|".join(
        [method.signature, *([f"same={same}", judge.signature] if judge else []), f"sft={sft}", f"hfdiv.{__version__}"]
    )
    with whole_folder(output_dir, {PAIRS, SFT, DROPPED, REPORT, CARD}, overwrite) as folder:
        done = _write(folder, work, method.columns, signature)
        if not done.n_pairs:
            why = ", ".join(f"{reason}: {n}" for reason, n in done.dropped.items()) or "there is nothing in it"
            raise DataError(f"No pair comes of {path} ({why}).")
        report = {**vars(done), "settings": dict(settings or {}), "hfdiv": __version__}
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        (folder / CARD).write_text(card(report, folder), encoding="utf-8")
    return done


class _Found(NamedTuple):
    """What comes of one prompt."""

    n_replies: int
    pairs: list[Pair]
    dropped: list[Dropped]
    sft: list[Candidate]


def _write(folder: Path, work: Iterator[_Found], columns: tuple[str, ...], signature: str) -> Pairs:
    n_prompts = n_replies = 0
    with ExitStack() as stack:
        written = PairFolder(folder, columns, stack)
        for found in work:
            n_prompts += 1
            n_replies += found.n_replies
            for pair in found.pairs:
                written.add(pair)
            for dropped in found.dropped:
                written.drop(dropped)
            for learned in found.sft:
                written.add_sft(learned.reply.prompt, learned.reply.response, learned.quality)
    reasons = dict(sorted(written.dropped.items()))
    return Pairs(n_prompts, n_replies, written.n_pairs, written.n_sft, reasons, signature)


def _from_votes(path: str | Path, votes: Votes, budget: int) -> Iterator[_Found]:
    for rows in together(read_votes(path), budget):
        found = votes(rows)
        yield _Found(len(rows), *(([found], []) if isinstance(found, Pair) else ([], [found])), [])


def _from_replies(
    logs: Logs, method: PairMethod, judge: Judge, same: Same, sft: int, budget: int, progress: Progress | None
) -> Iterator[_Found]:
    n_read = n_done = 0

    def read() -> Iterator[Reply]:
        nonlocal n_read
        for reply in logs.replies():
            n_read += 1
            if progress is not None and n_read % _OFTEN == 0:
                progress("Reading", logs.position, logs.total_bytes)
            yield reply

    def estimate(cost: int) -> float:
        return cost * (logs.total_bytes or maxsize) / (logs.position or 1)

    for replies in reply_groups(read(), same, budget, estimate):
        yield _of_prompt(judge(replies), method, sft)
        n_done += len(replies)
        if progress is not None:
            progress("Pairing", n_done, n_read)


def _of_prompt(candidates: list[Candidate], method: PairMethod, sft: int) -> _Found:
    prompt, n = candidates[0].reply.prompt, len(candidates)
    dropped = [Dropped(each.refused, each.reply.prompt, each.reply.response, n) for each in candidates if each.refused]
    pairs = method(candidates)
    if isinstance(pairs, str):
        dropped.append(Dropped(pairs, prompt, None, n))
        pairs = []
    return _Found(n, pairs, dropped, _varied(candidates, sft) if sft else [])


def _varied(candidates: list[Candidate], k: int) -> list[Candidate]:
    """Return at most k of the good replies that differ, the best first among equals."""
    good = {each.reply.response: each for each in candidates if not each.refused}
    if len(good) <= k:
        return list(good.values())
    texts = list(good)
    return [good[texts[place]] for place in select(texts, k, quality=[each.quality for each in good.values()])]
