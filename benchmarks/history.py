"""Conversations whose replies end alike: plain sampling against the history penalty.

    python benchmarks/history.py --model demo/base --judge demo/varied --json history.json

(`hfdiv demo --output-dir demo` makes the two folders: `base` is a model that collapsed onto one template, `varied` the
one before that.) A conversation is five messages of customers, each answered on its own: the earlier replies are not
in the prompt, only in the penalty. Counted are the replies of turns 2 to 5 whose last sentence has a cosine above 0.8
(all-MiniLM-L6-v2) with the last sentence of an earlier reply of its conversation. The intervals are bootstraps over
conversations, the same for both sides.

A setting is `multiplier:base:allowed_length:scope`. The scope is what of the earlier replies is penalized:

- `response`: all of it, within sentences (`history_scope="response"`).
- `sentence`: the last sentence, within it: its first word is free.
- `ending`: the last sentence and what ends the one before: its first word costs too (`history_scope="ending"`).

A temperature other than 1 is written behind an @, as in `plain@0.8` and `4:1.75:1:ending@0.8`. All are compared with
`plain`. Settings that the JSON file holds already are not run again.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sampled import Written, write
from transformers import LogitsProcessor, PreTrainedModel, PreTrainedTokenizerBase

from hfdiv.demo.model import encoder_folder, load_model
from hfdiv.demo.texts import Message, load_scenario
from hfdiv.generation import DecodingConfig
from hfdiv.rewards import Fluency
from hfdiv.similarity import Encoder, load_encoder
from hfdiv.text import sentences


Floats = NDArray[np.float64]
Result: TypeAlias = dict[str, Any]
Conversation: TypeAlias = list[Written]

PLAIN = "plain"
SETTINGS = ("plain@0.7", "0.8:1.75:2:response@0.7", "4:1.75:1:sentence@0.7", "4:1.75:1:ending", "4:1.75:1:ending@0.7")
SCOPES = ("response", "sentence", "ending")
ALIKE = 0.8
TURNS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not there yet and print the table."""
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    scenario = load_scenario()
    messages = [*scenario.heldout, *scenario.train]
    rng = random.Random(options.seed)
    asked = [rng.sample(messages, TURNS) for _ in range(options.conversations)]
    conditions = {
        "model": options.model.name,
        "conversations": options.conversations,
        "max_new_tokens": options.max_new_tokens,
        "seed": options.seed,
    }
    results = stored(options.json, conditions)
    wanted = [PLAIN, *options.settings]
    missing = [setting for setting in wanted if setting not in results]
    if missing:
        model, tokenizer = load_model(options.model)
        model.eval()
        encoder = load_encoder(encoder_folder(), device="cpu")
        for setting in missing:
            started = time.process_time()
            conversations = converse(model, tokenizer, asked, setting, options)
            results[setting] = measure(conversations, encoder)
            save(options.json, conditions, results)
            print(f"{setting}: {time.process_time() - started:.0f} s of CPU", flush=True)
    unjudged = [setting for setting in wanted if "judged" not in results[setting]]
    if options.judge and unjudged:
        model, tokenizer = load_model(options.judge)
        fluency = Fluency(model.eval(), tokenizer)
        for setting in unjudged:
            results[setting]["judged"] = judged(asked, results[setting], fluency, tokenizer)
            save(options.json, conditions, results)
    rows = compare(results, options.resamples)
    save(options.json, conditions, results, rows)
    print_table(rows)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of the model that replies")
    parser.add_argument("--judge", type=Path, help="folder of a second model to give the replies' log-probability")
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS), help="see above")
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--max-new-tokens", type=int, default=48)
    parser.add_argument("--resamples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="results; those that it holds are not run again")
    return parser.parse_args(arguments)


def stored(path: Path, conditions: Result) -> dict[str, Result]:
    """Return the results that `path` holds, if it was made under the same conditions."""
    if not path.exists():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))
    if held["conditions"] != conditions:
        raise SystemExit(f"{path} was made under other conditions: {held['conditions']}. Give another --json.")
    results: dict[str, Result] = held["settings"]
    return results


def save(path: Path, conditions: Result, results: dict[str, Result], rows: Sequence[Result] = ()) -> None:
    """Write conditions, results and the table."""
    facts = {"conditions": conditions, "table": list(rows), "settings": results}
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def converse(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    asked: Sequence[Sequence[Message]],
    setting: str,
    options: argparse.Namespace,
) -> list[Conversation]:
    """Return the replies of all conversations, turn by turn in one batch each."""
    setting, _, temperature = setting.partition("@")
    config = DecodingConfig(temperature=float(temperature or 1.0), max_new_tokens=options.max_new_tokens)
    conversations: list[Conversation] = [[] for _ in asked]
    for turn in range(TURNS):
        prompts = [messages[turn].prompt for messages in asked]
        processors = [penalty(setting, conversations, tokenizer)] if setting != PLAIN else []
        groups = write(model, tokenizer, prompts, config, processors, seed=options.seed + turn)
        for replies, (reply,) in zip(conversations, groups, strict=True):
            replies.append(reply)
    return conversations


