"""A group that two processes share is scored as one process scores it: the same rewards, the same advantages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hfdiv.diversity import distinct_n, novelty
from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer.objectives import advantage, frequency, graph_cut, log_det, multiplicative, set_marginal
from hfdiv.trainer.target import TargetController
from tests.trainer.tiny import wants_thanks
from tests.trainer.two_processes import CASES, TEXTS


ROOT = Path(__file__).resolve().parents[2]
QUALITY = np.array(wants_thanks(TEXTS))
SIMILARITY = NgramSimilarity(2)(TEXTS)
ALL = np.ones(6, dtype=bool)
# What one process computes for the six texts. The last has no bigram.
REWARD_TERMS = {
    "additive": np.nan_to_num(novelty(SIMILARITY)),
    "multiplicative": multiplicative(QUALITY, SIMILARITY, ALL),
    "graph_cut": graph_cut(QUALITY, SIMILARITY, ALL),
    "log_det": log_det(QUALITY, SIMILARITY, ALL),
    "frequency": frequency(SIMILARITY, QUALITY >= QUALITY.mean(), threshold=0.5),
    "history": np.array([0, 0, 0, 0, -1.0, 0]),  # how the fifth ends has been said; of the last nothing is known
}
ADVANTAGE_TERMS = {
    "advantage": advantage(SIMILARITY, ALL),
    "set_marginal": set_marginal(SIMILARITY, QUALITY >= -0.2),
    "rloo": advantage(SIMILARITY, ALL),
    "target": TargetController(0.5).weights(distinct_n([TEXTS], 2).values)[0] * advantage(SIMILARITY, ALL),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    output = tmp_path_factory.mktemp("two") / "results.json"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [*command, str(ROOT / "tests" / "trainer" / "two_processes.py"), str(output)],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(output.read_text())


@pytest.mark.parametrize("case", CASES)
def test_there_were_two_processes_with_the_same_weights(results, case):
    assert [rank["world"] for rank in results[case]["ranks"]] == [2, 2]
    first, second = results[case]["weights"]
    assert first == second


@pytest.mark.parametrize("case", REWARD_TERMS)
def test_the_rewards_are_those_of_one_process(results, case):
    term = REWARD_TERMS[case]
    assert len(set(term.round(6))) > 1
    ranks = results[case]["ranks"]
    for rank in ranks:
        quality, own = np.array(rank["rewards"], dtype=float).T
        assert quality == pytest.approx(QUALITY)
        assert np.nan_to_num(own) == pytest.approx(term, abs=1e-6)
    total = QUALITY + term
    advantages = [*ranks[0]["advantages"], *ranks[1]["advantages"]]
    assert advantages == pytest.approx(total - total.mean(), abs=1e-5)


@pytest.mark.parametrize("case", ADVANTAGE_TERMS)
def test_each_process_adds_its_own_part_of_the_advantage(results, case):
    term = ADVANTAGE_TERMS[case]
    assert len(set(term.round(6))) > 2
    ranks = results[case]["ranks"]
    for rank in ranks:
        assert rank["term"] == pytest.approx(term, abs=1e-6)
    baseline = (QUALITY.sum() - QUALITY) / 5 if case == "rloo" else QUALITY.mean()
    advantages = [*ranks[0]["advantages"], *ranks[1]["advantages"]]
    assert advantages == pytest.approx(QUALITY - baseline + term, abs=1e-5)


def test_the_states_of_both_processes_are_compared(results):
    first, second = (np.array(rank["similarity"]) for rank in results["policy"]["ranks"])
    assert first.shape == (6, 6)
    assert np.array_equal(first, second)
    assert np.diag(first) == pytest.approx(1.0)
    assert (first[:3, 3:] < 1 - 1e-6).any()
