import numpy as np
import pytest

from hfdiv.trainer.groups import Group, level_of_groups


def group(texts, counted):
    same = np.array([[float(a == b) for b in texts] for a in texts])
    return Group(texts, np.zeros(len(texts)), np.array(counted), same)


GROUPS = [
    group(["a b", "a b", "c d"], [True, True, True]),
    group(["a b", "a b", "c d"], [False, True, True]),
    group(["a b", "a b", "c d"], [False, False, True]),  # nobody to be compared with
]


def test_the_level_is_that_of_the_completions_that_count():
    assert level_of_groups(GROUPS, "distinct_2", "mixed") == pytest.approx([2 / 3, 1.0, np.nan], nan_ok=True)
    assert level_of_groups(GROUPS, "distinct_1", "mixed") == pytest.approx([4 / 6, 1.0, np.nan], nan_ok=True)
    assert level_of_groups(GROUPS, "novelty", "mixed") == pytest.approx(
        [(0.5 + 0.5 + 1) / 3, 1.0, np.nan], nan_ok=True
    )


def test_a_group_without_an_n_gram_has_no_level():
    short = group(["a", "b"], [True, True])
    assert np.isnan(level_of_groups([short], "distinct_2", "mixed")).all()


def test_only_those_who_count_are_named():
    assert GROUPS[1].counted_texts == ["a b", "c d"]
    assert GROUPS[1].novelty == pytest.approx([np.nan, 1.0, 1.0], nan_ok=True)
