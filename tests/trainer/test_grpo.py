import inspect
import math

import pandas as pd
import pytest
import torch
from trl import GRPOConfig, GRPOTrainer

from hfdiv import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.diversity import novelty
from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer.rollout import SEAM_ATTRIBUTES, SEAMS
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


def run(trainer_class, config, reward_funcs=wants_thanks, **kwargs):
    trainer = trainer_class(
        tiny_model(),
        reward_funcs=reward_funcs,
        args=config,
        train_dataset=prompts(),
        processing_class=tiny_tokenizer(),
        **kwargs,
    )
    trainer.train()
    return trainer


class Spy(DiverseGRPOTrainer):
    """Keeps the advantages of the last batch, as they go into the loss."""

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        Spy.advantages = output["advantages"].clone()
        return output


def losses(trainer):
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def logged(trainer, name):
    return [entry[name] for entry in trainer.state.log_history if name in entry]


@pytest.mark.parametrize("form", ["additive", "advantage"])
def test_weight_zero_is_trl_bit_for_bit(form):
    options = {"gradient_accumulation_steps": 2, "num_iterations": 2, "max_steps": 6, "beta": 0.05}
    parent = run(GRPOTrainer, settings(GRPOConfig, **options))
    ours = run(DiverseGRPOTrainer, settings(diversity_weight=0.0, diversity_form=form, **options))
    assert losses(ours) == losses(parent)
    assert any(loss != 0 for loss in losses(parent))
    for (name, expected), (_, actual) in zip(
        parent.model.named_parameters(), ours.model.named_parameters(), strict=True
    ):
        assert torch.equal(actual, expected), name
    before = tiny_model()
    assert not torch.equal(next(before.parameters()), next(ours.model.parameters()).cpu()), "nothing was trained"


@pytest.mark.parametrize("form", ["additive", "advantage"])
def test_a_weight_changes_the_training(form):
    parent = run(GRPOTrainer, settings(GRPOConfig))
    ours = run(DiverseGRPOTrainer, settings(diversity_weight=1.0, diversity_form=form, diversity_finished_only=False))
    assert not torch.equal(parent.model.lm_head.weight, ours.model.lm_head.weight)


@pytest.mark.parametrize("form", ["additive", "advantage"])
@pytest.mark.parametrize("scale_rewards", ["group", "none"])
def test_advantages_are_those_of_the_formula(form, scale_rewards, tmp_path):
    weight = 0.7
    config = settings(
        diversity_weight=weight,
        diversity_form=form,
        scale_rewards=scale_rewards,
        log_completions=True,
        max_steps=1,
        output_dir=str(tmp_path),
        diversity_finished_only=False,
        max_completion_length=8,
    )
    run(Spy, config)
    table = pd.read_parquet(next(tmp_path.glob("completions/*.parquet")))
    quality = torch.tensor(wants_thanks(list(table["completion"])), dtype=torch.float32).view(-1, 4)
    similarity = NgramSimilarity(2)
    groups = [list(table["completion"][start : start + 4]) for start in (0, 4)]
    expected_novelty = torch.tensor([novelty(similarity(group)).tolist() for group in groups]).float()
    assert not expected_novelty.isnan().any()
    logged_novelty = torch.tensor(table["novelty"].to_numpy()).float().view(-1, 4)
    assert torch.allclose(logged_novelty, expected_novelty)

    rewards = quality + weight * expected_novelty if form == "additive" else quality
    expected = rewards - rewards.mean(dim=1, keepdim=True)
    if scale_rewards == "group":
        expected = expected / (rewards.std(dim=1, keepdim=True) + 1e-4)
    if form == "advantage":
        expected = expected + weight * (expected_novelty - expected_novelty.mean(dim=1, keepdim=True))
    assert torch.allclose(Spy.advantages, expected.flatten(), atol=1e-5)


def test_the_additive_form_is_one_more_reward_for_normalize_then_sum(tmp_path):
    config = settings(
        diversity_weight=0.7,
        multi_objective_aggregation="normalize_then_sum",
        log_completions=True,
        max_steps=1,
        output_dir=str(tmp_path),
        diversity_finished_only=False,
        max_completion_length=8,
    )
    run(Spy, config)
    table = pd.read_parquet(next(tmp_path.glob("completions/*.parquet")))

    def z_scores(column):
        values = torch.tensor(table[column].to_numpy()).float().view(-1, 4)
        return (values - values.mean(dim=1, keepdim=True)) / (values.std(dim=1, keepdim=True) + 1e-4)

    total = (z_scores("wants_thanks") + 0.7 * z_scores("novelty")).flatten()
    expected = (total - total.mean()) / (total.std() + 1e-4)
    assert torch.allclose(Spy.advantages, expected, atol=1e-5)


def test_quality_and_diversity_are_logged_apart():
    trainer = run(DiverseGRPOTrainer, settings(diversity_weight=0.5, diversity_finished_only=False))
    assert len(logged(trainer, "diversity/novelty")) == 3
    assert all(0 <= value <= 1 for value in logged(trainer, "diversity/novelty"))
    assert all(0 < value <= 1 for value in logged(trainer, "diversity/distinct_2"))
    assert logged(trainer, "quality") == pytest.approx(logged(trainer, "rewards/wants_thanks/mean"))
    for total, quality, diversity in zip(
        logged(trainer, "reward"), logged(trainer, "quality"), logged(trainer, "rewards/diversity/mean"), strict=True
    ):
        assert total == pytest.approx(quality + 0.5 * diversity, abs=1e-5)


