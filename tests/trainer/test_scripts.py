import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hfdiv.trainer.grpo import DiverseGRPOTrainer
from hfdiv.trainer.launch import EXIT_CODE_FILE, NUM_PROCESSES
from hfdiv.trainer.rloo import DiverseRLOOTrainer
from hfdiv.trainer.scripts.arguments import parse
from hfdiv.trainer.scripts.grpo import GRPO
from hfdiv.trainer.scripts.rloo import RLOO
from hfdiv.trainer.scripts.run import main
from tests.trainer.tiny_chat import tiny_chat_folder


RECIPE = {
    "reward_functions": [{"name": "length_guard", "minimum": 2, "maximum": 4, "weight": 0.5}, "repetition_reward"],
    "max_steps": 2,
    "per_device_train_batch_size": 4,
    "num_generations": 4,
    "max_completion_length": 6,
    "learning_rate": 0.01,
    "diversity_finished_only": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "disable_tqdm": True,
    "use_cpu": True,
    "bf16": False,
}


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe, which is YAML as all JSON is, and return its path."""

    def write(**changes):
        rows = [
            {"prompt": f"order {word}", "ask": f"please {word}"} for word in "red green blue one two three".split()
        ]
        data = tmp_path / "prompts.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        own = {
            "model_name_or_path": tiny_chat_folder(),
            "dataset_name": str(data),
            "output_dir": str(tmp_path / "out"),
        }
        values = {name: value for name, value in {**RECIPE, **own, **changes}.items() if value is not None}
        path = tmp_path / "recipe.yaml"
        path.write_text(json.dumps(values))
        return str(path)

    return write


def grpo(*arguments):
    main(GRPO, [str(argument) for argument in arguments])


def model_in(folder):
    return load_file(Path(folder) / "model.safetensors")


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def trainers(monkeypatch):
    """The trainers that scripts make."""
    made = []
    for trainer_class in (DiverseGRPOTrainer, DiverseRLOOTrainer):
        monkeypatch.setattr(trainer_class, "end", lambda trainer: made.append(trainer), raising=False)
    return made


def test_a_recipe_trains_and_saves_a_model_with_its_card(recipe, tmp_path, capsys, trainers):
    grpo("--config", recipe())
    (trainer,) = trainers
    assert trainer.state.global_step == 2
    assert [reward.__name__ for reward in trainer.reward_funcs][:2] == ["length_guard", "repetition_reward"]
    assert trainer.reward_weights[:2].tolist() == [0.5, 1.0]
    assert not same(model_in(tmp_path / "out"), model_in(tiny_chat_folder()))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Diverse-GRPO" in card
    assert "## Diversity" in card
    assert "Model saved to" in capsys.readouterr().out


def test_the_command_line_wins_over_the_recipe(recipe, trainers):
    path = recipe(max_steps=5)
    grpo(f"--config={path}", "--max_steps", 1, "--diversity_weight", 0.25, "--reward_functions", "distinct_reward")
    (trainer,) = trainers
    assert (trainer.state.global_step, trainer.args.diversity_weight) == (1, 0.25)
    assert trainer.reward_funcs[0].__name__ == "distinct_reward"


def test_rloo_runs_from_the_same_recipe(recipe, tmp_path, trainers):
    main(RLOO, ["--config", recipe()])
    assert type(trainers[0]) is DiverseRLOOTrainer
    assert "Diverse-RLOO" in (tmp_path / "out" / "README.md").read_text()


def test_lora_saves_an_adapter(recipe, tmp_path, trainers):
    grpo("--config", recipe(use_peft=True, lora_r=2, lora_target_modules="all-linear", max_steps=1))
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["r"] == 2
    assert not (tmp_path / "out" / "model.safetensors").exists()


@pytest.mark.parametrize(("choice", "used"), [("auto", "sdpa"), ("eager", "eager")])
def test_the_attention_is_what_the_machine_can_do_or_what_was_asked_for(recipe, trainers, choice, used):
    grpo("--config", recipe(attn_implementation=choice, max_steps=1))
    assert trainers[0].model.config._attn_implementation == used


def test_what_is_not_installed_is_exit_code_1(recipe, capsys):
    if importlib.util.find_spec("flash_attn") or importlib.util.find_spec("kernels"):
        pytest.skip("FlashAttention is installed")
    with pytest.raises(SystemExit) as stop:
        grpo("--config", recipe(attn_implementation="flash_attention_2"))
    assert stop.value.code == 1
    assert "Error: FlashAttention2" in capsys.readouterr().err


def test_held_out_prompts_are_watched_and_the_prompt_column_can_be_named(recipe, tmp_path, trainers):
    watch = {"watch_dataset": str(tmp_path / "prompts.jsonl"), "watch_steps": 1, "watch_num_return_sequences": 2}
    grpo("--config", recipe(prompt_column="ask", watch_finished_only=False, **watch))
    (trainer,) = trainers
    assert set(trainer.train_dataset["prompt"]) >= {"please red", "please two"}
    entries = [entry for entry in trainer.state.log_history if "diversity/held_out/distinct_2" in entry]
    assert [entry["step"] for entry in entries] == [0, 1, 2]
    line = (tmp_path / "out" / "held_out" / "step_000001.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["prompt"] == "please red"


DEADLY = """
import os

