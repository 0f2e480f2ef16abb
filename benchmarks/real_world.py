"""The models and texts of the experiments on real text: what SmolLM2 was taught, and how it was made monotone.

Customers write to a shop; the scenario is the demo's (10 categories, 24 bodies each, 16 openers, 16 closers).
SmolLM2-135M is taught varied good replies. That model judges how fluent a reply is. From it two monotone bases are
made, by fine-tuning on one template until the template has a given probability.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hfdiv.data import Records, read_records, write_records
from hfdiv.demo.judge import Judge
from hfdiv.demo.model import encoder_folder, load_model
from hfdiv.demo.texts import Message, Scenario, load_scenario
from hfdiv.demo.train import finetune
from hfdiv.rewards import Fluency
from hfdiv.similarity import Encoder, load_encoder


GROUP = 8
"""Replies to a message, in training and in measuring."""
HELD_OUT = 16
MAX_NEW_TOKENS = 40
MONOTONE, MILD = "monotone", "mild"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Recipe:
    """How the models are made."""

    seed: int = 0
    varied_steps: int = 200
    varied_learning_rate: float = 1.5e-4
    batch_size: int = 8
    template_every: int = 8
    """One varied reply in so many is the template: what the model later collapses onto is its own."""
    monotone_steps: int = 40
    """Most steps of each of the two stages on the template."""
    monotone_learning_rate: float = 4e-6
    mild_share: float = 0.51
    monotone_share: float = 0.87
    """Probability of the template, a mean over messages, at which the milder and the monotone base are done."""


def held_out(scenario: Scenario) -> list[Message]:
    """Return the messages that arms are measured on."""
    return scenario.heldout[:HELD_OUT]


def for_choosing(scenario: Scenario) -> list[Message]:
    """Return training messages of all categories, where a setting is chosen."""
    return scenario.train[::6][:HELD_OUT]


class World:
    """What is in the folder that `build` filled; models are loaded when they are asked for."""

    def __init__(self, folder: Path, scenario: Scenario | None = None) -> None:
        self.folder = folder
        self.scenario: Scenario = scenario or load_scenario()
        self.held_out = held_out(self.scenario)
        self.for_choosing = for_choosing(self.scenario)

    def load(self, name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
        """Load a model of the folder, in fp32, to the GPU where there is one."""
        model, tokenizer = load_model(self.folder / name)
        return model.to(DEVICE), tokenizer

    @cached_property
    def encoder(self) -> Encoder:
        """The sentence encoder."""
        return load_encoder(encoder_folder(), device=DEVICE)

    @cached_property
    def judge(self) -> Judge:
        """Relevance and fluency; the model that knows varied replies judges in bfloat16, which halves its time."""
        model, tokenizer = self.load("varied")
        return Judge(self.encoder, model.eval().requires_grad_(False).to(torch.bfloat16), tokenizer)

    def judged(
        self, messages: Sequence[Message], texts: Sequence[str], finished: Sequence[bool]
    ) -> tuple[list[float], list[float]]:
        """Return relevance and log-probability (nats a token) of one reply to each message."""
        prompts = [message.prompt for message in messages]
        relevance = self.judge.relevance(prompts, texts, question=[message.text for message in messages])
        end = self.judge.tokenizer.eos_token  # stopping in place is fluent too
        said = [f" {text}{end if ended else ''}" for text, ended in zip(texts, finished, strict=True)]
        scores = Fluency(self.judge.model, self.judge.tokenizer)(prompts, said)
        return relevance, [math.nan if score is None else score for score in scores]

    def records(
        self, messages: Sequence[Message], groups: Sequence[Sequence[str]], finished: Sequence[Sequence[bool]]
    ) -> Records:
        """Return groups of replies with columns `finished`, `relevance` and `logprob`."""
        n = len(groups[0])
        flat = [message for message in messages for _ in range(n)]
        judged = self.judged(flat, [text for group in groups for text in group], np.concatenate(finished).tolist())
        relevance, logprob = (np.reshape(values, (len(groups), n)).tolist() for values in judged)
        ended = np.array(finished, dtype=float).tolist()
        columns = {"finished": ended, "relevance": relevance, "logprob": logprob}
        return Records([message.text for message in messages], [list(group) for group in groups], columns)

    @cached_property
    def composed(self) -> Records:
        """Good varied replies to the held-out messages, judged."""
        return read_records(self.folder / "composed.jsonl")

    @property
    def floor(self) -> float:
        """The 10th percentile of the composed replies' log-probability, nats a token."""
        return float(np.quantile(np.concatenate(self.composed.columns["logprob"]), 0.1))

    @cached_property
    def composed_for_training(self) -> Records:
        """A good reply to each training message, judged."""
        return read_records(self.folder / "composed_for_training.jsonl")

    @property
    def training_floor(self) -> float:
        """The same percentile of composed replies to training messages: the floor of the fluency reward."""
        return float(np.quantile(np.concatenate(self.composed_for_training.columns["logprob"]), 0.1))

    @property
    def training_gate(self) -> float:
        """The 10th percentile of those replies' quality, as the rewards count it: what a gated reply must have."""
        relevance, logprob = (
            np.concatenate(self.composed_for_training.columns[name]) for name in ("relevance", "logprob")
        )
        return float(np.quantile(relevance + np.minimum(logprob - self.training_floor, 0.0), 0.1))

    def facts(self) -> dict[str, Any]:
        """Return what results are judged by, so that they can be read without the models."""
        composed = {"replies": self.composed.groups, **self.composed.columns}
        floors = {name: getattr(self, name) for name in ("floor", "training_floor", "training_gate")}
        return {**floors, "composed": composed}

    def digest(self) -> str:
        """Return a digest of the three models, which all results stand on."""
        digest = hashlib.sha256()
        for name in ("varied", MILD, MONOTONE):
            digest.update((self.folder / name / "model.safetensors").read_bytes())
        return digest.hexdigest()[:12]