def test_an_unfinished_completion_earns_nothing(tmp_path):
    config = settings(
        diversity_weight=1.0, log_completions=True, max_steps=6, output_dir=str(tmp_path), max_completion_length=12
    )
    trainer = run(DiverseGRPOTrainer, config)
    table = pd.concat(map(pd.read_parquet, tmp_path.glob("completions/*.parquet")))
    # a tiny untrained model ends about one completion in two within 12 tokens
    cut_off = table["completion"].str.split().str.len() == 12
    assert 0 < cut_off.sum() < len(table)
    assert table["novelty"][cut_off].isna().all()
    assert (table["diversity"][cut_off] == 0).all()
    assert (table["diversity"][~cut_off] > 0).any()
    assert 0 < max(logged(trainer, "diversity/counted")) < 1


def test_a_row_that_no_quality_reward_scores_stays_unscored(tmp_path):
    def sometimes(completions, **_):
        return [None if index % 4 == 0 else 1.0 for index in range(len(completions))]

    for form in ("additive", "advantage"):
        config = settings(
            diversity_weight=1.0,
            diversity_form=form,
            diversity_finished_only=False,
            log_completions=True,
            max_steps=1,
            output_dir=str(tmp_path / form),
        )
        run(Spy, config, reward_funcs=[sometimes])
        assert (Spy.advantages[::4] == 0).all()
        assert Spy.advantages.view(-1, 4).sum(dim=1) == pytest.approx([0.0, 0.0], abs=1e-4)
        table = pd.read_parquet(next((tmp_path / form).glob("completions/*.parquet")))
        if form == "additive":
            assert table["diversity"][::4].isna().all()
            assert table["diversity"][1:4].notna().all()


def test_it_evaluates_with_groups_of_one():
    trainer = run(
        DiverseGRPOTrainer,
        settings(diversity_weight=0.5, per_device_eval_batch_size=4, num_generations_eval=1, max_steps=1),
        eval_dataset=prompts(4),
    )
    metrics = trainer.evaluate()
    assert math.isfinite(metrics["eval_loss"])
    assert metrics["eval_diversity/counted"] == 0  # nobody to be compared with


def test_chat_completions_and_a_similarity_of_ones_own():
    seen = []

    def all_alike(texts):
        seen.extend(texts)
        return torch.ones(len(texts), len(texts)).double().numpy()

    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    dataset = prompts().map(lambda row: {"prompt": [{"role": "user", "content": row["prompt"]}]})
    trainer = DiverseGRPOTrainer(
        tiny_model(),
        reward_funcs=lambda completions, **_: [float(len(c[0]["content"])) for c in completions],
        args=settings(diversity_weight=1.0, max_steps=1, diversity_finished_only=False),
        train_dataset=dataset,
        processing_class=tokenizer,
        similarity=all_alike,
    )
    trainer.train()
    assert seen
    assert all(isinstance(text, str) for text in seen)
    assert logged(trainer, "diversity/novelty") == [0.0]


def test_the_callers_config_and_lists_stay_as_they_were():
    config, rewards = settings(diversity_weight=0.5, max_steps=1), [wants_thanks]
    for _ in range(2):
        trainer = run(DiverseGRPOTrainer, config, reward_funcs=rewards)
        assert trainer.reward_func_names == ["wants_thanks", "diversity"]
        assert trainer.reward_weights.tolist() == [1.0, 0.5]
    assert config.reward_weights is None
    assert rewards == [wants_thanks]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("diversity_weight", -0.3),
        ("diversity_weight", math.nan),
        ("diversity_form", "multiply"),
        ("diversity_ngram_size", 0),
        ("diversity_tokenizer", "words"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must .*got .*{value}"):
        settings(**{field: value})


def test_a_plain_config_or_a_second_diversity_reward_is_refused():
    with pytest.raises(TypeError, match="must be a DiverseGRPOConfig, got GRPOConfig"):
        run(DiverseGRPOTrainer, settings(GRPOConfig))

    def diversity(completions, **_):
        return [0.0] * len(completions)

    with pytest.raises(ValueError, match="already named 'diversity'"):
        run(DiverseGRPOTrainer, settings(), reward_funcs=[diversity])


def test_the_seams_are_where_we_think():
    """TRL's private names that hfdiv stands on. If this fails, TRL changed: adapt `hfdiv/trainer/rollout.py`."""
    for name, parameters in SEAMS.items():
        found = tuple(inspect.signature(getattr(GRPOTrainer, name)).parameters)
        assert found == ("self", *parameters), name
    trainer = run(DiverseGRPOTrainer, settings(max_steps=1))
    assert [name for name in SEAM_ATTRIBUTES if not hasattr(trainer, name)] == []
    assert all(metadata.get("help") for metadata in (f.metadata for f in _own_fields()))


def _own_fields():
    return [f for name, f in DiverseGRPOConfig.__dataclass_fields__.items() if name.startswith("diversity_")]
