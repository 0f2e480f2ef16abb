"""From arguments to a trainer that learns from given replies: SFT, and preference by DPO, CPO and ORPO."""

from __future__ import annotations

from typing import Any

from datasets import Dataset
from trl import ModelConfig, get_peft_config, get_quantization_config

from hfdiv.trainer.scripts.arguments import RunArguments
from hfdiv.trainer.scripts.data import check_columns, load, split_of
from hfdiv.trainer.scripts.model import load_model_and_tokenizer, model_settings


REPLIES = (("messages",), ("prompt", "completion"), ("text",))
PAIRS = (("chosen", "rejected"),)


def on_replies(trainer_class: type[Any], script: RunArguments, training: Any, model: ModelConfig) -> Any:  # noqa: ANN401 - a training config, and its trainer
    """Return a trainer on good replies."""
    return _with_model_by_name(trainer_class, training, model, *_splits(script, training, REPLIES, "replies"))


def on_pairs(trainer_class: type[Any], script: RunArguments, training: Any, model: ModelConfig) -> Any:  # noqa: ANN401
    """Return a trainer on pairs of a better and a worse reply."""
    return _with_model_by_name(trainer_class, training, model, *_splits(script, training, PAIRS, "pairs"))


def on_pairs_with_model(trainer_class: type[Any], script: RunArguments, training: Any, model: ModelConfig) -> Any:  # noqa: ANN401
    """Return a trainer on pairs, of those in `trl.experimental` that are given a model and not its name.

    They take a name, too, but then spread the model over all devices, also in a run of several processes.
    """
    train, test = _splits(script, training, PAIRS, "pairs")
    loaded, tokenizer = load_model_and_tokenizer(model, training)
    training.model_init_kwargs = None  # they are spent, and the trainer would refuse them
    return trainer_class(
        model=loaded,
        args=training,
        train_dataset=train,
        eval_dataset=test,
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
    )


def _with_model_by_name(
    trainer_class: type[Any],
    training: Any,  # noqa: ANN401
    model: ModelConfig,
    train: Dataset,
    test: Dataset | None,
) -> Any:  # noqa: ANN401
    training.model_init_kwargs = model_settings(model, training)
    return trainer_class(
        model=model.model_name_or_path,
        args=training,
        train_dataset=train,
        eval_dataset=test,
        quantization_config=get_quantization_config(model),
        peft_config=get_peft_config(model),
    )


def _splits(
    script: RunArguments,
    training: Any,  # noqa: ANN401
    columns: tuple[tuple[str, ...], ...],
    what: str,
) -> tuple[Dataset, Dataset | None]:
    data = load(script.dataset_name, script, "dataset_name")
    train = split_of(data, script.dataset_train_split)
    test = split_of(data, script.dataset_test_split) if training.eval_strategy != "no" else None
    check_columns(train, columns, what)
    if test is not None:
        check_columns(test, columns, what)
    return train, test
