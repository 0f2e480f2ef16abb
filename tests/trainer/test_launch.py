import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hfdiv.data import read_records
from hfdiv.trainer import launch as launch_module
from hfdiv.trainer.launch import EXIT_CODE_FILE, NUM_PROCESSES, launch, launch_command
from tests.trainer.tiny_chat import tiny_chat_folder


ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "examples" / "accelerate_configs"


@pytest.fixture
def instead(monkeypatch):
    """Run this Python code in place of the training script."""

    def use(code):
        monkeypatch.setattr(launch_module, "launch_command", lambda *_: [sys.executable, "-c", textwrap.dedent(code)])

    return use


def test_one_process_is_run_without_a_launcher():
    assert launch_command("rloo", ["--config", "a b.yaml"], num_processes=1) == [
        *(sys.executable, "-m", "hfdiv.trainer.scripts.rloo", "--config", "a b.yaml")
    ]


def test_several_processes_are_launched_by_accelerate_with_the_same_interpreter():
    command = launch_command("grpo", ["--config", "x.yaml", "--seed", "3"], num_processes=2)
    assert command[:3] == [sys.executable, "-m", "accelerate.commands.launch"]
    assert command[-6:] == ["-m", "hfdiv.trainer.scripts.grpo", "--config", "x.yaml", "--seed", "3"]
    assert "--multi_gpu" in command
    assert command[command.index("--num_processes") + 1] == "2"


def test_an_accelerate_config_decides_unless_a_number_of_processes_is_given():
    command = launch_command("grpo", [], CONFIGS / "zero2.yaml")
    assert command[command.index("--config_file") + 1] == str(CONFIGS / "zero2.yaml")
    assert not {"--num_processes", "--multi_gpu"} & set(command)
    command = launch_command("grpo", [], CONFIGS / "zero2.yaml", 2)
    assert command[command.index("--num_processes") + 1] == "2"
    assert "--multi_gpu" not in command


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_passed_through(instead, code):
    instead(f"raise SystemExit({code})")
    assert launch("grpo", []) == code


def test_an_exit_code_that_the_launcher_hides_is_found(instead):
    instead(f"import os, pathlib; pathlib.Path(os.environ['{EXIT_CODE_FILE}']).write_text('2'); raise SystemExit(1)")
    assert launch("grpo", []) == 2


def test_an_end_by_a_signal_is_told_as_a_shell_does(instead):
    instead("import os; os.kill(os.getpid(), 9)")
    assert launch("grpo", []) == 137


@pytest.mark.parametrize(
    ("config", "number", "told"),
    [(None, None, "?"), (None, 3, "3"), ("zero3", None, "8"), ("zero3", 2, "2"), ("single", None, "1")],
)
def test_the_script_is_told_how_many_processes_there_should_be(instead, tmp_path, config, number, told):
    file = tmp_path / "told"
    instead(f"import os, pathlib; pathlib.Path({str(file)!r}).write_text(os.environ.get({NUM_PROCESSES!r}, '?'))")
    assert launch("grpo", [], None if config is None else CONFIGS / f"{config}.yaml", number) == 0
    assert file.read_text() == told


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_every_process_of_the_run(signum):
    """The child of a child, as under a launcher, ends as well: its end of the pipe is closed."""
    grandchild = "import time; print('ready', flush=True); time.sleep(60)"
    child = (
        f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {grandchild!r}]).returncode and 1)"
    )
    parent = f"""
        import sys
        from hfdiv.trainer import launch as module
        module.launch_command = lambda *_: [sys.executable, "-c", {child!r}]
        sys.exit(module.launch("grpo", []))
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent)], text=True, **pipes)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signum)
    rest, _ = process.communicate(timeout=30)
    assert (process.returncode, rest) == (128 + signum, "")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("ppo", []), ValueError, r"must be one of \['sft', 'dpo', .*\], got 'ppo'"),
        (("grpo", [], None, 0), ValueError, "at least 1, got 0"),
        (("grpo", [], "no.yaml"), FileNotFoundError, "There is no accelerate config no.yaml"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        launch(*arguments)


@pytest.mark.parametrize(("content", "message"), [("a: [", "is not YAML"), ("- a", "must hold a YAML mapping")])
def test_a_bad_accelerate_config(tmp_path, content, message):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        launch("grpo", [], path)


RECIPE = """
model_name_or_path: {model}
dataset_name: {root}/examples/data/questions.jsonl
watch_dataset: {root}/examples/data/held_out.jsonl
watch_num_return_sequences: 2
watch_finished_only: false
reward_functions: [length_guard, repetition_reward]
max_steps: 2
per_device_train_batch_size: 2
num_generations: 4
max_completion_length: 6
diversity_finished_only: false
save_strategy: "no"
disable_tqdm: true
"""


def run_recipe(tmp_path, method, *arguments, recipe=RECIPE, **options):
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe.format(model=tiny_chat_folder(), root=ROOT))
    call = f"launch({method!r}, sys.argv[1:], **{options!r})"
    code = f"import sys; from hfdiv.trainer.launch import launch; sys.exit({call})"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code, "--config", str(path), "--output_dir", str(tmp_path / "out"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, cwd=ROOT)


def test_two_processes_train_together(tmp_path):
    """Two rows on each and a group of four: with a single process the config would be refused."""
    run = run_recipe(tmp_path, "grpo", accelerate_config=str(CONFIGS / "cpu_two.yaml"))
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.count("Model saved to") == 1
    assert (tmp_path / "out" / "model.safetensors").is_file()
    files = sorted(file.name for file in (tmp_path / "out" / "held_out").iterdir())
    assert files == ["step_000000.jsonl", "step_000002.jsonl"]
    assert read_records(tmp_path / "out" / "held_out" / files[-1]).n_responses == 16


@pytest.mark.slow
def test_fewer_processes_than_asked_for_are_refused(tmp_path):
    config = tmp_path / "multi_cpu.yaml"
    config.write_text((CONFIGS / "cpu_two.yaml").read_text().replace("MULTI_GPU", "MULTI_CPU"))
    run = run_recipe(tmp_path, "rloo", accelerate_config=str(config), recipe=RECIPE.replace("size: 2", "size: 4"))
    assert run.returncode == 2
    assert "Error: 2 processes were asked for and 1 run" in run.stderr
    assert not (tmp_path / "out").exists()
