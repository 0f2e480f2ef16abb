import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from hfdiv.cli.train import PASS_ON, train


pytest.importorskip("trl", reason="training needs the extra `trainer`")


@pytest.fixture
def launched(monkeypatch):
    """What the command would launch; the script's exit code is 7."""
    calls = []

    def launch(*arguments):
        calls.append(arguments)
        return 7

    monkeypatch.setattr("hfdiv.trainer.launch.launch", launch)
    return calls


@pytest.fixture
def run():
    app = typer.Typer()
    app.command("train", context_settings=PASS_ON)(train)
    app.callback()(lambda: None)
    return lambda *arguments: CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "my recipe.yaml"
    path.write_text("max_steps: 1")
    return path


def test_the_recipe_and_all_other_options_reach_the_script(run, launched, recipe):
    result = run("grpo", "--config", recipe, "--learning_rate", "1e-6", "--use_peft", "--num-processes", 2)
    assert result.exit_code == 7
    assert launched == [("grpo", ["--config", str(recipe), "--learning_rate", "1e-6", "--use_peft"], None, 2)]


def test_an_accelerate_config_is_not_the_script_s(run, launched, recipe, tmp_path):
    config = tmp_path / "zero2.yaml"
    assert run("rloo", "--accelerate-config", config, f"--config={recipe}").exit_code == 7
    assert launched == [("rloo", ["--config", str(recipe)], config, None)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ppo"], "ppo"),
        (["grpo"], "--config"),
        (["grpo", "--config", "RECIPE", "--num-processes", "0"], "--num-processes"),
        (["grpo", "--config", "RECIPE", "--num-processes", "two"], "--num-processes"),
    ],
)
def test_a_bad_command_line_is_exit_code_2(run, launched, recipe, arguments, message):
    result = run(*[str(recipe) if argument == "RECIPE" else argument for argument in arguments])
    assert (result.exit_code, launched) == (2, [])
    assert message in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "nowhere.yaml"], "There is no recipe nowhere.yaml."),
        (["--config", "RECIPE", "--accelerate-config", "nowhere.yaml"], "There is no accelerate config nowhere.yaml."),
    ],
)
def test_a_missing_file_is_bad_data(run, recipe, arguments, message):
    """Which `hfdiv.cli.main` reports in one line, with exit code 2."""
    result = run("grpo", *[str(recipe) if argument == "RECIPE" else argument for argument in arguments])
    assert (type(result.exception).__name__, str(result.exception)) == ("DataError", message)


def test_help_loads_neither_torch_nor_trl():
    code = (
        "import sys, typer\nfrom hfdiv.cli.train import PASS_ON, train\n"
        "app = typer.Typer()\napp.command('train', context_settings=PASS_ON)(train)\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'transformers', 'trl', 'yaml') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Example: `hfdiv train grpo --config" in " ".join(run.stdout.split())
    assert run.stdout.splitlines()[-1] == "[]"
