import numpy as np
import pytest

from hfdiv.trainer.groups import Group, level_of_groups


def group(texts, finished, counted=None):
    same = np.array([[float(a == b) for b in texts] for a in texts])
    finished = np.array(finished)
    return Group(texts, np.zeros(len(texts)), finished if counted is None else np.array(counted), finished, same)


GROUPS = [
    group(["a b", "a b", "c d"], [True, True, True]),
    group(["a b", "a b", "c d"], [False, True, True]),
    group(["a b", "a b", "c d"], [False, False, True]),  # nobody to be compared with
]


def test_the_level_is_that_of_the_finished_completions():
    assert level_of_groups(GROUPS, "distinct_2", "mixed") == pytest.approx([2 / 3, 1.0, np.nan], nan_ok=True)
    assert level_of_groups(GROUPS, "distinct_1", "mixed") == pytest.approx([4 / 6, 1.0, np.nan], nan_ok=True)
    assert level_of_groups(GROUPS, "novelty", "mixed") == pytest.approx(
        [(0.5 + 0.5 + 1) / 3, 1.0, np.nan], nan_ok=True
    )


def test_a_quality_gate_does_not_change_the_level():
    gated = [group(["a b", "a b", "c d"], [True, True, True], counted=[False, True, True])]
    for measure in ("distinct_2", "novelty"):
        assert level_of_groups(gated, measure, "mixed") == level_of_groups(GROUPS[:1], measure, "mixed")


def test_a_group_without_an_n_gram_has_no_level():
    short = group(["a", "b"], [True, True])
    assert np.isnan(level_of_groups([short], "distinct_2", "mixed")).all()


def test_novelty_is_of_those_who_count():
    assert GROUPS[1].novelty == pytest.approx([np.nan, 1.0, 1.0], nan_ok=True)
