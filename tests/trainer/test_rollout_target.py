import json
import math

import pytest

from hfdiv import DiverseGRPOTrainer
from hfdiv.trainer import DiversityTargetCallback
from tests.trainer.runs import build, logged, run
from tests.trainer.tiny import settings


def test_a_target_resumed_with_another_group_size_is_not_the_same_target(tmp_path):
    options = {
        "output_dir": str(tmp_path),
        "diversity_form": "advantage",
        "diversity_target": 0.9,
        "diversity_finished_only": False,
        "save_strategy": "steps",
        "save_steps": 1,
    }
    trainer = run(DiverseGRPOTrainer, settings(max_steps=1, **options))
    assert logged(trainer, "diversity/level") == pytest.approx(logged(trainer, "diversity/distinct_2"))
    state = json.loads((tmp_path / "checkpoint-1" / "trainer_state.json").read_text())
    saved = state["stateful_callbacks"]["TargetSignatureCallback"]["args"]["signature"]
    assert saved == "distinct_2|size:4|tok:mixed"
    resumed = build(DiverseGRPOTrainer, settings(max_steps=2, num_generations=2, **options))
    with pytest.warns(UserWarning, match="was a level of .*size:4.* is one of .*size:2"):
        resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))


def test_a_target_is_measured_weighed_and_logged_in_training_only():
    options = {"diversity_form": "advantage", "diversity_target": 0.9, "diversity_finished_only": False}
    trainer = run(DiverseGRPOTrainer, settings(max_steps=2, per_device_eval_batch_size=4, **options))
    assert logged(trainer, "diversity/target") == pytest.approx([0.9, 0.9])
    assert all(math.isfinite(weight) for weight in logged(trainer, "diversity/weight"))
    controller = next(c for c in trainer.callback_handler.callbacks if hasattr(c, "controller")).controller
    before = controller.state_dict()
    assert before["level"] is not None
    trainer.evaluate(trainer.train_dataset)
    assert controller.state_dict() == before


def test_a_controller_of_ones_own_takes_the_place_of_the_configs():
    options = {"diversity_form": "advantage", "diversity_target": 0.9, "diversity_finished_only": False}
    own = DiversityTargetCallback(0.8, gain=1.0, damping=0.0, integral_gain=0.0)
    trainer = run(DiverseGRPOTrainer, settings(max_steps=1, **options), callbacks=[own])
    level = logged(trainer, "diversity/level")[0]
    assert logged(trainer, "diversity/target") == pytest.approx([0.8])
    assert logged(trainer, "diversity/weight") == pytest.approx([0.8 - level], abs=1e-6)
    assert [type(c) for c in trainer.callback_handler.callbacks].count(DiversityTargetCallback) == 1