def deadly(completions, trainer_state, **_):
    if os.environ.get("DIE_AT") == str(trainer_state.global_step):
        os.kill(os.getpid(), 9)
    return [float(len(completion.split())) for completion in completions]
"""


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_losses_weights_and_controller(recipe, tmp_path, trainers):
    (tmp_path / "rewards.py").write_text(DEADLY)
    path = recipe(
        reward_functions=[f"{tmp_path}/rewards.py:deadly"],
        diversity_form="advantage",
        diversity_target=0.95,
        max_steps=5,
        save_strategy="steps",
        save_steps=2,
    )
    grpo("--config", path)
    code = (
        "import sys; from hfdiv.trainer.launch import launch; sys.exit(launch('grpo', sys.argv[1:], num_processes=1))"
    )
    killed = [sys.executable, "-c", code, "--config", path, "--output_dir", str(tmp_path / "killed")]
    run = subprocess.run(killed, capture_output=True, text=True, timeout=300, env={**os.environ, "DIE_AT": "3"})
    assert run.returncode == 137, run.stderr[-3000:]
    assert [folder.name for folder in (tmp_path / "killed").glob("checkpoint-*")] == ["checkpoint-2"]
    grpo("--config", path, "--output_dir", tmp_path / "killed", "--resume_from_checkpoint", "true")
    assert same(model_in(tmp_path / "out"), model_in(tmp_path / "killed"))
    first, second = (
        [
            (entry["step"], entry["loss"], entry["diversity/weight"])
            for entry in trainer.state.log_history
            if "loss" in entry
        ]
        for trainer in trainers
    )
    assert first == second
    assert [step for step, *_ in second] == [1, 2, 3, 4, 5]
    assert len({weight for *_, weight in second}) > 1
    states = [
        json.loads((tmp_path / name / "checkpoint-4" / "trainer_state.json").read_text())["stateful_callbacks"]
        for name in ("out", "killed")
    ]
    assert states[0] == states[1]
    assert "DiversityTargetCallback" in states[0]


@pytest.mark.parametrize("how", ["true", "by path"])
def test_a_run_resumes_from_the_last_checkpoint_or_the_one_that_it_is_given(recipe, tmp_path, trainers, how):
    path = recipe(save_strategy="steps", save_steps=2, max_steps=4)
    grpo("--config", path)
    stopped = tmp_path / "stopped"  # as if it had been stopped after its third step
    stopped.mkdir()
    checkpoint = (tmp_path / "out" / "checkpoint-2").rename(stopped / "checkpoint-2")
    resume = "true" if how == "true" else checkpoint
    grpo("--config", path, "--output_dir", stopped, "--resume_from_checkpoint", resume)
    assert same(model_in(tmp_path / "out"), model_in(stopped))
    first, second = ([entry["step"] for entry in t.state.log_history if "loss" in entry] for t in trainers)
    assert first == second == [1, 2, 3, 4]


def test_another_number_of_processes_than_was_asked_for_is_refused(recipe, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv(NUM_PROCESSES, "2")
    monkeypatch.setenv(EXIT_CODE_FILE, str(tmp_path / "code"))
    with pytest.raises(SystemExit) as stop:
        grpo("--config", recipe())
    assert stop.value.code == 2
    assert (tmp_path / "code").read_text() == "2"
    assert "Error: 2 processes were asked for and 1 run." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"diversity_wieght": 1}, [], "Did you mean `diversity_weight`?"),
        ({}, ["--diversity_wieght", "1"], "Did you mean `diversity_weight`?"),
        ({}, ["stray"], "'stray', which belongs to no argument"),
        ({"diversity_weight": -1}, [], "`diversity_weight` must be a finite number"),
        ({"num_generations": 3}, [], "must be divisible by"),
        ({"reward_functions": ["novelty_rewrad"]}, [], "Did you mean 'novelty_reward'?"),
        ({"reward_functions": ["no_such_file.py:f"]}, [], "There is no file 'no_such_file.py'"),
        ({"reward_functions": [{"name": "length_guard", "weight": "much"}]}, [], "`weight` of 'length_guard'"),
        ({"reward_functions": None}, [], "give `reward_functions`"),
        ({"reward_weights": [1.0]}, [], "not in `reward_weights`"),
        ({"model_name_or_path": None}, [], "give `model_name_or_path`"),
        ({"dataset_name": None}, [], "give `dataset_name`"),
        ({"dataset_name": "nowhere.jsonl"}, [], "there is no file nowhere.jsonl"),
        ({"watch_dataset": "nowhere.jsonl"}, [], "`watch_dataset`: there is no file nowhere.jsonl"),
        ({"dataset_train_split": "training"}, [], "no split 'training'; it has ['train']"),
        ({"prompt_column": "question"}, [], "no column 'question' of prompts; its columns are ['prompt', 'ask']"),
        ({"use_liger_kernel": True}, [], "`use_liger_kernel` needs a CUDA device"),
        ({"resume_from_checkpoint": True}, [], "There is no checkpoint in"),
        ({"resume_from_checkpoint": "nowhere"}, [], "nowhere is no checkpoint"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(recipe, capsys, changes, arguments, message):
    with pytest.raises(SystemExit) as stop:
        grpo("--config", recipe(**changes), *arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert "Traceback" not in error
    (line,) = (line for line in error.splitlines() if line.startswith("Error: "))
    assert message in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no recipe"),
        ("a: [1", "is not YAML"),
        ("- a\n", "`argument: value` lines, got list"),
        ("", "got NoneType"),
    ],
)
def test_a_recipe_that_cannot_be_read(tmp_path, capsys, content, message):
    path = tmp_path / "recipe.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as stop:
        grpo("--config", path)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_help_lists_the_arguments_of_all_parts(capsys):
    with pytest.raises(SystemExit) as stop:
        grpo("--help")
    listed = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(f"--{name}" in listed for name in ("diversity_form", "learning_rate", "use_peft", "watch_dataset"))


def test_a_value_of_the_wrong_kind_is_refused(recipe, capsys):
    with pytest.raises(SystemExit) as stop:
        grpo("--config", recipe(), "--diversity_form", "loud")
    assert stop.value.code == 2
    assert "argument --diversity_form" in capsys.readouterr().err


@pytest.mark.parametrize("there", [False, True])
def test_without_an_accelerator_the_default_is_the_cpu_in_fp32(recipe, monkeypatch, there):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: there)
    path = recipe(use_cpu=None, bf16=None)
    _, training, _ = parse(GRPO, ["--config", path, *(["--use_cpu", "true"] if there else [])])
    assert training.use_cpu
    assert training.bf16 is there
