"""Pairs with weights, trainers of preference on the tiny model, and the gradients of each pair alone."""

import tempfile

import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import DPOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

from hfdiv.trainer.cpo import DiverseCPOConfig, DiverseCPOTrainer
from hfdiv.trainer.dpo import DiverseDPOConfig, DiverseDPOTrainer
from hfdiv.trainer.orpo import DiverseORPOConfig, DiverseORPOTrainer
from hfdiv.trainer.preference import PAIR_WEIGHT
from tests.trainer.tiny import tiny_model, tiny_tokenizer


TRAINERS = {
    "dpo": (DPOTrainer, DiverseDPOTrainer, DiverseDPOConfig),
    "cpo": (CPOTrainer, DiverseCPOTrainer, DiverseCPOConfig),
    "orpo": (ORPOTrainer, DiverseORPOTrainer, DiverseORPOConfig),
}
WEIGHTS = [0.0, 0.5, 1.0, 2.5]


def pairs(weights=WEIGHTS):
    rows = {
        "prompt": ["order red late", "order blue", "refund now please", "order red late"],
        "chosen": [" yes please", " thanks", " one two three four thanks", " soon"],
        "rejected": [" no", " no no no late", " late", " we order green late"],
    }
    return Dataset.from_dict(rows | ({} if weights is None else {"weight": weights}))


def config(config_class, **overrides):
    values = {
        "output_dir": tempfile.mkdtemp(),
        "per_device_train_batch_size": 4,
        "max_steps": 1,
        "max_length": 32,
        "learning_rate": 1e-2,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "disable_tqdm": True,
        "seed": 7,
        "max_grad_norm": 1e9,
    }
    if issubclass(config_class, tuple(entry[2] for entry in TRAINERS.values())):
        values["pair_weighting"] = "column"
    return config_class(**{**values, **overrides})


def build(name, parent=False, train_dataset=None, **options):
    """A trainer whose policy is not its reference, so that no term of a loss is 0 by symmetry."""
    plain, ours, config_class = TRAINERS[name]
    kwargs = {
        key: options.pop(key) for key in ("peft_config", "similarity", "eval_dataset", "callbacks") if key in options
    }
    config_class = config_class.__bases__[1] if parent else config_class
    trainer = (plain if parent else ours)(
        tiny_model(),
        args=config(config_class, **options),
        train_dataset=train_dataset or pairs(),
        processing_class=tiny_tokenizer(),
        **kwargs,
    )
    trainer.model.train()
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn_like(parameter)
    return trainer


def gradients(model):
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).clone()


def loss_and_gradients(trainer, rows, trainer_class=None):
    """What one backward pass over these rows gives, by the trainer's own `compute_loss` or its parent's."""
    trainer.model.zero_grad()
    batch = trainer.data_collator(rows)
    loss = (trainer_class or type(trainer)).compute_loss(trainer, trainer.model, batch)
    loss.backward()
    return loss.item(), gradients(trainer.model)


def each_alone(trainer, trainer_class, weights=WEIGHTS):
    """The mean over pairs of weight times loss, and of weight times gradient, from TRL on each pair alone."""
    rows = list(trainer.train_dataset)
    alone = [loss_and_gradients(trainer, [_without_weight(row)], trainer_class) for row in rows]
    loss = sum(w * one for w, (one, _) in zip(weights, alone, strict=True)) / len(rows)
    return loss, sum(w * gradient for w, (_, gradient) in zip(weights, alone, strict=True)) / len(rows)


def _without_weight(row):
    return {key: value for key, value in row.items() if key != PAIR_WEIGHT}


def relative_error(found, expected):
    return ((found - expected).norm() / expected.norm()).item()


class KeepGradients(TrainerCallback):
    """Keeps what the optimizer is about to step along: accumulated, and averaged over processes."""

    def on_pre_optimizer_step(self, args, state, control, model, **_):
        self.found = gradients(model)
