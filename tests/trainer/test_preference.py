"""The pair weights from the config to the batch: what they leave alone, and what is refused."""

import inspect

import numpy as np
import pytest
import torch
from transformers import MixtralConfig, MixtralForCausalLM
from trl import DPOConfig
from trl.trainer.utils import FusedCausalLMOutput

from hfdiv.trainer.cpo import DiverseCPOConfig
from hfdiv.trainer.dpo import OTHER_LOSSES, PAIR_LOSSES, DiverseDPOConfig, DiverseDPOTrainer
from hfdiv.trainer.preference import (
    PAIR_WEIGHT,
    SEAM_ATTRIBUTES,
    SEAMS,
    PairWeightArguments,
    PairWeightCollator,
    with_pair_weights,
)
from tests.trainer.preference_runs import TRAINERS, build, config, loss_and_gradients, pairs
from tests.trainer.runs import logged, losses, same_weights
from tests.trainer.tiny import tiny_model, tiny_tokenizer


PLAIN = [
    ("dpo", {}),
    ("dpo", {"loss_type": ["hinge", "aot"], "use_weighting": False}),
    ("dpo", {"loss_type": ["sigmoid", "sft"]}),
    ("cpo", {"loss_type": "simpo", "cpo_alpha": 0.0}),
    ("cpo", {"cpo_alpha": 1.0}),
    ("orpo", {}),
]


@pytest.mark.parametrize("name", TRAINERS)
def test_the_seams_are_where_we_think(name):
    """TRL's private names that the pair weights stand on. If this fails, TRL changed: adapt `preference.py`."""
    parent = TRAINERS[name][0]
    for method, parameters in SEAMS[parent.__name__].items():
        found = tuple(inspect.signature(getattr(parent, method)).parameters)
        assert tuple(each for each in found if each != "self") == parameters, method
    trainer = build(name, parent=True)
    assert [each for each in SEAM_ATTRIBUTES[parent.__name__] if not hasattr(trainer, each)] == []
    assert {"log_probs", "log_sum_sq_probs"} <= set(FusedCausalLMOutput.__dataclass_fields__)


def test_every_loss_of_trl_is_accepted_or_refused_with_a_reason():
    known = DPOConfig.__dataclass_fields__["loss_type"].metadata["help"]
    named = {word.strip("`'.,") for word in known.split() if word.startswith("`'")}
    assert named == set(PAIR_LOSSES) | set(OTHER_LOSSES)


@pytest.mark.parametrize(("name", "options"), PLAIN)
def test_without_weights_it_is_trl_bit_for_bit(name, options):
    options = {**options, "max_steps": 2, "per_device_train_batch_size": 2}
    parent, ours = build(name, parent=True, **options), build(name, pair_weighting="none", **options)
    for trainer in (parent, ours):
        trainer.train()
    assert losses(ours) == losses(parent)
    assert same_weights(ours, parent)
    assert any(loss != 0 for loss in losses(parent))


@pytest.mark.parametrize("name", TRAINERS)
def test_weights_that_are_all_one_are_trl_bit_for_bit_and_said_to_be(name):
    options = {"max_steps": 2, "per_device_train_batch_size": 2, "train_dataset": pairs([1.0] * 4)}
    parent = build(name, parent=True, **options)
    with pytest.warns(UserWarning, match="All pair weights of `pair_weighting='column'` are 1"):
        ours = build(name, **options)
    for trainer in (parent, ours):
        trainer.train()
    assert losses(ours) == losses(parent)
    assert same_weights(ours, parent)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_a_batch_of_weight_one_is_trl_bit_for_bit(any_dpo, loss):
    trainer = any_dpo
    trainer.loss_types, trainer.label_smoothing = [loss], 0.1
    rows = [{**row, PAIR_WEIGHT: 1.0} for row in trainer.train_dataset]
    plain = [{key: value for key, value in row.items() if key != PAIR_WEIGHT} for row in rows]
    loss, gradient = loss_and_gradients(trainer, rows)
    expected_loss, expected = loss_and_gradients(trainer, plain)
    assert loss == expected_loss
    assert torch.equal(gradient, expected)


