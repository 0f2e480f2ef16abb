"""A weighted batch is each pair alone, as TRL has it, times its weight, averaged: losses and gradients."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import LoraConfig

from hfdiv.trainer.cpo import PAIR_LOSSES as CPO_LOSSES
from hfdiv.trainer.dpo import PAIR_LOSSES as DPO_LOSSES
from tests.trainer.preference_runs import (
    TRAINERS,
    KeepGradients,
    build,
    each_alone,
    loss_and_gradients,
    relative_error,
)
from tests.trainer.runs import losses


ROOT = Path(__file__).resolve().parents[2]
SIMPO = {"loss_type": "simpo", "cpo_alpha": 0.0}
CASES = [
    ("dpo", {"loss_type": ["sigmoid", "hinge", "bco_pair"], "loss_weights": [0.8, 0.2, 1.0]}),
    ("dpo", {"use_weighting": True}),  # WPO's weights times ours
    ("dpo", {"ld_alpha": 0.5, "f_divergence_type": "js_divergence"}),
    ("dpo", {"precompute_ref_log_probs": True}),
    *(("cpo", {"loss_type": name, "cpo_alpha": alpha}) for name in CPO_LOSSES for alpha in (0.0, 0.7)),
    ("cpo", {"loss_type": "alphapo", "alpha": 0.1}),
    ("orpo", {}),
]
RUNS = [("dpo", {}), ("dpo", {"loss_type": ["hinge"]}), ("cpo", SIMPO), ("orpo", {})]


def name_of(value):
    return "-".join(map(str, value.values())) if isinstance(value, dict) else value


def check(trainer, trainer_class):
    expected_loss, expected = each_alone(trainer, trainer_class)
    loss, found = loss_and_gradients(trainer, list(trainer.train_dataset))
    assert relative_error(found, expected) <= 1e-5
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    _, unweighted = each_alone(trainer, trainer_class, weights=[1.0] * 4)
    assert relative_error(unweighted, expected) > 0.01, "the weights make no difference here"


@pytest.mark.parametrize(("name", "options"), CASES, ids=name_of)
def test_one_batch(name, options):
    check(build(name, **options), TRAINERS[name][0])


@pytest.fixture(scope="module")
def dpo():
    return build("dpo")


@pytest.mark.parametrize("loss", DPO_LOSSES)
def test_every_loss_of_dpo(dpo, loss):
    dpo.loss_types, dpo.label_smoothing = [loss], 0.1
    check(dpo, TRAINERS["dpo"][0])


@pytest.mark.parametrize("peft", [None, LoraConfig(r=2, target_modules=["q_proj", "v_proj"])], ids=["full", "lora"])
@pytest.mark.parametrize(("name", "options"), RUNS, ids=name_of)
def test_training_with_accumulation(name, options, peft):
    keep = KeepGradients()
    options = {**options, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    trainer = build(name, callbacks=[keep], **options, **({"peft_config": peft} if peft else {}))
    expected_loss, expected = each_alone(trainer, TRAINERS[name][0])
    trainer.model.zero_grad()
    trainer.train()
    assert relative_error(keep.found, expected) <= 1e-5
    assert losses(trainer) == pytest.approx([expected_loss], abs=1e-4)


def test_an_empty_chosen_reply_still_has_its_weight():
    trainer = build("dpo")
    rows = [{**row, "chosen_ids": [] if i == 3 else row["chosen_ids"]} for i, row in enumerate(trainer.train_dataset)]
    trainer.train_dataset = rows
    _, expected = each_alone(trainer, TRAINERS["dpo"][0])
    assert relative_error(loss_and_gradients(trainer, rows)[1], expected) <= 1e-5


def test_two_processes(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [*command, str(ROOT / "tests" / "trainer" / "preference_two_processes.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    for name, options in {"dpo": {}, "cpo": SIMPO, "orpo": {}}.items():
        result = torch.load(tmp_path / f"{name}.pt", weights_only=True)
        trainer = build(name, **options)
        expected_loss, expected = each_alone(trainer, TRAINERS[name][0])
        assert result["world"] == 2
        assert relative_error(result["gradients"], expected) <= 1e-5, name
        assert result["loss"] == pytest.approx(expected_loss, abs=1e-4)
