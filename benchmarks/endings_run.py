"""One run of one arm of `endings_arms.py`: conversations, and for each reply whether it ends like an earlier one."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from endings_arms import ALIKE, ARMS, CONVERSATIONS, TRAININGS, TURNS, Arm
from real_training import in_conversation, trained
from real_world import MAX_NEW_TOKENS, World
from sampled import Written, write
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hfdiv.demo.texts import Message
from hfdiv.generation import DecodingConfig
from hfdiv.rewards import Fluency
from hfdiv.rewards.history import history_similarity, last_sentence
from hfdiv.similarity import EmbeddingSimilarity, NgramSimilarity


Replies = list[Written]


def run(world: World, base: str, name: str, seed: int) -> dict[str, Any]:
    """Return the conversations of one arm and seed, and what the judges say of each reply."""
    arm = ARMS[name]
    started = time.perf_counter()
    model, tokenizer, _ = trained(world, TRAININGS[base][arm.training], seed, base)
    training = time.perf_counter() - started
    asked = questions(world, seed)
    floor = own_floor(world, model, tokenizer) if arm.candidates > 1 else None
    said = converse(world, model.eval(), tokenizer, asked, arm, seed, floor)
    flat = [reply for replies in said for reply in replies]
    texts, ended = [reply.text for reply in flat], [reply.finished for reply in flat]
    relevance, logprob = world.judged([message for messages in asked for message in messages], texts, ended)
    by_turn = (CONVERSATIONS, TURNS)
    return {
        "arm": f"{base}: {name}",
        "seed": seed,
        "seconds": {"training": round(training, 1), "all": round(time.perf_counter() - started, 1)},
        "messages": [[message.text for message in messages] for messages in asked],
        "replies": [[reply.text for reply in replies] for replies in said],
        "finished": np.reshape(ended, by_turn).astype(float).tolist(),
        "relevance": np.round(np.reshape(relevance, by_turn), 4).tolist(),
        "logprob": np.round(np.reshape(logprob, by_turn), 4).tolist(),
        **likeness(world, said),
    }


def questions(world: World, seed: int) -> list[list[Message]]:
    """Return each conversation's messages: held-out ones, no two of a category."""
    rng = random.Random(seed)
    drawn = []
    for _ in range(CONVERSATIONS):
        categories = rng.sample(sorted({message.category for message in world.scenario.heldout}), TURNS)
        drawn.append([rng.choice([m for m in world.scenario.heldout if m.category == name]) for name in categories])
    return drawn


def converse(
    world: World,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    asked: Sequence[Sequence[Message]],
    arm: Arm,
    seed: int,
    floor: float | None,
) -> list[Replies]:
    """Return the replies of all conversations, turn by turn, all conversations in one batch."""
    config = DecodingConfig(max_new_tokens=MAX_NEW_TOKENS, num_return_sequences=arm.candidates, **arm.decoding)
    said: list[Replies] = [[] for _ in asked]
    for turn in range(TURNS):
        earlier = [[reply.text for reply in replies] for replies in said]
        prompts = [
            in_conversation(messages, texts) if arm.history else messages[turn].prompt
            for messages, texts in zip(asked, earlier, strict=True)
        ]
        repeated = [texts for texts in earlier for _ in range(arm.candidates)]
        plain = DecodingConfig(
            max_new_tokens=MAX_NEW_TOKENS,
            num_return_sequences=arm.candidates,
            temperature=arm.decoding.get("temperature", 1.0),
        )
        penalty = config.processors(tokenizer, histories=repeated) if "history_multiplier" in arm.decoding else []
        groups = write(model, tokenizer, prompts, plain, penalty, seed=1000 * seed + turn)
        for replies, texts, group in zip(said, earlier, groups, strict=True):
            replies.append(group[0] if floor is None else chosen(world, group, texts, floor))
    return said


def chosen(world: World, group: Sequence[Written], earlier: Sequence[str], floor: float) -> Written:
    """Return the candidate that ends least like an earlier reply, among those that ended and are probable enough."""
    alike = history_similarity([reply.text for reply in group], [earlier] * len(group), encoded(world))
    return min(
        zip(group, np.nan_to_num(alike), strict=True),
        key=lambda pair: (not pair[0].finished, pair[0].logprob < floor, pair[1], -pair[0].logprob),
    )[0]


def own_floor(world: World, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> float:
    """Return the 10th percentile of good replies' log-probability under the model that replies."""
    good = world.composed_for_training
    prompts = [message.prompt for message in world.scenario.train]
    scores = Fluency(model, tokenizer)(prompts, [f" {text}{tokenizer.eos_token}" for (text,) in good.groups])
    return float(np.quantile([score for score in scores if score is not None], 0.1))


def encoded(world: World) -> EmbeddingSimilarity:
    """Return the similarity of sentences by the encoder."""
    return EmbeddingSimilarity(world.encoder)


def likeness(world: World, said: Sequence[Replies]) -> dict[str, Any]:
    """Return for turns 2 to 5 whether a reply's last sentence is that of an earlier one, by encoder and by words."""
    texts = [[reply.text for reply in replies] for replies in said]
    later = [text for conversation in texts for text in conversation[1:]]
    histories = [conversation[:turn] for conversation in texts for turn in range(1, TURNS)]
    seen = {}
    for name, similarity in (("encoder", encoded(world)), ("words", NgramSimilarity(1))):
        values = np.nan_to_num(history_similarity(later, histories, similarity))
        seen[f"alike_{name}"] = (values > ALIKE).astype(int).reshape(len(said), TURNS - 1).tolist()
    seen["endings"] = len({last_sentence(text) for conversation in texts for text in conversation})
    return seen
