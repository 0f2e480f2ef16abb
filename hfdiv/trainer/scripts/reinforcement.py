"""From arguments to a trainer that learns from rewards: GRPO and RLOO."""

from __future__ import annotations

from typing import Any

from trl import ModelConfig, get_peft_config, get_quantization_config

from hfdiv.rewards import load_rewards
from hfdiv.trainer.scripts.arguments import RewardArguments
from hfdiv.trainer.scripts.data import load, split_of, with_prompts
from hfdiv.trainer.scripts.model import model_settings


def with_rewards(trainer_class: type[Any], script: RewardArguments, training: Any, model: ModelConfig) -> Any:  # noqa: ANN401 - a training config, and its trainer
    """Return a trainer of completions that it samples, by the rewards of a recipe."""
    if not script.reward_functions:
        raise ValueError("There is no reward: give `reward_functions`. Diversity without quality ends in gibberish.")
    functions, training.reward_weights = _rewards(script, training)
    training.model_init_kwargs = model_settings(model, training)
    data = load(script.dataset_name, script, "dataset_name")
    splits = (script.dataset_train_split, script.dataset_test_split if training.eval_strategy != "no" else None)
    train, test = (split and with_prompts(split_of(data, split), script.prompt_column) for split in splits)
    return trainer_class(
        model=model.model_name_or_path,
        reward_funcs=functions,
        args=training,
        train_dataset=train,
        eval_dataset=test,
        quantization_config=get_quantization_config(model),
        peft_config=get_peft_config(model),
    )


def _rewards(script: RewardArguments, training: Any) -> tuple[list[Any], list[float]]:  # noqa: ANN401
    if training.reward_weights is not None:
        raise ValueError("Give the weights of rewards in `reward_functions`, not in `reward_weights`.")
    try:
        return load_rewards(script.reward_functions or [])
    except ImportError as error:  # a name that leads nowhere, or to what is not installed
        raise ValueError(str(error)) from error
