import json

import numpy as np
import pytest

from hfdiv import DiverseGRPOTrainer
from hfdiv.trainer.gate import RunningQualityCallback
from tests.trainer.runs import Spy, build, logged, one_step, run
from tests.trainer.tiny import settings


def graded(completions, **_):
    """0, 1, 2, 3 within each group."""
    return [float(index % 4) for index in range(len(completions))]


def test_the_mean_starts_at_the_first_generation_and_then_moves_slowly():
    running = RunningQualityCallback()
    assert running.passes(np.array([1.0, 3.0]), update=True).tolist() == [False, True]
    assert running.mean == 2.0
    running.passes(np.array([12.0, np.nan]), update=True)
    assert running.mean == pytest.approx(0.9 * 2 + 0.1 * 12)


def test_evaluation_does_not_move_it():
    running = RunningQualityCallback()
    assert running.passes(np.array([1.0, 3.0]), update=False).tolist() == [False, True]
    assert running.mean is None
    running = RunningQualityCallback(2.5)
    assert running.passes(np.array([1.0, 3.0]), update=False).tolist() == [False, True]
    assert running.mean == 2.5


def test_without_a_score_nobody_passes_and_nothing_moves():
    running = RunningQualityCallback(0.5)
    assert running.passes(np.array([np.nan, np.nan]), update=True).tolist() == [False, False]
    assert running.mean == 0.5


@pytest.mark.parametrize("gate", [2, "running"])
def test_below_the_gate_a_reply_earns_nothing_and_is_compared_with_nobody(gate, tmp_path):
    table = one_step(
        tmp_path,
        Spy,
        reward_funcs=[graded],
        quality_gate=gate,
        diversity_weight=1.0,
        diversity_form="additive",
        diversity_ngram_size=1,
        diversity_finished_only=False,
    )
    good = table["graded"] >= 2  # the mean of the first generation is 1.5
    assert table["novelty"].notna().tolist() == good.tolist()
    assert (table["diversity"][~good] == 0).all()
    for start in (2, 6):  # two good ones a group: each is as far from the other
        assert table["diversity"][start] == table["diversity"][start + 1]
    assert (table["diversity"][good] > 0).all()


def test_a_reply_at_the_gate_passes_though_rewards_are_in_single_precision(tmp_path):
    def minus(completions, **_):
        return [-0.3] * len(completions)

    table = one_step(tmp_path, reward_funcs=[minus], quality_gate=-0.3, diversity_finished_only=False)
    assert table["novelty"].notna().all()


def test_the_running_mean_is_logged_saved_and_taken_up_again(tmp_path):
    def options(steps):
        return settings(
            quality_gate="running", max_steps=steps, output_dir=str(tmp_path), save_strategy="steps", save_steps=2
        )

    trainer = run(DiverseGRPOTrainer, options(2))
    assert len(logged(trainer, "diversity/gate")) == 2
    state = json.loads((tmp_path / "checkpoint-2" / "trainer_state.json").read_text())
    saved = state["stateful_callbacks"]["RunningQualityCallback"]["args"]["mean"]
    assert saved == pytest.approx(logged(trainer, "diversity/gate")[-1])
    resumed = build(DiverseGRPOTrainer, options(3))
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    quality, gate = logged(resumed, "quality")[-1], logged(resumed, "diversity/gate")[-1]
    assert gate == pytest.approx(0.9 * saved + 0.1 * quality, abs=1e-6)