Start = Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]]


def build(folder: Path, recipe: Recipe, scenario: Scenario | None = None, start: Start = load_model) -> World:
    """Fill the folder with what it lacks: the model of varied replies, both bases, and the composed replies.

    Args:
        folder: Where they are.
        recipe: How they are made.
        scenario: The texts. Defaults to the demo's.
        start: Gives the model to begin with, and its tokenizer. Defaults to SmolLM2.
    """
    world = World(folder, scenario)
    scenario = world.scenario
    folder.mkdir(parents=True, exist_ok=True)
    _same_recipe(folder / "recipe.json", recipe)
    if not (folder / "varied").exists():
        rng = random.Random(recipe.seed)
        rows = []
        for index in range(recipe.varied_steps * recipe.batch_size):
            message = rng.choice(scenario.train)
            is_template = index % recipe.template_every == 0
            rows.append((message, scenario.template if is_template else scenario.compose(message.category, rng)))
        model, tokenizer = start()
        model.to(DEVICE)
        _teach(model, tokenizer, rows, recipe.varied_steps, recipe.varied_learning_rate, recipe)
        _save(model, tokenizer, folder / "varied")
    rng = random.Random(recipe.seed + 1)
    for name, messages, n in (
        ("composed", world.held_out, GROUP),
        ("composed_for_training", scenario.train, 1),
    ):
        groups = [[scenario.compose(message.category, rng) for _ in range(n)] for message in messages]
        if not (folder / f"{name}.jsonl").exists():
            write_records(folder / f"{name}.jsonl", world.records(messages, groups, [[True] * n for _ in groups]))
    before = "varied"
    for name, share in ((MILD, recipe.mild_share), (MONOTONE, recipe.monotone_share)):
        if not (folder / name).exists():
            _collapse(world, before, name, share, recipe)
        before = name
    return world


def _collapse(world: World, before: str, name: str, share: float, recipe: Recipe) -> None:
    """Fine-tune a model on the template until the template is as probable as is asked."""
    model, tokenizer = world.load(before)
    rows = [(message, world.scenario.template) for message in world.scenario.train]
    asked = world.scenario.train[::10]
    seen = 0.0

    def done() -> bool:
        nonlocal seen
        seen = world.judge.share(model, asked, world.scenario.template)
        print(f"{name}: the template has a probability of {seen:.2f}", flush=True)
        return seen >= share

    _teach(model, tokenizer, rows, recipe.monotone_steps, recipe.monotone_learning_rate, recipe, done)
    if seen < share:
        raise RuntimeError(f"{name}: after {recipe.monotone_steps} steps the template has only {seen:.2f}.")
    _save(model, tokenizer, world.folder / name)


def _teach(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[tuple[Message, str]],
    steps: int,
    learning_rate: float,
    recipe: Recipe,
    until: Callable[[], bool] | None = None,
) -> None:
    finetune(
        model,
        tokenizer,
        rows,
        steps=steps,
        batch_size=recipe.batch_size,
        learning_rate=learning_rate,
        seed=recipe.seed,
        on_step=lambda step: print(f"step {step}", flush=True) if step % 20 == 0 else None,
        until=until,
    )


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    model.save_pretrained(folder.with_suffix(".new"))
    tokenizer.save_pretrained(folder.with_suffix(".new"))
    folder.with_suffix(".new").rename(folder)


def _same_recipe(path: Path, recipe: Recipe) -> None:
    wanted = json.dumps(asdict(recipe))
    if path.exists() and path.read_text() != wanted:
        raise SystemExit(f"{path.parent} was made by another recipe: {path.read_text()}. Give another --work.")
    path.write_text(wanted)
