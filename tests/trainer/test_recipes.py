"""Every recipe in `examples/` parses and takes one step, and says what it is meant to say."""

import importlib.util
import math
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file

from hfdiv.trainer.grpo import DiverseGRPOConfig
from hfdiv.trainer.preference import PAIR_WEIGHT
from hfdiv.trainer.scripts.arguments import parse
from hfdiv.trainer.scripts.dpo import DPO
from hfdiv.trainer.scripts.grpo import GRPO
from hfdiv.trainer.scripts.orpo import ORPO
from hfdiv.trainer.scripts.rloo import RLOO
from hfdiv.trainer.scripts.run import make_trainer
from hfdiv.trainer.scripts.sft import SFT
from hfdiv.trainer.scripts.simpo import SIMPO
from tests.trainer.chat_pairs import chat_pairs
from tests.trainer.tiny_chat import tiny_chat_folder


ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "examples" / "recipes").glob("*.yaml"))
WALKTHROUGH = sorted((ROOT / "examples" / "walkthrough").glob("*.yaml"))
ON_REPLIES = {"sft": SFT, "dpo": DPO, "simpo": SIMPO, "orpo": ORPO}
METHODS = {**ON_REPLIES, "rloo": RLOO}  # and GRPO
NEEDS = {"qlora": "bitsandbytes", "galore": "galore_torch"}

# Small enough for a test; all else is the recipe's own.
SMALL = {
    "max_steps": 1,
    "per_device_train_batch_size": 4,
    "watch_dataset": "",
    "save_strategy": "no",
    "logging_steps": 1,
    "disable_tqdm": True,
    "use_cpu": True,
    "bf16": False,
}
SMALL_GROUPS = {
    "num_generations": 4,
    "max_completion_length": 6,
    "diversity_finished_only": False,  # a random model ends none of its completions
}


def words_encoder(texts):
    """Stands in for a sentence encoder: a unit vector for the set of a text's words."""
    vectors = np.full((len(texts), 16), 1e-3)
    for row, text in enumerate(texts):
        for word in text.split():
            vectors[row, zlib.crc32(word.encode()) % 16] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def trainer_of(recipe, tmp_path, **overrides):
    method = METHODS.get(recipe.stem, GRPO)
    values = {**SMALL, "model_name_or_path": tiny_chat_folder(), "output_dir": tmp_path / "out"}
    values |= {"dataset_name": chat_pairs(tmp_path)} if recipe.stem in ON_REPLIES else SMALL_GROUPS
    options = [part for name, value in {**values, **overrides}.items() for part in (f"--{name}", str(value))]
    return make_trainer(method, *parse(method, ["--config", str(recipe), *options]))


@pytest.fixture(autouse=True)
def _without_network(monkeypatch):
    monkeypatch.chdir(ROOT)
    for module in ("hfdiv.rewards.quality", "hfdiv.trainer.similarities"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda *_: words_encoder)


@pytest.mark.parametrize(
    "recipe", [*RECIPES, *WALKTHROUGH], ids=lambda path: f"{path.parent.name}-{path.stem}".removeprefix("recipes-")
)
def test_a_recipe_takes_one_step(recipe, tmp_path):
    package = NEEDS.get(recipe.stem)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{recipe.stem} needs {package}, which is not installed")
    trainer = trainer_of(recipe, tmp_path)
    trainer.train()
    (logged,) = (entry for entry in trainer.state.log_history if "loss" in entry)
    assert trainer.state.global_step == 1
    assert math.isfinite(logged["loss"])
    if recipe.stem not in ON_REPLIES:
        assert "diversity/novelty" in logged
    elif recipe.stem != "sft":
        assert len(set(trainer.train_dataset[PAIR_WEIGHT])) > 1
    assert all(torch.isfinite(parameter).all() for parameter in trainer.model.parameters())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("grpo", {"loss_type": "grpo", "scale_rewards": "group", "importance_sampling_level": "token"}),
        ("dr_grpo", {"loss_type": "dr_grpo", "scale_rewards": "none"}),
        ("dapo", {"loss_type": "dapo", "epsilon_high": 0.28, "mask_truncated_completions": True}),
        ("bnpo", {"loss_type": "bnpo"}),
        ("gspo", {"loss_type": "grpo", "importance_sampling_level": "sequence"}),
        ("sapo", {"loss_type": "sapo"}),
        ("cispo", {"loss_type": "cispo"}),
        ("luspo", {"loss_type": "luspo", "importance_sampling_level": "sequence"}),
        ("vespo", {"loss_type": "vespo", "importance_sampling_level": "token"}),
        ("additive", {"diversity_form": "additive"}),
        (
            "darling",
            {"diversity_form": "multiplicative", "diversity_similarity": "partition", "diversity_weight": 1.0},
        ),
        ("dra", {"diversity_form": "adjustment", "diversity_adjustment": "graph_cut", "diversity_weight": 1.0}),
        ("setpo", {"diversity_form": "set_marginal", "quality_gate": "running"}),
        ("gapo", {"diversity_form": "frequency"}),
        ("target", {"diversity_target": 0.8, "diversity_target_measure": "distinct_2"}),
        ("history", {"history_weight": 0.5, "history_threshold": 0.8}),
    ],
)
def test_a_recipe_says_what_its_name_says(name, settings):
    _, training, _ = parse(GRPO, ["--config", str(ROOT / "examples" / "recipes" / f"{name}.yaml")])
    assert {key: getattr(training, key) for key in settings} == settings


def test_every_loss_of_trl_has_a_recipe():
    """TRL lists its losses only in the help of `loss_type`."""
    (field,) = (f for f in DiverseGRPOConfig.__dataclass_fields__.values() if f.name == "loss_type")
    listed = field.metadata["help"].partition("Supported values are ")[2].partition(". ")[0]
    known = {part.strip(" '") for part in listed.replace("and", ",").split(",") if part.strip(" '")}
    assert known == {
        yaml.safe_load(recipe.read_text())["loss_type"] for recipe in RECIPES if recipe.stem not in METHODS
    }


def test_the_history_recipe_sees_the_conversation(tmp_path):
    trainer = trainer_of(ROOT / "examples" / "recipes" / "history.yaml", tmp_path)
    trainer.train()
    (logged,) = (entry for entry in trainer.state.log_history if "loss" in entry)
    assert any("history" in key for key in logged)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "accelerate_configs").glob("*.yaml")), ids=lambda p: p.stem
)
def test_accelerate_reads_its_configs(path):
    config = load_config_from_file(str(path))
    expected = {
        "single": ("NO", 1),
        "cpu_two": ("MULTI_GPU", 2),
        "ddp": ("MULTI_GPU", 8),
        "zero2": ("DEEPSPEED", 8),
        "zero3": ("DEEPSPEED", 8),
        "fsdp2": ("FSDP", 8),
    }[path.stem]
    assert (str(getattr(config.distributed_type, "value", config.distributed_type)), config.num_processes) == expected
    assert getattr(config, "deepspeed_config", {}).get("zero_stage") == {"zero2": 2, "zero3": 3}.get(path.stem)
    assert getattr(config, "fsdp_config", {}).get("fsdp_version") == (2 if path.stem == "fsdp2" else None)
