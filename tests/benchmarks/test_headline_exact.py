"""The headline experiment in small: it trains for a few steps, and fails where diversity or validity does."""

import json
import math

import exact_summary as summary
import experiment
import headline_exact as headline
import numpy as np
import pages
import pytest
import tiny_grammar as grammar
from scipy import stats


CONDITIONS = {"same": {"hfdiv": "1"}, "cpu": "a processor", "cores": 2}


def run(arm, seed=0, distinct=0.35, valid=0.98):
    """A run that stays where it is."""
    valid_reply = grammar.TEMPLATE.replace("TOPIC", "lamp")
    replies = [["where is my lamp", f"a | reply of {arm}", False], ["where is my lamp", valid_reply, True]]
    return {
        "arm": arm,
        "seed": seed,
        "arguments": headline.signature(arm),
        "seconds_per_step": 0.1,
        "distinct": [distinct] * headline.STEPS,
        "valid": [valid] * headline.STEPS,
        "held_out_distinct": distinct,
        "held_out_valid": valid,
        "replies": replies,
    }


def all_runs():
    """Results in which each arm does as it should."""
    levels = {"target 0.50": 0.5, "quality only": 0.16}
    return [
        run(arm, seed, levels.get(arm, 0.35), 0.0 if arm == "no quality" else 0.98 + 0.001 * seed)
        for arm in headline.ARMS
        for seed in range(headline.SEEDS)
    ]


def test_the_quick_form_passes(capsys):
    assert headline.main(["--quick"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("arm", "rise", "valid_then", "passes"),
    [
        ("target 0.50", 0.2, 0.95, True),
        ("target 0.50", 0.02, 0.95, False),
        ("target 0.50", 0.2, 0.8, False),
        ("no quality", 0.4, 0.1, True),
        ("no quality", 0.4, 0.95, False),
    ],
)
def test_the_quick_form_can_fail(arm, rise, valid_then, passes):
    n = headline.QUICK_WINDOW
    steps = {"distinct": [0.18] * n + [0.18 + rise] * n, "valid": [0.95] * n + [valid_then] * n}
    assert headline.quick_passes(arm, steps) is passes


def test_a_parser_judges_the_whole_reply():
    reply = grammar.TEMPLATE.replace("TOPIC", "lamp")
    assert grammar.is_valid("lamp", reply)
    for other in (reply + " talk soon", reply.removesuffix(" day"), "", reply.replace("lamp", "sofa")):
        assert not grammar.is_valid("lamp", other)


def test_a_valid_reply_has_its_parts():
    reply = f"{grammar.OPENERS[2]} {grammar.BODIES[5]} {grammar.CLOSERS[11]}".replace("TOPIC", "sofa")
    assert grammar.parts(reply) == (2, 5, 11)
    with pytest.raises(ValueError, match="no reply like 'hello'"):
        grammar.parts("hello")


def test_held_out_topics_are_not_trained_on():
    assert not set(grammar.TRAIN_TOPICS) & set(grammar.HELD_OUT_TOPICS)
    assert len(grammar.BODIES) >= 20


@pytest.mark.parametrize(
    ("series", "step"),
    [
        ([0.36] * 200, 40),
        ([0.2] * 60 + [0.35] * 140, 95),  # 5 of 40 steps at 0.2 pull the mean down by 0.01875, 6 by more than 0.02
        ([0.2] * 90 + [0.35] * 110, None),  # too late to stay for 80 more
        ([0.35] * 100 + [0.2] * 100, None),
        ([0.32] * 200, None),
        ([0.33, 0.38] * 100, 40),  # the mean holds, not the single step
    ],
)
def test_a_target_holds_for_a_window_and_what_follows(series, step):
    assert summary.held_from({"distinct": series}, 0.35) == step


def test_the_interval_is_students():
    values = [0.97, 0.98, 0.99]
    seen = summary.Interval.of(values)
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert (seen.mean, seen.low, seen.high) == pytest.approx((0.98, low, min(high, 1.0)))
    assert math.isnan(summary.Interval.of([0.5]).low)


def test_every_claim_can_be_lost():
    assert all(verdict.met for verdict in summary.verdicts(all_runs()))
    lost = [
        run(arm, seed, 0.25 if arm.startswith("target") else 0.16, 0.97 if arm == "quality only" else 0.6)
        for arm in headline.ARMS
        for seed in range(headline.SEEDS)
    ]
    assert not any(verdict.met for verdict in summary.verdicts(lost))


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of docs and the path of a file of results, in place of the project's own."""
    (tmp_path / "images").mkdir()
    names = ("verdicts", "conditions", "arms", "targets")
    markers = "\n".join(f"<!-- exact:{name} -->\nwhat was there\n<!-- exact:{name} end -->" for name in names)
    (tmp_path / "evidence.md").write_text(f"before\n{markers}\nafter\n")
    monkeypatch.setattr(headline, "DOCS", tmp_path)
    monkeypatch.setattr(headline, "same", lambda base: CONDITIONS["same"])
    monkeypatch.setattr(headline.grammar, "build_base", lambda folder: None)
    return tmp_path / "exact.json"


def test_what_is_there_is_not_run_again(results, capsys):
    experiment.save({"conditions": CONDITIONS, "runs": all_runs()}, results)
    assert headline.main(["--json", str(results)]) == 0
    assert f"{len(all_runs())} runs are there, 0 to do" in capsys.readouterr().out
    page = (results.parent / "evidence.md").read_text()
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "what was there" not in page
    assert page.count("| yes |") == len(summary.verdicts(all_runs()))
    replies = (results.parent / "evidence_replies.md").read_text()
    assert "✗ a \\| reply of additive" in replies
    assert "| additive | 1 | 1 | 1 | 1 |" in replies
    assert all((results.parent / "images" / f"exact_{name}.png").stat().st_size for name in ("steps", "frontier"))


def test_results_of_other_versions_are_not_mixed(results):
    experiment.save({"conditions": {**CONDITIONS, "same": {"hfdiv": "0"}}, "runs": all_runs()}, results)
    before = results.read_text()
    with pytest.raises(SystemExit, match="Use --fresh"):
        headline.main(["--json", str(results)])
    assert results.read_text() == before


def test_a_run_with_other_arguments_is_done_anew(results, monkeypatch):
    runs = all_runs()
    runs[0]["arguments"] = "others"
    experiment.save({"conditions": {**CONDITIONS, **experiment.machine()}, "runs": runs}, results)
    done = []

    class Pool:
        def __init__(self, *_, **__): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def imap_unordered(self, _, tasks):
            done.extend(tasks)
            return [run(arm, seed) for _, arm, seed, _ in tasks]

    monkeypatch.setattr(experiment.multiprocessing.get_context("spawn").__class__, "Pool", Pool)
    headline.main(["--json", str(results)])
    assert [task[1:3] for task in done] == [("quality only", 0)]
    assert len(json.loads(results.read_text())["runs"]) == len(runs)


@pytest.mark.parametrize("page", ["no marker", "<!-- exact:arms -->", "<!-- exact:arms end --><!-- exact:arms -->"])
def test_a_page_without_its_markers_is_left_alone(page):
    with pytest.raises(ValueError, match="exact:arms"):
        pages.put(page, "exact:arms", "table")
