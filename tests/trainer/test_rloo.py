import numpy as np
import pytest

from hfdiv.diversity import novelty
from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer import DiverseRLOOConfig, DiverseRLOOTrainer
from tests.trainer.runs import logged, run
from tests.trainer.tiny import settings, wants_thanks


class Spy(DiverseRLOOTrainer):
    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        Spy.texts = completions
        return super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        Spy.advantages = output["advantages"].clone()
        return output


@pytest.mark.parametrize("form", ["additive", "multiplicative", "advantage"])
def test_advantages_are_those_of_the_formula(form):
    config = settings(
        DiverseRLOOConfig,
        diversity_weight=0.7,
        diversity_form=form,
        diversity_finished_only=False,
        diversity_ngram_size=1,
        beta=0.0,
        max_steps=1,
        max_completion_length=8,
    )
    run(Spy, config)
    for start in (0, 4):
        texts = Spy.texts[start : start + 4]
        quality, distance = np.array(wants_thanks(texts)), novelty(NgramSimilarity(1)(texts))
        assert len(set(distance.round(6))) > 2
        reward = quality + 0.7 * distance if form == "additive" else quality
        if form == "multiplicative":
            worst = min(quality.min(), 0.0)
            reward = worst + (quality - worst) * (0.3 + 0.7 * np.maximum(distance, 0.1))
        expected = reward - (reward.sum() - reward) / 3  # the mean of the other three is the baseline
        if form == "advantage":
            expected = expected + 0.7 * (distance - distance.mean())
        assert Spy.advantages[start : start + 4].numpy() == pytest.approx(expected, abs=1e-5)


def test_it_logs_quality_and_diversity_apart_and_has_a_default_config():
    config = settings(DiverseRLOOConfig, diversity_weight=0.5, diversity_finished_only=False, max_steps=1)
    trainer = run(DiverseRLOOTrainer, config)
    (total,), (quality,) = logged(trainer, "reward"), logged(trainer, "quality")
    assert total == pytest.approx(quality + 0.5 * logged(trainer, "rewards/diversity/mean")[0], abs=1e-5)
    with pytest.raises(TypeError, match="must be a DiverseRLOOConfig, got DiverseGRPOConfig"):
        run(DiverseRLOOTrainer, settings())
