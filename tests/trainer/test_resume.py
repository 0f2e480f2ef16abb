import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from hfdiv.trainer import DiverseGRPOConfig, DiverseGRPOTrainer, DiverseRLOOConfig, DiverseRLOOTrainer
from hfdiv.trainer.resume import ExactResumeCallback
from hfdiv.trainer.target import DiversityTargetCallback
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


ROOT = Path(__file__).resolve().parents[2]
KINDS = {"grpo": (DiverseGRPOConfig, DiverseGRPOTrainer), "rloo": (DiverseRLOOConfig, DiverseRLOOTrainer)}


def trainer(folder, callbacks=(), kind="grpo", **options):
    """A tiny run whose controller has something to remember: it starts within the integral's band of the target."""
    config_class, trainer_class = KINDS[kind]
    values = {
        "diversity_form": "advantage",
        "diversity_target": 0.97,
        "diversity_finished_only": False,
        "save_strategy": "steps",
        "save_steps": 2,
    }
    return trainer_class(
        tiny_model(),
        wants_thanks,
        args=settings(config_class, output_dir=str(folder), **{**values, **options}),
        train_dataset=prompts(),  # 8 prompts, 2 a step: an epoch is 4 steps
        processing_class=tiny_tokenizer(),
        callbacks=list(callbacks),
    )


def losses(run):
    return [entry["loss"] for entry in run.state.log_history if "loss" in entry]


def controller_state(run):
    return next(
        callback.controller_state
        for callback in run.callback_handler.callbacks
        if isinstance(callback, DiversityTargetCallback)
    )


def saved_state(checkpoint):
    saved = json.loads((checkpoint / "trainer_state.json").read_text())["stateful_callbacks"]
    return saved["DiversityTargetCallback"]["attributes"]["controller_state"]


def assert_same_end(run, other):
    assert losses(run) == losses(other)
    assert len(losses(run)) == run.state.global_step == other.state.global_step
    for (name, expected), (_, actual) in zip(
        run.model.named_parameters(), other.model.named_parameters(), strict=True
    ):
        assert torch.equal(actual, expected), name
    assert controller_state(run) == controller_state(other)


def checkpoints(folder):
    return sorted(int(path.name.removeprefix("checkpoint-")) for path in Path(folder).glob("checkpoint-*"))


class PowerCut(Exception):
    pass


class Cut(TrainerCallback):
    def __init__(self, after):
        self.after = after

    def on_step_begin(self, args, state, control, **_):
        if state.global_step == self.after:
            raise PowerCut


def cut(folder, after, **options):
    with pytest.raises(PowerCut):
        trainer(folder, [Cut(after)], **options).train()


def resumed(folder, **options):
    run = trainer(folder, **options)
    before = tiny_model()
    run.train(resume_from_checkpoint=True)
    assert not torch.equal(before.lm_head.weight, run.model.lm_head.weight)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Uninterrupted runs, by their options."""
    runs = {}

    def get(**options):
        key = json.dumps(options, sort_keys=True)
        if key not in runs:
            runs[key] = trainer(tmp_path_factory.mktemp("whole"), **options)
            runs[key].train()
        return runs[key]

    return get


def test_a_run_killed_in_mid_step_resumes_as_if_nothing_had_been(whole, tmp_path):
    options = {"max_steps": 8, "gradient_accumulation_steps": 2}  # killed in the middle of step 7, in epoch 4
    command = [sys.executable, "-m", "tests.trainer.killed_run", str(tmp_path), "6", json.dumps(options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    killed = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    assert checkpoints(tmp_path) == [2, 4, 6]
    assert saved_state(tmp_path / "checkpoint-6")["level"] is not None

    assert_same_end(whole(**options), resumed(tmp_path, **options))


@pytest.mark.parametrize(
    ("options", "after", "saved_at"),
    [
        ({"max_steps": 5, "restore_callback_states_from_checkpoint": True}, 3, [2]),
        ({"max_steps": 6, "save_steps": 3, "kind": "rloo", "num_iterations": 2}, 5, [4]),  # due at 3
        ({"max_steps": 6, "save_steps": 3, "steps_per_generation": 2}, 5, [4]),
    ],
)
def test_resume_is_exact_and_no_checkpoint_falls_into_a_generation(options, after, saved_at, whole, tmp_path):
    cut(tmp_path, after, **options)
    assert checkpoints(tmp_path) == saved_at
    assert_same_end(whole(**options), resumed(tmp_path, **options))


def test_the_state_comes_from_the_checkpoint_and_the_target_from_the_new_run(tmp_path):
    cut(tmp_path, 3, max_steps=4)
    saved = saved_state(tmp_path / "checkpoint-2")
    assert saved["integral"] != 0
    run = trainer(tmp_path, max_steps=4, diversity_target=0.5)  # so far off that the integral stands still
    run.train(resume_from_checkpoint=True)
    callback = next(c for c in run.callback_handler.callbacks if isinstance(c, DiversityTargetCallback))
    assert callback.controller.target == 0.5
    assert callback.controller_state["integral"] == saved["integral"]
    assert callback.controller_state["level"] != saved["level"]


def test_a_target_can_be_given_to_a_run_that_began_without(tmp_path):
    cut(tmp_path, 3, max_steps=4, diversity_target=None)
    run = resumed(tmp_path, max_steps=4)
    assert controller_state(run)["level"] is not None
    assert saved_state(tmp_path / "checkpoint-4") == controller_state(run)


def step_end(callback, config, step, due, last=10):
    return callback.on_step_end(
        config, TrainerState(global_step=step, max_steps=last), TrainerControl(should_save=due)
    )


def test_the_last_checkpoint_is_written_where_training_ends():
    config = settings(num_iterations=4)
    callback = ExactResumeCallback()
    assert not step_end(callback, config, 9, due=True).should_save
    assert step_end(callback, config, 10, due=True).should_save


def test_a_checkpoint_is_put_off_once_and_not_repeated():
    config = settings(num_iterations=3)
    callback = ExactResumeCallback()
    written = [step_end(callback, config, step, due=step == 4).should_save for step in range(1, 10)]
    assert written == [step == 6 for step in range(1, 10)]


def test_without_a_data_loader_or_with_skipping_off_no_order_is_drawn():
    class Loader:
        class batch_sampler:  # noqa: N801 - an attribute
            sampler = iter(range(9))

    state = TrainerState(epoch=2.5)
    callback = ExactResumeCallback()
    callback.on_train_begin(settings(), state, TrainerControl())
    callback.on_train_begin(settings(ignore_data_skip=True), state, TrainerControl(), train_dataloader=Loader)
    assert next(Loader.batch_sampler.sampler) == 0
    callback.on_train_begin(settings(), state, TrainerControl(), train_dataloader=Loader)
    assert next(Loader.batch_sampler.sampler) == 3, "two epochs are over"
