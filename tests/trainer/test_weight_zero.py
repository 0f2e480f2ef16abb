"""With the diversity switched off, a trainer is its parent: the same losses and weights, bit for bit."""

import pytest
import torch
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from hfdiv import DiverseGRPOTrainer
from hfdiv.trainer import DiverseGRPOConfig, DiverseRLOOConfig, DiverseRLOOTrainer
from tests.trainer.runs import losses, run, same_weights
from tests.trainer.tiny import settings, tiny_model


FORMS = ("additive", "multiplicative", "adjustment", "set_marginal", "frequency", "advantage")
SMALL = {"max_steps": 2, "max_completion_length": 4}


def check(parent, ours):
    assert losses(ours) == losses(parent)
    assert any(loss != 0 for loss in losses(parent))
    assert same_weights(ours, parent)
    assert not torch.equal(tiny_model().lm_head.weight, ours.model.lm_head.weight), "nothing was trained"


@pytest.fixture(scope="module")
def parent():
    """TRL on several optimizer steps a generation, with a reference model."""
    return run(GRPOTrainer, settings(GRPOConfig, **SMALL | {"num_iterations": 2, "max_steps": 4, "beta": 0.05}))


@pytest.mark.parametrize("form", FORMS)
def test_every_form(parent, form):
    options = {"num_iterations": 2, "max_steps": 4, "beta": 0.05, "quality_gate": "running"}
    check(parent, run(DiverseGRPOTrainer, settings(diversity_weight=0.0, diversity_form=form, **SMALL | options)))


def test_the_similarity_that_reads_the_policy(parent):
    options = {"num_iterations": 2, "max_steps": 4, "beta": 0.05, "diversity_similarity": "policy"}
    check(parent, run(DiverseGRPOTrainer, settings(diversity_weight=0.0, **SMALL | options)))


@pytest.mark.parametrize(
    "options",
    [
        {"loss_type": "grpo"},
        {"loss_type": "dr_grpo", "scale_rewards": "none"},
        {"loss_type": "dapo", "epsilon_high": 0.28, "mask_truncated_completions": True},
        {"loss_type": "bnpo"},
        {"loss_type": "cispo", "epsilon_high": 5.0},
        {"loss_type": "sapo"},
        {"loss_type": "luspo", "importance_sampling_level": "sequence"},
        {"loss_type": "vespo"},
        {"loss_type": "grpo", "importance_sampling_level": "sequence"},  # GSPO
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_loss_of_the_grpo_family(options):
    expected = run(GRPOTrainer, settings(GRPOConfig, **SMALL | options))
    check(expected, run(DiverseGRPOTrainer, settings(DiverseGRPOConfig, diversity_weight=0.0, **SMALL | options)))


@pytest.mark.parametrize("options", [{}, {"normalize_advantages": True, "reward_clip_range": (-1.0, 1.0)}])
def test_rloo(options):
    expected = run(RLOOTrainer, settings(RLOOConfig, **SMALL | options))
    check(expected, run(DiverseRLOOTrainer, settings(DiverseRLOOConfig, diversity_weight=0.0, **SMALL | options)))
