"""A small version of benchmarks/ab_coverage.py: intervals hold the truth, and peeking makes no false positives.

Users have several conversations that are alike, dwell times are skewed, clicks are rare. Seeds are fixed; the limits
are some four Monte Carlo standard errors away, so that a change of the seed would not matter and a wrong variance
would.
"""

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hfdiv.ab import Settings


SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ab_coverage.py"
if not SCRIPT.exists():
    pytest.skip("benchmarks/ab_coverage.py is not there", allow_module_level=True)
spec = importlib.util.spec_from_file_location("ab_coverage", SCRIPT)
coverage = importlib.util.module_from_spec(spec)
sys.modules["ab_coverage"] = coverage  # dataclasses look their module up
spec.loader.exec_module(coverage)

N = 300
ERROR = math.sqrt(0.05 * 0.95 / N)
LOOKS = np.linspace(0, 1, 11)[1:]
SETTINGS = Settings(coverage.METRICS)


def rates(tally):
    return dict(zip(coverage.NAMES, tally.hits / tally.n, strict=True))


def test_intervals_of_one_look_hold_the_truth_at_their_rate():
    once = replace(SETTINGS, peeking=False)
    for tally in coverage.coverage(np.random.default_rng(0), once, (600, 600), np.array([1.0]), N):
        for name, rate in rates(tally).items():
            assert abs(rate - 0.95) < 4 * ERROR, (name, rate)


def test_peeking_makes_no_false_positives_and_would_without_correction():
    end, naive, always = coverage.false_positives(np.random.default_rng(1), SETTINGS, (600, 600), LOOKS, N)
    for name in coverage.NAMES:
        assert rates(end)[name] < 0.05 + 4 * ERROR, name
        assert rates(always)[name] <= 0.05, name
        assert rates(naive)[name] > 0.10, name


def test_variances_that_forget_the_users_are_too_small():
    """What the test of the rate would find: turns of one user are alike, and the error rate more than doubles."""
    wrong = rates(coverage.as_if_independent(np.random.default_rng(2), SETTINGS, 600, N))
    assert wrong["turns"] > 0.05 + 4 * ERROR


def test_effects_are_found():
    rng = np.random.default_rng(3)
    found = np.zeros(len(coverage.NAMES))
    for _ in range(20):
        arms = [coverage.draw_arm(rng, 1500, effects) for effects in ({}, coverage.EFFECTS)]
        found += coverage.claims(coverage.contrasts_at(arms, 1.0), SETTINGS)
    assert dict(zip(coverage.NAMES, found >= 12, strict=True)) == {
        "abandoned": True,
        "click": False,
        "dwell_time": True,
        "turns": True,
    }
