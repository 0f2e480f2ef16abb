"""Runs of a trainer on the tiny model, and what they logged."""

import pandas as pd
import torch

from hfdiv import DiverseGRPOTrainer
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


def build(trainer_class, config, reward_funcs=wants_thanks, train_dataset=None, **kwargs):
    return trainer_class(
        tiny_model(),
        reward_funcs=reward_funcs,
        args=config,
        train_dataset=train_dataset or prompts(),
        processing_class=kwargs.pop("processing_class", None) or tiny_tokenizer(),
        **kwargs,
    )


def run(trainer_class, config, *args, **kwargs):
    trainer = build(trainer_class, config, *args, **kwargs)
    trainer.train()
    return trainer


class Spy(DiverseGRPOTrainer):
    """Keeps the advantages of the last batch, as they go into the loss."""

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        Spy.advantages = output["advantages"].clone()
        return output


def one_step(tmp_path, trainer_class=Spy, max_completion_length=8, **options):
    """Take one step and return its completions table."""
    kwargs = {name: options.pop(name) for name in ("reward_funcs", "similarity", "train_dataset") if name in options}
    config = settings(
        log_completions=True,
        max_steps=1,
        output_dir=str(tmp_path),
        max_completion_length=max_completion_length,
        **options,
    )
    run(trainer_class, config, **kwargs)
    return pd.read_parquet(next(tmp_path.glob("completions/*.parquet")))


def losses(trainer):
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def logged(trainer, name):
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def same_weights(one, other):
    pairs = zip(one.model.named_parameters(), other.model.named_parameters(), strict=True)
    return all(torch.equal(mine, yours) for (_, mine), (_, yours) in pairs)
