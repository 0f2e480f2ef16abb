"""The experiments on real text in small: fewer texts, and a word-level Llama from nothing in place of SmolLM2."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import tiny_grammar
import torch
from real_world import Recipe, World, build
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hfdiv.demo.texts import Scenario, load_scenario


CATEGORIES, PARTS = 5, 6
RECIPE = Recipe(
    varied_steps=250,
    varied_learning_rate=3e-3,
    batch_size=16,
    monotone_steps=60,
    monotone_learning_rate=2e-4,
    mild_share=0.51,
    monotone_share=0.8,
)


@contextmanager
def small_world() -> Iterator[World]:
    """Make the models from nothing, in about half a minute, and throw them away afterwards."""
    torch.manual_seed(0)
    scenario = small_scenario()
    with tempfile.TemporaryDirectory() as folder:
        yield build(Path(folder), RECIPE, scenario, lambda: word_model(scenario))


def small_scenario() -> Scenario:
    """Return some of the demo's texts."""
    whole = load_scenario()
    names = list(whole.bodies)[:CATEGORIES]
    return replace(
        whole,
        openers=whole.openers[:PARTS],
        closers=whole.closers[:PARTS],
        bodies={name: whole.bodies[name][:PARTS] for name in names},
        train=[message for message in whole.train if message.category in names],
        heldout=[message for message in whole.heldout if message.category in names],
    )


def word_model(scenario: Scenario) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return an untrained model that has a token for each word of the scenario."""
    bodies = [body for group in scenario.bodies.values() for body in group]
    asked = [message.prompt for message in (*scenario.train, *scenario.heldout)]
    said = (*scenario.openers, *bodies, *scenario.closers, scenario.template)
    tokenizer = tiny_grammar.word_tokenizer([*asked, *said])
    return tiny_grammar.new_model(len(tokenizer)), tokenizer
