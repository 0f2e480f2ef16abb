"""hfdiv's rewards in TRL's own command, `trl grpo`, without a trainer of hfdiv."""

import json
import os
import subprocess
import sys

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

WATCH = """
from hfdiv.rewards.novelty import group_size_of_trainer

def group_size(completions, log_metric, **columns):
    return [float(group_size_of_trainer(log_metric))] * len(completions)
"""
ROWS = [{"prompt": f"order {color} late", "history": ["thanks soon."]} for color in ("red", "green", "blue", "one")]
REWARDS = ("diversity_entropy", "novelty_reward", "history_reward", "distinct_reward", "repetition_reward")


def test_trl_grpo_takes_them_by_dotted_path(tmp_path):
    (tmp_path / "watch.py").write_text(WATCH)
    (tmp_path / "data").mkdir()
    for split in ("train", "test"):
        (tmp_path / "data" / f"{split}.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    tiny.tiny_model().save_pretrained(tmp_path / "model")
    tiny.tiny_tokenizer().save_pretrained(tmp_path / "model")
    options = (
        "--model_name_or_path model --dataset_name data --output_dir out --use_cpu --bf16 false --report_to none "
        "--num_generations 4 --num_generations_eval 2 --per_device_train_batch_size 8 --per_device_eval_batch_size 8 "
        "--max_completion_length 6 --max_steps 1 --logging_steps 1 --eval_strategy steps --eval_steps 1 "
        "--reward_funcs watch.group_size"
    ).split()
    run = subprocess.run(
        [sys.executable, "-c", "from trl.cli import main; main()", "grpo", *options]
        + [f"hfdiv.rewards.{name}" for name in REWARDS],
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    (state,) = (tmp_path / "out").glob("checkpoint-*/trainer_state.json")
    logged = {key: value for row in json.loads(state.read_text())["log_history"] for key, value in row.items()}
    for name in REWARDS:
        low, high = (-1, 0) if name in ("history_reward", "repetition_reward") else (0, 1)
        assert low <= logged[f"rewards/{name}/mean"] <= high
        assert low <= logged[f"eval_rewards/{name}/mean"] <= high
    # `novelty_reward` reads the size of a group from TRL's trainer: that way must stay open
    assert logged["rewards/group_size/mean"] == 4
    assert logged["eval_rewards/group_size/mean"] == 2
