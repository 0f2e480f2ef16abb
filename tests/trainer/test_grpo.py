import math

import numpy as np
import pandas as pd
import pytest
import torch
from trl import GRPOConfig, GRPOTrainer

from hfdiv import DiverseGRPOTrainer
from hfdiv.diversity import log_det_leave_one_out, novelty
from hfdiv.similarity import NgramSimilarity
from tests.trainer.runs import Spy, logged, one_step, run
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


@pytest.fixture(scope="module")
def parent():
    return run(GRPOTrainer, settings(GRPOConfig, max_steps=2))


@pytest.mark.parametrize(
    "form", ["additive", "multiplicative", "adjustment", "set_marginal", "frequency", "advantage"]
)
def test_a_weight_changes_the_training(form, parent):
    options = {
        "diversity_form": form,
        "diversity_finished_only": False,
        "diversity_ngram_size": 1,
        "diversity_threshold": 0.2,
    }
    ours = run(DiverseGRPOTrainer, settings(diversity_weight=1.0, max_steps=2, **options))
    assert not torch.equal(parent.model.lm_head.weight, ours.model.lm_head.weight)


def earned(form, quality, similarity):
    """The reward and the part on the advantage of one group at weight 0.7, from the formula as published."""
    weight, distance = 0.7, novelty(similarity)
    if form == "additive":
        return quality + weight * distance, 0.0
    if form == "multiplicative":  # counted from the worst reward, which is negative here
        worst = min(quality.min(), 0.0)
        scale = (1 - weight) + weight * np.maximum(distance, 0.1)
        return worst + (quality - worst) * scale, 0.0
    if form == "adjustment":
        worst = min(quality.min(), 0.0)
        scale = (1 - weight) + weight / similarity.sum(axis=1)  # with itself: 1 + the others
        return worst + (quality - worst) * scale, 0.0
    value = distance if form == "advantage" else log_det_leave_one_out(similarity)
    return quality, weight * (value - value.mean())


@pytest.mark.parametrize("form", ["additive", "multiplicative", "adjustment", "set_marginal", "advantage"])
@pytest.mark.parametrize("scale_rewards", ["group", "none"])
def test_advantages_are_those_of_the_formula(form, scale_rewards, tmp_path):
    table = one_step(
        tmp_path,
        diversity_weight=0.7,
        diversity_form=form,
        scale_rewards=scale_rewards,
        diversity_finished_only=False,
        diversity_ngram_size=1,
    )
    for start in (0, 4):
        texts = list(table["completion"][start : start + 4])
        similarity = NgramSimilarity(1)(texts)
        assert len(set(novelty(similarity).round(6))) > 2
        assert not np.isnan(similarity).any()
        assert table["novelty"][start : start + 4].to_numpy() == pytest.approx(novelty(similarity))
        reward, extra = earned(form, np.array(wants_thanks(texts)), similarity)
        expected = reward - reward.mean()
        if scale_rewards == "group":
            expected = expected / (reward.std(ddof=1) + 1e-4)
        assert Spy.advantages[start : start + 4].numpy() == pytest.approx(expected + extra, abs=1e-4)


def test_the_additive_form_is_one_more_reward_for_normalize_then_sum(tmp_path):
    table = one_step(
        tmp_path,
        diversity_weight=0.7,
        multi_objective_aggregation="normalize_then_sum",
        diversity_finished_only=False,
    )

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

    for form in ("additive", "multiplicative", "frequency", "advantage"):
        table = one_step(
            tmp_path / form,
            diversity_weight=1.0,
            diversity_form=form,
            diversity_finished_only=False,
            reward_funcs=[sometimes],
            max_completion_length=6,
        )
        assert (Spy.advantages[::4] == 0).all()
        assert Spy.advantages.view(-1, 4).sum(dim=1) == pytest.approx([0.0, 0.0], abs=1e-4)
        if form != "advantage":
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


def test_a_plain_config_or_a_second_diversity_reward_is_refused():
    with pytest.raises(TypeError, match="must be a DiverseGRPOConfig, got GRPOConfig"):
        run(DiverseGRPOTrainer, settings(GRPOConfig))

    def diversity(completions, **_):
        return [0.0] * len(completions)

    with pytest.raises(ValueError, match="already named 'diversity'"):
        run(DiverseGRPOTrainer, settings(), reward_funcs=[diversity])
