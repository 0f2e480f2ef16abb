import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hfdiv.diversity import novelty
from hfdiv.similarity import NgramSimilarity
from tests.trainer.tiny import wants_thanks
from tests.trainer.two_processes import TEXTS


ROOT = Path(__file__).resolve().parents[2]


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


@pytest.fixture(scope="module")
def one_process():
    """Novelty of the six texts as one process computes it, NaN where a text has no bigram."""
    scores = novelty(NgramSimilarity(2)(TEXTS))
    assert np.isnan(scores).tolist() == [False] * 5 + [True]
    assert len(set(scores[:5].round(6))) > 2
    return scores


@pytest.mark.parametrize("form", ["additive", "advantage"])
def test_there_were_two_processes_with_the_same_weights(results, form):
    assert [rank["world"] for rank in results[form]["ranks"]] == [2, 2]
    first, second = results[form]["weights"]
    assert first == second


def test_a_group_split_over_two_processes_is_scored_whole(results, one_process):
    for rank in results["additive"]["ranks"]:
        quality, diversity = np.array(rank["rewards"]).T
        assert quality == pytest.approx(wants_thanks(TEXTS))
        assert diversity == pytest.approx(np.nan_to_num(one_process), abs=1e-6)


def test_each_process_adds_its_own_part_of_the_advantage(results, one_process):
    centred = np.nan_to_num(one_process - np.nanmean(one_process))
    quality = np.array(wants_thanks(TEXTS))
    expected = quality - quality.mean() + centred
    ranks = results["advantage"]["ranks"]
    for rank in ranks:
        assert rank["term"] == pytest.approx(centred, abs=1e-6)
    assert [*ranks[0]["advantages"], *ranks[1]["advantages"]] == pytest.approx(expected, abs=1e-5)
