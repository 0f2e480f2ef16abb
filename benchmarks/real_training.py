"""The model of an arm of `real_arms.py`: a base as it is, or trained by GRPO or DPO."""

from __future__ import annotations

import hashlib
import json
import os
import random
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, load_dataset
from filelock import FileLock
from peft import PeftModel
from preference import RandomPairs
from preference import train as train_dpo
from real_arms import Arm
from real_reply import reply
from real_world import GROUP, MAX_NEW_TOKENS, MONOTONE, World
from sampled import write
from transformers import PreTrainedModel, PreTrainedTokenizerBase

import hfdiv.data.pairs as pairing
from hfdiv.data import Records, write_records
from hfdiv.data.pairs import DivPO, build_pairs
from hfdiv.demo.texts import Message
from hfdiv.demo.train import diversify, questions
from hfdiv.generation import DecodingConfig
from hfdiv.rewards import Fluency


LEARNING_RATE = 2e-4
PAIRED_MESSAGES, PAIRED_REPLIES, PAIRS_EACH = 24, 12, 3
DPO = {"steps": 20, "batch_size": 2, "learning_rate": LEARNING_RATE}
CUT_OFF = 10.0
"""What a reply that was cut off loses of its quality before pairs are made."""
TRAINING_CONVERSATIONS, TRAINING_TURNS = 64, 4
"""Conversations, and turns of each, that a model with the history in its prompt is trained on."""
LOGGED = ("reward", "rewards/relevance/mean", "rewards/fluency/mean", "completions/clipped_ratio")


def trained(
    world: World, arm: Arm, seed: int, base: str = MONOTONE
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, list[dict[str, float]]]:
    """Return the model of an arm, its tokenizer, and what was logged while it was trained just now."""
    if arm.after:
        model, tokenizer, _ = trained(world, arm.after, seed, base)
    else:
        model, tokenizer = world.load("varied" if arm.kind == "varied" else base)
    if arm.kind in ("base", "varied"):
        return model, tokenizer, []
    if arm.kind == "dpo":
        options = Namespace(**DPO)
        model, log = train_dpo(
            model, tokenizer, _pairs(world, arm.pairs, seed), arm.training.get("pair_weighting", "none"), seed, options
        )
        return model, tokenizer, log
    folder = world.folder / "adapters" / _digest(arm, seed, base, world.digest())
    with FileLock(f"{folder}.lock"):  # an arm that only decodes otherwise has the same adapter
        if (folder / "done").exists():
            return PeftModel.from_pretrained(model, folder).merge_and_unload(), tokenizer, []
        policy, log = _reinforced(world, model, tokenizer, arm, seed, base, folder)
        (folder / "done").touch()
    return policy.merge_and_unload(), tokenizer, log


def _reinforced(
    world: World,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    arm: Arm,
    seed: int,
    base: str,
    folder: Path,
) -> tuple[PeftModel, list[dict[str, float]]]:
    """Train an adapter by GRPO; return the model with it, and the log."""
    policy, logged = diversify(
        model,
        tokenizer,
        turns(world, base) if arm.history else questions(world.scenario.train),
        [world.judge.relevance, FluencyAlone(world)],
        folder,
        steps=arm.steps,
        seed=seed,
        on_step=lambda _: None,
        num_generations=GROUP,
        per_device_train_batch_size=arm.prompts * GROUP,
        max_completion_length=MAX_NEW_TOKENS,
        lr_scheduler_type="constant",
        quality_gate=world.training_gate if arm.gate else None,
        **{"learning_rate": LEARNING_RATE, **arm.training},
    )
    kept = [
        {name: round(value, 4) for name, value in step.items() if name in LOGGED or name.startswith("diversity/")}
        for step in logged
    ]
    return policy, kept


class FluencyAlone:
    """Fluency up to the training floor, of a reply to its message alone: the judge never saw a conversation."""

    __name__ = "fluency"

    def __init__(self, world: World) -> None:
        self.fluency = Fluency(world.judge.model, world.judge.tokenizer, floor=world.training_floor)

    def __call__(
        self, prompts: Sequence[str], completions: Sequence[str], question: Sequence[str], **_: object
    ) -> list[float | None]:
        """Return one score a completion."""
        return self.fluency([Message("", text).prompt for text in question], completions)