@pytest.fixture(scope="module")
def any_dpo():
    return build("dpo")


@pytest.mark.parametrize("name", TRAINERS)
def test_an_evaluation_is_the_parents(name):
    kept = pairs().remove_columns("weight")
    trainer = build(name, eval_dataset=kept)
    parent = build(name, parent=True, eval_dataset=kept)
    expected = parent.evaluate()["eval_loss"]
    assert trainer.evaluate()["eval_loss"] == expected
    assert trainer.evaluate(trainer.train_dataset)["eval_loss"] == expected  # whose rows have their weights


@pytest.mark.parametrize("name", TRAINERS)
def test_a_weighted_step_runs_the_model_no_more_often(name):
    calls = []
    trainer = build(name)
    trainer.model.model.register_forward_hook(lambda *_: calls.append(1))
    rows = list(trainer.train_dataset)
    for batch in rows, [{key: row[key] for key in row if key != PAIR_WEIGHT} for row in rows]:
        loss_and_gradients(trainer, batch)
    assert calls == [1, 1]


def test_the_loss_of_a_router_has_no_weight(monkeypatch, tmp_path):
    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokens = {"vocab_size": 32, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    router = {"num_key_value_heads": 2, "num_local_experts": 4, "output_router_logits": True}
    MixtralForCausalLM(MixtralConfig(**small, **tokens, **router)).save_pretrained(tmp_path)
    found = {}
    for coefficient in (0.0, 0.5):
        model = MixtralForCausalLM.from_pretrained(tmp_path, router_aux_loss_coef=coefficient)
        monkeypatch.setattr("tests.trainer.preference_runs.tiny_model", lambda model=model: model)
        trainer = build("dpo")
        rows = list(trainer.train_dataset)
        plain = [{key: row[key] for key in row if key != PAIR_WEIGHT} for row in rows]
        found[coefficient] = np.array([loss_and_gradients(trainer, batch)[0] for batch in (rows, plain)])
    weighted, unweighted = found[0.5] - found[0.0]
    assert weighted == pytest.approx(unweighted)
    assert weighted > 0.1


def test_weights_are_measured_once_on_the_training_dataset():
    calls = []

    def similarity(texts):
        calls.append(texts)
        return np.eye(len(texts))

    same = pairs(None)
    with pytest.warns(UserWarning, match="are 1"):
        build("dpo", pair_weighting="deviation", similarity=similarity, train_dataset=same, max_steps=2).train()
    assert sorted(len(texts) for texts in calls) == [2, 2, 4]


def test_deviation_reaches_the_loss_and_nothing_else_that_is_logged():
    def by_length(texts):
        return np.array([[1 / (1 + abs(len(one) - len(other))) for other in texts] for one in texts])

    plain = build("dpo", pair_weighting="none", train_dataset=pairs(None))
    weighted = build("dpo", pair_weighting="deviation", similarity=by_length, train_dataset=pairs(None))
    assert weighted.train_dataset[PAIR_WEIGHT][1:3] == [1.0, 1.0]  # one pair a prompt
    assert len(set(weighted.train_dataset[PAIR_WEIGHT])) == 3
    for trainer in (plain, weighted):
        trainer.train()
    assert losses(weighted) != pytest.approx(losses(plain), abs=1e-3)
    for name in ("rewards/margins", "mean_token_accuracy", "entropy", "logps/chosen"):
        assert logged(weighted, name) == logged(plain, name)


def test_a_streamed_dataset_brings_its_weights_in_a_column():
    trainer = build("dpo", train_dataset=pairs().to_iterable_dataset())
    trainer.train()
    expected = build("dpo")
    expected.train()
    assert losses(trainer) == pytest.approx(losses(expected), abs=1e-4)


@pytest.mark.parametrize("weighting", ["deviation", "history"])
def test_a_streamed_dataset_cannot_be_measured(weighting):
    with pytest.raises(ValueError, match=f"{weighting}.* measures the whole dataset, but it is streamed"):
        with_pair_weights(pairs().to_iterable_dataset(), config(DiverseDPOConfig, pair_weighting=weighting))
    with pytest.raises(ValueError, match="no column 'weight'"):
        with_pair_weights(pairs(None).to_iterable_dataset(), config(DiverseDPOConfig))


def test_a_column_of_our_name_gives_way():
    dataset = pairs().add_column(PAIR_WEIGHT, [9.0] * 4)
    assert with_pair_weights(dataset, config(DiverseDPOConfig))[PAIR_WEIGHT][:] == pairs()["weight"][:]


def test_weights_that_are_all_zero():
    with pytest.raises(ValueError, match="All 4 pair weights .* are 0: nothing would be learned"):
        with_pair_weights(pairs([0.0] * 4), config(DiverseDPOConfig))


def test_the_collator_checks_and_leaves_the_rows_as_they_are():
    collator = PairWeightCollator(lambda rows: {"rows": rows})
    rows = [{"x": 1, PAIR_WEIGHT: 0.5}, {"x": 2, PAIR_WEIGHT: 2.0}]
    batch = collator(rows)
    assert batch["rows"] == [{"x": 1}, {"x": 2}]
    assert batch[PAIR_WEIGHT].tolist() == [0.5, 2.0]
    assert rows[0] == {"x": 1, PAIR_WEIGHT: 0.5}
    assert PAIR_WEIGHT not in collator([{"x": 1}])
    with pytest.raises(ValueError, match="got nan in row 0 of a batch"):
        collator([{PAIR_WEIGHT: float("nan")}])


@pytest.mark.parametrize("loss", OTHER_LOSSES)
def test_a_loss_without_pairs_is_refused_with_a_reason(loss):
    with pytest.raises(ValueError, match=f"`loss_type='{loss}'` takes no pair weights: {OTHER_LOSSES[loss][:20]}"):
        config(DiverseDPOConfig, loss_type=["sigmoid", loss])
    assert config(DiverseDPOConfig, loss_type=[loss], pair_weighting="none").loss_type == [loss]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_type": "new"}, "not known to be a mean over pairs"),
        ({"padding_free": True}, "one row, where no weight by pair is left"),
        ({"pair_weighting": "novelty"}, "`pair_weighting` must be one of"),
        ({"pair_ngram_size": 0}, "at least 1, got 0"),
        ({"history_threshold": 1.0}, "below 1, got 1.0"),
        ({"history_scope": "all"}, "`history_scope` must be one of"),
        ({"pair_weighting": "history", "pair_encoders": ["a", "b"]}, "takes one of `pair_encoders`"),
    ],
)
def test_what_a_config_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        config(DiverseDPOConfig, **options)