def penalty(
    setting: str, conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase
) -> LogitsProcessor:
    """Return the history penalty for the next turn of each conversation."""
    multiplier, base, allowed_length, scope = setting.split(":")
    if scope not in SCOPES:
        raise SystemExit(f"The scope must be one of {', '.join(SCOPES)}, got {scope!r}.")
    config = DecodingConfig(
        history_multiplier=float(multiplier),
        history_base=float(base),
        history_allowed_length=int(allowed_length),
        history_scope="ending" if scope == "ending" else "response",
    )
    earlier = [[ending(reply) if scope == "sentence" else reply.text for reply in said] for said in conversations]
    return config.processors(tokenizer, histories=earlier)[0]


def ending(reply: Written) -> str:
    """Return the last sentence of a reply; an empty reply is its own."""
    return (sentences(reply.text) or [""])[-1]


def measure(conversations: Sequence[Conversation], encoder: Encoder) -> Result:
    """Return one row a conversation, one number a turn."""
    alike = []
    for replies in conversations:
        vectors = encoder([ending(reply) for reply in replies])
        alike.append([bool((vectors[:turn] @ vectors[turn]).max() > ALIKE) for turn in range(1, TURNS)])
    return {
        "alike": alike,
        "logprob": [[round(reply.logprob, 4) for reply in replies] for replies in conversations],
        "finished": [[reply.finished for reply in replies] for replies in conversations],
        "n_tokens": [[len(reply.ids) for reply in replies] for replies in conversations],
        "replies": [[reply.text for reply in replies] for replies in conversations],
    }


def judged(
    asked: Sequence[Sequence[Message]], result: Result, fluency: Fluency, tokenizer: PreTrainedTokenizerBase
) -> list[list[float]]:
    """Return the log-probability of the replies under another model, a row a conversation."""
    prompts = [message.prompt for messages in asked for message in messages]
    ends = ["", tokenizer.eos_token]
    said = [
        f" {text}{ends[finished]}"
        for texts, ended in zip(result["replies"], result["finished"], strict=True)
        for text, finished in zip(texts, ended, strict=True)
    ]
    scores: list[list[float]] = np.round(np.array(fluency(prompts, said), float).reshape(-1, TURNS), 4).tolist()
    return scores


def compare(results: dict[str, Result], resamples: int, seed: int = 0) -> list[Result]:
    """Return one row a setting: turns 2 to 5, and the difference to plain sampling with 95% intervals."""
    n = len(results[PLAIN]["alike"])
    draws = np.vstack([np.arange(n), np.random.default_rng(seed).integers(0, n, (resamples, n))])  # first: as it is
    rows = []
    for setting, result in results.items():
        row: Result = {"setting": setting}
        for name in ("alike", "logprob", "judged", "finished", "n_tokens"):
            if name in result:
                ours, plain = (later(each[name])[draws].mean(axis=1) for each in (result, results[PLAIN]))
                row[name] = interval(ours)
                row[f"{name}_difference"] = interval(ours - plain)
                if name == "alike":  # without a reply that ends alike in any draw there is nothing to fall
                    row["fall"] = interval(1.0 - ours / plain) if plain.all() else None
        rows.append(row)
    return rows


def later(values: Sequence[Sequence[float]]) -> Floats:
    """Return the mean over turns 2 to 5 of each conversation."""
    means: Floats = np.array([turns[1 - TURNS :] for turns in values], dtype=np.float64).mean(axis=1)
    return means


def interval(draws: Floats) -> list[float]:
    """Return the value and the 2.5th and 97.5th percentile."""
    return [round(float(value), 4) for value in (draws[0], *np.percentile(draws[1:], [2.5, 97.5]))]


def print_table(rows: Sequence[Result]) -> None:
    """Print the table in Markdown."""
    print("| setting | end alike | fall | log-probability | to plain | judged, to plain | finished | tokens |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        judged = f"{row['judged'][0]:.2f}, {row['judged_difference'][0]:+.2f}" if "judged" in row else ""
        print(
            f"| {row['setting']} | {percent(row['alike'])} | {percent(row['fall'])} | {row['logprob'][0]:.2f} | "
            f"{row['logprob_difference'][0]:+.2f} ({row['logprob_difference'][1]:+.2f} to "
            f"{row['logprob_difference'][2]:+.2f}) | {judged} | {row['finished'][0]:.0%} | {row['n_tokens'][0]:.1f} |"
        )


def percent(value: Sequence[float] | None) -> str:
    """Write a share and its interval."""
    if value is None:
        return "–"
    return "{:.0%} ({:.0%} to {:.0%})".format(*value)


if __name__ == "__main__":
    main()
