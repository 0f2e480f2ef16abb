"""Tests of hfdiv/data/annotation/agreement.py against published values, formulas written anew, and simulation."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfdiv.data import Records
from hfdiv.data.annotation import Answer, krippendorff_alpha, pairwise_tasks, rating_tasks, summarise, unblind
from hfdiv.data.annotation.agreement import wilson


pytest.importorskip("krippendorff")

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), part C: four observers, twelve units, five values;
# nominal 0.743, ordinal 0.815, interval 0.849.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
PUBLISHED = [[sum(row[unit] == value for row in OBSERVERS) for value in range(1, 6)] for unit in range(12)]


def nominal_alpha(counts):
    """1 - observed / expected disagreement, pair by pair, as the definition has it."""
    units = [[value for value, n in enumerate(row) for _ in range(n)] for row in counts]
    units = [unit for unit in units if len(unit) > 1]
    everything = [value for unit in units for value in unit]
    if not everything:
        return math.nan
    n = len(everything)
    observed = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / n
    expected = sum(a != b for a, b in permutations(everything, 2)) / (n * (n - 1))
    return 1 - observed / expected if expected else math.nan


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_example(level, alpha):
    interval = krippendorff_alpha(PUBLISHED, level, n_resamples=200)
    assert interval.value == pytest.approx(alpha, abs=5e-4)
    assert interval.low < interval.value < interval.high <= 1


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_nominal_alpha_is_the_definition(counts):
    value = krippendorff_alpha(counts, "nominal", n_resamples=1).value
    assert value == pytest.approx(nominal_alpha(counts), nan_ok=True)


@pytest.mark.parametrize("counts", [[], [[1, 0], [0, 1]], [[2, 0], [3, 0]]])
def test_alpha_is_undefined_without_overlap_or_variety(counts):
    assert all(map(math.isnan, krippendorff_alpha(counts, "nominal", n_resamples=10)))


def test_where_most_resamples_are_undefined_there_is_no_interval():
    interval = krippendorff_alpha([[2, 0], [0, 2]], "nominal", n_resamples=200)  # half the draws take one task twice
    assert interval.value == 1
    one = krippendorff_alpha([[1, 1]], "nominal", n_resamples=200)
    assert math.isnan(one.low)


def test_more_tasks_make_the_interval_of_alpha_narrower():
    rng = np.random.default_rng(0)

    def width(n):
        counts = np.array([rng.multinomial(3, rng.permutation([0.8, 0.15, 0.05])) for _ in range(n)])
        interval = krippendorff_alpha(counts, "nominal", n_resamples=200)
        return interval.high - interval.low

    assert width(400) < width(25) / 2


def test_wilson_by_the_quadratic_that_it_solves():
    """Its ends are the shares p for which (mean - p)² = z² p (1 - p) / n."""
    for mean, n in ((0.0, 5), (0.3, 10), (0.5, 1), (1.0, 40), (0.625, 8)):
        roots = np.roots([1 + 1.959964**2 / n, -2 * mean - 1.959964**2 / n, mean**2])
        assert wilson(mean, n)[1:] == pytest.approx(sorted(roots.real), abs=1e-6)
    assert math.isnan(wilson(math.nan, 0).value)


def judged(preferences, annotators=1):
    """Rows of one pair a prompt, in which the first file wins as `preferences` says."""
    n = len(preferences)
    prompts = [f"p{i}" for i in range(n)]
    tasks = pairwise_tasks([Records(prompts, [["x"]] * n), Records(prompts, [["y"]] * n)], ["old", "new"])
    answers = []
    for task in tasks.tasks:
        wanted = preferences[int(task.prompt[1:])]
        side = "tie" if wanted == "tie" else "left" if (wanted == "a") != task.swapped else "right"
        answers += [Answer(task.id, f"annotator {i}", side, "") for i in range(annotators)]
    return tasks, unblind(tasks, answers)


def test_a_summary_by_hand():
    tasks, rows = judged(["a", "a", "b", "tie"], annotators=2)
    summary = summarise(tasks, rows, n_resamples=50)
    assert {name: summary[name] for name in ("n_tasks", "n_answered", "n_overlapping", "n_judgements")} == {
        "n_tasks": 4,
        "n_answered": 4,
        "n_overlapping": 4,
        "n_judgements": 8,
    }
    assert summary["annotators"] == {"annotator 0": 4, "annotator 1": 4}
    assert summary["alpha"]["value"] == 1
    assert summary["answers"] == {"a": 4, "tie": 2, "b": 2}
    rate = summary["win_rate"]["old over new"]
    assert rate == wilson(2.5 / 4, 4).to_dict()  # eight answers, but four prompts


def test_left_rate_shows_who_always_takes_the_left():
    tasks, _ = judged(["a"] * 40)
    rows = unblind(tasks, [Answer(task.id, "lazy", "left", "") for task in tasks.tasks])
    summary = summarise(tasks, rows, n_resamples=10)
    assert summary["left_rate"]["low"] > 0.9
    assert summary["win_rate"]["old over new"]["value"] == 0.5  # the sides are balanced
    _, rows = judged(["a"] * 40)
    assert summarise(tasks, rows, n_resamples=10)["left_rate"]["value"] == 0.5


def test_pairs_within_a_file_have_no_win_rate():
    tasks = pairwise_tasks([Records(["p"], [["x", "y"]])], ["f"])
    rows = unblind(tasks, [Answer(tasks.tasks[0].id, "Ann", "left", "")])
    assert summarise(tasks, rows, n_resamples=10)["win_rate"] == {}


def test_wilson_on_means_over_prompts_holds_the_truth():
    """Two tasks a prompt, two annotators, ties: at least nominal coverage, for it is conservative here."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        strength = rng.beta(3, 2, size=30)  # mean 0.6
        means = rng.binomial(4, strength) / 4
        interval = wilson(float(means.mean()), 30)
        hits += interval.low <= 0.6 <= interval.high
    assert hits >= 0.95 * 300


def test_mean_ratings_are_over_prompts():
    tasks = rating_tasks([Records(["p", "q"], [["a", "b"], ["c"]])], ["f"])
    given_ratings = {"a": "1", "b": "3", "c": "5"}
    answers = [Answer(task.id, "Ann", given_ratings[task.replies[0].text], "") for task in tasks.tasks]
    summary = summarise(tasks, unblind(tasks, answers), n_resamples=200)
    assert summary["mean_rating"]["f"] == {"value": 3.5, "low": 2.0, "high": 5.0}  # (2 + 5) / 2
    assert summary["alpha"] == {"value": None, "low": None, "high": None, "level": "ordinal"}


def test_no_answers_at_all():
    tasks, _ = judged(["a"])
    summary = summarise(tasks, [], n_resamples=10)
    assert summary["n_answered"] == 0
    assert summary["left_rate"]["value"] is None