def turns(world: World, base: str) -> Dataset:
    """Return turns of conversations of a base with customers; `history` has its earlier replies, as the prompt has."""
    kept = world.folder / f"conversations-{base}.jsonl"
    if not kept.exists():
        model, tokenizer = world.load(base)
        rng = random.Random(0)
        asked = [rng.sample(world.scenario.train, TRAINING_TURNS) for _ in range(TRAINING_CONVERSATIONS)]
        rows = conversations(model.eval(), tokenizer, asked)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        new.replace(kept)
    return Dataset.from_list([json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()])


def conversations(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: Sequence[Sequence[Message]]
) -> list[dict[str, Any]]:
    """Let the model answer each message on its own; return a row for each turn but the first."""
    config = DecodingConfig(max_new_tokens=MAX_NEW_TOKENS)
    said: list[list[str]] = [[] for _ in asked]
    rows = []
    for turn in range(TRAINING_TURNS):
        messages = [conversation[turn] for conversation in asked]
        if turn:
            rows += [
                {"prompt": in_conversation(conversation, replies), "question": message.text, "history": list(replies)}
                for conversation, replies, message in zip(asked, said, messages, strict=True)
            ]
        if turn < TRAINING_TURNS - 1:
            groups = write(model, tokenizer, [message.prompt for message in messages], config, seed=turn)
            for replies, (reply,) in zip(said, groups, strict=True):
                replies.append(reply.text)
    return rows


def in_conversation(messages: Sequence[Message], replies: Sequence[str]) -> str:
    """Return the prompt that holds the conversation so far; the message after the last reply is to be answered."""
    answered = [f"{message.prompt} {reply}" for message, reply in zip(messages, replies, strict=False)]
    return "\n".join([*answered, messages[len(replies)].prompt])


def _digest(arm: Arm, seed: int, base: str, world: str) -> str:
    what = (arm.training, arm.steps, arm.prompts, arm.gate, arm.history, seed, base, world, *filter(None, [arm.after]))
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _pairs(world: World, drawn: str, seed: int) -> Any:  # noqa: ANN401 - a Dataset
    """Return preference pairs of the monotone base's own replies to training messages."""
    (world.folder / "pairs").mkdir(exist_ok=True)
    with FileLock(world.folder / "pairs.lock"):
        folder = _paired(world, drawn, seed)
    pairs = load_dataset("parquet", data_files=str(folder / "pairs.parquet"), split="train")
    return pairs.map(lambda row: {name: f" {row[name]}" for name in ("chosen", "rejected")})


def _paired(world: World, drawn: str, seed: int) -> Path:
    """Return the folder of the pairs, which are made where they are missing; the base replies once a temperature."""
    method, _, temperature = drawn.partition(", T ")
    replies = world.folder / "pairs" / f"replies-{temperature or '1.0'}.jsonl"
    if not replies.exists():
        model, tokenizer = world.load(MONOTONE)
        asked = random.Random(0).sample(world.scenario.train, PAIRED_MESSAGES)
        config = DecodingConfig(
            max_new_tokens=MAX_NEW_TOKENS,
            num_return_sequences=PAIRED_REPLIES,
            temperature=float(temperature or 1.0),
        )
        found = reply(world, model, tokenizer, asked, config, 0)
        columns = {**found.columns, "quality": _quality(found, world.training_floor)}
        write_records(replies, Records([message.prompt for message in asked], found.groups, columns))
    folder = world.folder / "pairs" / (f"random-{seed}" if method == "random" else drawn)
    if not (folder / "pairs.parquet").exists():
        divpo = DivPO(rho=0.5, max_pairs=PAIRS_EACH)
        pairs = RandomPairs(divpo, seed) if method == "random" else divpo
        build_pairs(replies, folder, pairs, pairing.Judge(quality="quality", min_quality=world.training_gate))
    return folder


def _quality(found: Records, floor: float) -> list[list[float]]:
    columns = (found.columns[name] for name in ("relevance", "logprob", "finished"))
    return [
        (np.array(relevance) + np.minimum(np.array(logprob) - floor, 0) - CUT_OFF * (1 - np.array(ended))).tolist()
        for relevance, logprob, ended in zip(*columns, strict=True)
    ]