def test_what_cpo_refuses():
    with pytest.raises(ValueError, match="`loss_type='new'` is not known to be a mean over pairs"):
        config(DiverseCPOConfig, loss_type="new")


def test_a_config_of_trls():
    with pytest.raises(TypeError, match="must be a DiverseDPOConfig, got DPOConfig"):
        DiverseDPOTrainer(
            tiny_model(), args=config(DPOConfig), train_dataset=pairs(), processing_class=tiny_tokenizer()
        )


def test_no_dataset_is_trls_error():
    with pytest.raises(ValueError, match="`train_dataset` is required"):
        DiverseDPOTrainer(tiny_model(), args=config(DiverseDPOConfig), processing_class=tiny_tokenizer())


def test_encoder_decoders_are_refused():
    trainer = build("orpo")
    trainer.is_encoder_decoder = True
    with pytest.raises(NotImplementedError, match="decoder-only"):
        trainer.get_batch_loss_metrics(trainer.model, {PAIR_WEIGHT: torch.ones(1)})


def test_every_argument_of_ours_explains_itself():
    own = PairWeightArguments.__dataclass_fields__
    assert {"pair_weighting", "pair_weight_column", "deviation_columns", "history_threshold"} <= set(own)
    assert [name for name, field in own.items() if not field.metadata.get("help")] == []
