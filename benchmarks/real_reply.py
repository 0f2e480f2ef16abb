"""Replies to held-out messages, judged: all to a message at once, or one after another."""

from __future__ import annotations

from collections.abc import Sequence

from real_world import World
from sampled import Written, write
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hfdiv.data import Records
from hfdiv.demo.texts import Message
from hfdiv.generation import DecodingConfig


AT_ONCE = 8
"""Messages that are answered in one batch."""


def reply(
    world: World,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    config: DecodingConfig,
    seed: int,
    in_turn: bool = False,
) -> Records:
    """Sample replies to messages and judge them."""
    prompts = [message.prompt for message in messages]
    groups: list[list[Written]] = []
    if in_turn:
        groups = one_after_another(model.eval(), tokenizer, prompts, config, seed)
    else:
        for start in range(0, len(messages), AT_ONCE):
            groups += write(
                model.eval(), tokenizer, prompts[start : start + AT_ONCE], config, seed=1000 * seed + start
            )
    texts = [[one.text for one in group] for group in groups]
    return world.records(messages, texts, [[one.finished for one in group] for group in groups])


def one_after_another(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    config: DecodingConfig,
    seed: int,
) -> list[list[Written]]:
    """Write the replies to each prompt in turn, with those before as the history that a reply is charged for."""
    groups: list[list[Written]] = [[] for _ in prompts]
    plain = DecodingConfig(max_new_tokens=config.max_new_tokens, temperature=config.temperature)
    for turn in range(config.num_return_sequences):
        penalty = config.processors(tokenizer, histories=[[reply.text for reply in group] for group in groups])
        for group, (reply,) in zip(
            groups, write(model, tokenizer, prompts, plain, penalty, seed=1000 * seed + turn), strict=True
        ):
            group.append(reply)
    return groups
