"""How many prompts a second `hfdiv generate --backend openai` gets answered, and what it adds to each request.

    python benchmarks/backends.py --json backends.json

A server in a process of its own answers each request after a set time; it writes nothing, so that all else is the
client's. Beside ours: the loop that one writes first, `client.chat.completions.create` prompt by prompt; and the one
that one writes next, `AsyncOpenAI` with a semaphore and `asyncio.gather`. Neither writes anything down; ours writes
each reply to disk twice, as it comes and in its turn. The sides take turns in rounds, so that what other processes
take falls upon all of them; the median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai

import hfdiv
from hfdiv.cli.server_job import ServerJob, ask_servers
from hfdiv.cli.task import Task
from hfdiv.data.prompts import Prompts
from hfdiv.generation import DecodingConfig
from hfdiv.generation.backends import Limits, Source


CONCURRENCY = 8
BODY = json.dumps(
    {
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "It is on its way. " * 15},
            }
        ]
    }
).encode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Time all sides against a slow server, and against one that answers at once."""
    options = parse(arguments)
    versions = f"hfdiv {hfdiv.__version__}, openai {openai.__version__}"
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, {versions}")
    rows = []
    for delay, n in ((options.delay, options.prompts), (0.0, options.quick_prompts)):
        with Server(delay) as url:
            rows += measured(url, delay, n, options.rounds)
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.2, help="seconds that an answer takes")
    parser.add_argument("--prompts", type=int, default=64, help="for the slow server")
    parser.add_argument("--quick-prompts", type=int, default=400, help="for the one that answers at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args(arguments)


def measured(url: str, delay: float, n: int, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each side: the median seconds for `n` prompts."""
    prompts = [f"Where is my order number {place}?" for place in range(n)]
    sides: dict[str, Callable[[], None]] = {
        "openai, one by one": lambda: one_by_one(url, prompts),
        "hfdiv, concurrency 1": lambda: ours(url, prompts, 1),
        f"openai, gather of {CONCURRENCY}": lambda: asyncio.run(gathered(url, prompts)),
        f"hfdiv, concurrency {CONCURRENCY}": lambda: ours(url, prompts, CONCURRENCY),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    ours(url, prompts[:2], 1)  # imports and the first connection
    for _ in range(rounds):
        for name, side in sides.items():
            start = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - start)
    return [
        {"side": name, "delay": delay, "prompts": n, "seconds": statistics.median(times), "all": times}
        for name, times in seconds.items()
    ]


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print the table, with how many times as fast as the plain loop each side is."""
    print(
        f"{'answer takes':>12} {'side':>22} {'prompts':>8} {'s':>8} {'prompts/s':>10} {'ms/prompt':>10} {'ratio':>6}"
    )
    for row in rows:
        plain = next(each for each in rows if each["delay"] == row["delay"])
        rate, each = row["prompts"] / row["seconds"], 1000 * row["seconds"] / row["prompts"]
        ratio = plain["seconds"] / row["seconds"]
        print(
            f"{row['delay']:>10.2f} s {row['side']:>22} {row['prompts']:>8} {row['seconds']:>8.2f} {rate:>10.1f} "
            f"{each:>10.2f} {ratio:>6.2f}"
        )


def ours(url: str, prompts: list[Any], concurrency: int) -> None:
    """The whole of `hfdiv generate`, but for reading the prompts."""
    given, config = Prompts(prompts, [[]] * len(prompts)), DecodingConfig()
    with tempfile.TemporaryDirectory() as folder:
        task = Task(given, config, best_of=None, choice=None, raw=False)
        job = ServerJob(task, [Source(url, "m", config)], Limits(concurrency))
        ask_servers(job, Path(folder), overwrite=False)
        n_written = Path(folder, "replies.jsonl").read_bytes().count(b"\n")
    if n_written != len(prompts):
        raise RuntimeError(f"{n_written} of {len(prompts)} prompts were answered.")


def one_by_one(url: str, prompts: Sequence[str]) -> None:
    """The loop that one writes first."""
    client = openai.OpenAI(base_url=url, api_key="none")
    for prompt in prompts:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}], max_tokens=256)


async def gathered(url: str, prompts: Sequence[str]) -> None:
    """The one that one writes next."""
    client, free = openai.AsyncOpenAI(base_url=url, api_key="none"), asyncio.Semaphore(CONCURRENCY)

    async def one(prompt: str) -> None:
        async with free:
            await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": prompt}], max_tokens=256
            )

    await asyncio.gather(*map(one, prompts))


class Server:
    """Runs while the block does, in a process of its own; the block gets its URL."""

    def __init__(self, delay: float) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=serve, args=(delay, theirs), daemon=True)

    def __enter__(self) -> str:
        self._process.start()
        return f"http://127.0.0.1:{self._ours.recv()}/v1"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def serve(delay: float, pipe: Any) -> None:  # noqa: ANN401 - multiprocessing's
    """Answer every request alike, after `delay` seconds."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
