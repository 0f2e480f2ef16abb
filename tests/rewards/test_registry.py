import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hfdiv.rewards
from hfdiv.rewards import get_reward, load_rewards, register_reward, registry, reward_names


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))


OWN = """diversity_entropy distinct_reward fluency format_guard history_reward length_guard novelty_reward relevance
repetition_reward""".split()


def test_hfdivs_own_are_there_under_the_names_that_they_log():
    assert set(OWN) <= set(reward_names())
    assert reward_names() == sorted(reward_names())
    options = {
        "format_guard": {"pattern": "."},
        "relevance": {"encoder": len},
        "fluency": {"model": 1, "tokenizer": 2},
    }
    for name in OWN:
        assert get_reward(name, **options.get(name, {})).__name__ == name


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith("_reward") or name == "diversity_entropy"])
def test_the_ready_ones_are_found_by_dotted_path_and_can_be_pickled(name):
    ready = getattr(hfdiv.rewards, name)
    copy = pickle.loads(pickle.dumps(ready))
    given = {"prompts": ["?"] * 2, "completions": ["a b a b a b", "好的，好的"], "history": [["a b", "好的"]] * 2}
    scores = get_reward(name)(**given)
    assert ready(**given) == scores == copy(**given)
    assert all(isinstance(score, float) for score in scores)


def test_functions_of_both_forms_can_be_registered_and_stay_what_they_are():
    @register_reward("asks")
    def asks(response, history):
        return float(response.endswith("?"))

    @register_reward("brief")
    def brief(completions, limit=3, **columns):
        return [float(len(completion) <= limit) for completion in completions]

    assert asks("Why?", []) == 1.0
    given = {"prompts": ["x"] * 2, "completions": ["Why?", "No"]}
    assert get_reward("asks")(**given) == [1.0, 0.0]
    assert get_reward("brief")(**given) == [0.0, 1.0]
    assert get_reward("brief", limit=4)(**given) == [1.0, 1.0]
    assert {"asks", "brief"} <= set(reward_names())


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="named 'fluency' exists: hfdiv.rewards.quality.Fluency. Rename one"):

        @register_reward("fluency")
        def fluency(response, history): ...


def test_a_function_defined_again_takes_its_own_place():
    for value in (1.0, 2.0):

        @register_reward("again")
        def again(response, history, value=value):
            return value

    assert get_reward("again")(["?"], ["!"]) == [2.0]


def test_an_unknown_name_is_an_error_with_the_nearest():
    with pytest.raises(ValueError, match="no reward named 'novelty_rewards'. Did you mean 'novelty_reward'?"):
        get_reward("novelty_rewards")
    with pytest.raises(ValueError, match="no reward named 'xyzzy'. There are: distinct_reward, diversity_entropy, "):
        get_reward("xyzzy")
    with pytest.raises(TypeError, match="'length_guard' has no option 'max'. Did you mean 'maximum'?"):
        get_reward("length_guard", max=3)


@pytest.mark.parametrize("name", ["", " ", "a.b", "a:b", "a/b"])
def test_a_name_that_could_be_a_path_is_refused(name):
    with pytest.raises(ValueError, match="must not be empty nor hold any of"):
        register_reward(name)


def test_what_is_no_reward_is_refused():
    with pytest.raises(TypeError, match=r"must be a string, got <function.*write @register_reward\(\"name\"\)"):

        @register_reward
        def forgot_the_name(response, history): ...

    with pytest.raises(TypeError, match="'odd' takes \\(text\\)"):
        register_reward("odd")(lambda text: 0.0)
    assert "odd" not in reward_names()


def test_rewards_load_nothing_heavy():
    code = "import hfdiv.rewards, json, sys; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stdout))
    assert "hfdiv.rewards.novelty" in loaded
    assert loaded & {"torch", "transformers", "trl", "sentence_transformers", "scipy", "yaml"} == set()


DOCS = Path(__file__).parents[2] / "docs" / "rewards.md"


@pytest.mark.skipif(not DOCS.exists(), reason="the documentation is not part of the source distribution")
def test_the_documentation_has_every_reward_and_its_yaml_loads(tmp_path, monkeypatch):
    pytest.importorskip("yaml", reason="YAML needs the extra `rewards`")
    text = DOCS.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(OWN)
    blocks = dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    monkeypatch.chdir(tmp_path)
    for name, content in blocks.items():
        Path(name).write_text(content, encoding="utf-8")
    functions, weights = load_rewards("rewards.yaml")
    assert weights == [0.5, 1.0, 1.0, 1.0, 0.2]
    given = {
        "prompts": ["?"] * 2,
        "completions": ["Thank you! It comes today.", "Thanks"],
        "history": [[], ["Thanks"]],
    }
    scores = {function.__name__: function(**given) for function in functions}
    assert scores["ends_well"] == [0.0, -1.0]
    assert scores["thanks"] == [1.0, 0.0]
