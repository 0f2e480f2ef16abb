"""Tests of hfdiv/ab/srm.py."""

import numpy as np
import pytest
from scipy.stats import chisquare

from hfdiv.ab.srm import ratio_check


def test_it_is_the_chi_square_test():
    check = ratio_check([480, 520, 1050], [1, 1, 2])
    assert check.expected == [512.5, 512.5, 1025]
    assert check.p == pytest.approx(chisquare([480, 520, 1050], [512.5, 512.5, 1025]).pvalue)
    assert not check.is_mismatch
    assert check.to_dict()["units"] == [480, 520, 1050]


def test_a_right_assignment_rarely_alarms_and_a_broken_one_does():
    rng = np.random.default_rng(0)
    alarms = sum(ratio_check([n, 4000 - n], [1, 1]).is_mismatch for n in rng.binomial(4000, 0.5, 2000))
    assert alarms <= 10  # 2 expected
    assert ratio_check([2150, 1850], [1, 1]).is_mismatch
    assert ratio_check([2150, 1850], [2150, 1850]).p == 1
