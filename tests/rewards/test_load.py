import pytest

from hfdiv.rewards import CheckedReward, load_rewards, registry


FILE = """
from hfdiv.rewards import register_reward

LIMIT = 3

@register_reward("by_name")
def by_name(response, history):
    return float(len(history))

def brief(completions, limit=LIMIT, **columns):
    return [float(len(completion) <= limit) for completion in completions]

class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, completions, **columns):
        return [self.factor * len(completion) for completion in completions]
"""
GIVEN = {"prompts": ["x"] * 2, "completions": ["Why?", "No"], "completion_ids": [[1], [2]], "trainer_state": None}


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE, encoding="utf-8")


def write(text, name="rewards.yaml"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


EVERY_KIND = """
learning_rate: 1.0e-6
reward_functions:
  - diversity_entropy
  - {name: novelty_reward, weight: 0.5, n: 1}
  - name: mine.py:brief
    weight: 2
    limit: 4
  - name: mine.py:Scaled
    factor: 0.5
    label: 长度
  - name: mine.py:by_name
  - name: hfdiv.rewards.distinct_reward
  - name: hfdiv.rewards.LengthGuard
    maximum: 1
"""


def test_every_kind_of_name():
    pytest.importorskip("yaml", reason="YAML needs the extra `rewards`")
    functions, weights = load_rewards(write(EVERY_KIND))
    assert weights == [1.0, 0.5, 2.0, 1.0, 1.0, 1.0, 1.0]
    assert [function.__name__ for function in functions] == (
        "diversity_entropy novelty_reward brief 长度 by_name distinct_reward length_guard".split()
    )
    assert all(isinstance(function, CheckedReward) for function in functions)
    scores = [function(**GIVEN) for function in functions]
    assert scores == [[1, 0], [1, 1], [1, 1], [2, 1], [0, 0], [1, None], [-1, 0]]


def test_what_was_read_from_a_file_goes_too():
    entries = [{"name": "repetition_reward", "weight": -1}, "mine.py:brief"]
    for source in (entries, {"reward_functions": entries, "seed": 1}):
        functions, weights = load_rewards(source)
        assert [function.__name__ for function in functions] == ["repetition_reward", "brief"]
        assert weights == [-1.0, 1.0]
    assert entries[0] == {"name": "repetition_reward", "weight": -1}


def test_what_a_file_registers_has_a_name_from_then_on():
    functions, _ = load_rewards(["mine.py:brief", "by_name"])
    assert functions[1](**GIVEN, history=[["a"], []]) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        ("noveltyreward", ValueError, "no reward named 'noveltyreward'. Did you mean 'novelty_reward'?"),
        ({"name": "novelty_reward", "wieght": 1}, TypeError, "'novelty_reward' has no option 'wieght'."),
        (
            {"name": "novelty_reward", "weight": "0.5"},
            ValueError,
            "`weight` of 'novelty_reward' must be a finite numb",
        ),
        ({"name": "novelty_reward", "weight": float("nan")}, ValueError, "must be a finite number, got nan"),
        ({"name": "novelty_reward", "weight": True}, ValueError, "must be a finite number, got True"),
        ({"name": "novelty_reward", "n": 0}, ValueError, "`n` must be an integer of at least 1, got 0"),
        ({"name": "novelty_reward", "label": ""}, TypeError, "`label` of 'novelty_reward' must be a name, got ''"),
        ({"weight": 1}, TypeError, "must be a name or a mapping with a `name`, got {'weight': 1}"),
        (3, TypeError, "must be a name or a mapping with a `name`, got 3"),
        (
            "no_such.module.fn",
            ImportError,
            "No module named 'no_such'. A function in a file is named `path/to/file.py",
        ),
        ("hfdiv.rewards.novelty_rewrad", ImportError, "has no 'novelty_rewrad'. Did you mean 'novelty_reward'?"),
        ("mine.py:breif", ImportError, "mine.py defines no 'breif'. Did you mean 'brief'?"),
        ("mine.py:LIMIT", TypeError, "'LIMIT' cannot be called"),
        ("absent.py:brief", ImportError, "There is no file 'absent.py' in "),
        ({"name": "fluency", "model": "no/such/folder"}, OSError, "no/such/folder"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(entry, error, message):
    if isinstance(entry, dict) and entry.get("name") == "fluency":
        pytest.importorskip("transformers", reason="Fluency needs the extra `rewards`")
    with pytest.raises(error) as caught:
        load_rewards(["diversity_entropy", entry])
    assert str(caught.value).startswith("reward_functions[1]: ")
    assert message in str(caught.value)


def test_the_place_in_a_file_is_its_line():
    pytest.importorskip("yaml", reason="YAML needs the extra `rewards`")
    with pytest.raises(ValueError, match=r"^rewards.yaml: line 5: There is no reward named 'brief'"):
        load_rewards(write("seed: 1\n\nreward_functions:\n- diversity_entropy\n- name: brief\n  weight: 2\n"))


def test_of_a_key_given_twice_the_last_counts_as_in_yaml():
    pytest.importorskip("yaml", reason="YAML needs the extra `rewards`")
    twice = "reward_functions: [distinct_reward, history_reward]\nreward_functions: [novelty_reward]\n"
    functions, _ = load_rewards(write(twice))
    assert [function.__name__ for function in functions] == ["novelty_reward"]


def test_two_rewards_of_one_name_need_a_label():
    entries = [{"name": "distinct_reward", "n": 1}, {"name": "distinct_reward", "n": 2}]
    with pytest.raises(ValueError, match=r"^reward_functions\[1\]: reward_functions\[0\] is logged as 'distinct_rew"):
        load_rewards(entries)
    entries[1]["label"] = "distinct_2"
    assert [function.__name__ for function in load_rewards(entries).functions] == ["distinct_reward", "distinct_2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rewards: []", r"rewards.yaml: there is no `reward_functions`, only \['rewards'\]"),
        ("reward_functions: []", "`reward_functions` must be a list of at least one reward, got \\[\\]"),
        ("reward_functions: novelty_reward", "must be a list of at least one reward, got 'novelty_reward'"),
        ("reward_functions: {name: fluency}", "must be a list of at least one reward, got {'name': 'fluency'}"),
        ("- novelty_reward", "must hold `reward_functions"),
        ("", "must hold `reward_functions"),
        ("a: [", "rewards.yaml is no YAML file: "),
        ("a: !!python/object/apply:os.getcwd []", "rewards.yaml is no YAML file: "),
    ],
)
def test_a_file_that_holds_no_rewards_is_refused(text, message):
    pytest.importorskip("yaml", reason="YAML needs the extra `rewards`")
    with pytest.raises(ValueError, match=message):
        load_rewards(write(text))


def test_a_file_that_is_not_there():
    pytest.importorskip("yaml", reason="YAML needs the extra `rewards`")
    with pytest.raises(FileNotFoundError, match=r"absent\.yaml"):
        load_rewards("absent.yaml")
