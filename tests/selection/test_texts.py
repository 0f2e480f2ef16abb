import numpy as np
import pytest

from hfdiv.selection import greedy_dpp, max_min, mmr, select
from hfdiv.similarity import NgramSimilarity
from tests.selection.sets import log_volume


TEXTS = [
    "I am sorry about that, which size did you order?",
    "I am sorry about that, which size did you get?",
    "Thanks for telling us! A new one leaves today.",
    "I am sorry about that. A new one leaves today.",
]
KERNEL = NgramSimilarity()(TEXTS)


def test_runs_each_method_on_the_texts():
    quality = [0.0, 1.0, 0.5, 0.5]
    assert select(TEXTS, 3) == mmr(KERNEL, None, 3)
    assert select(TEXTS, 3, "mmr", quality=quality, trade_off=0.3) == mmr(KERNEL, quality, 3, 0.3)
    assert select(TEXTS, 3, "max_min") == max_min(KERNEL, 3)
    assert select(TEXTS, 3, "max_min", quality=quality) == max_min(KERNEL, 3, quality)
    assert select(TEXTS, 3, "dpp") == greedy_dpp(KERNEL, None, 3)


@pytest.mark.parametrize("method", ["mmr", "max_min", "dpp"])
def test_returns_plain_integers(method):
    assert [type(place) for place in select(TEXTS, 3, method, quality=[1, 2, 3, 4])] == [int] * 3


@pytest.mark.parametrize("method", ["mmr", "max_min", "dpp"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_quality_may_have_any_scale(method, scale):
    quality = np.array([-0.8, -0.3, -0.5, -0.9])
    assert select(TEXTS, 3, method, quality=quality * scale - 7) == select(TEXTS, 3, method, quality=quality)


@pytest.mark.parametrize("method", ["mmr", "max_min", "dpp"])
def test_equal_quality_is_none_at_all(method):
    first = {} if method != "max_min" else {"quality": [1, 0, 0, 0]}  # without a quality it begins with the medoid
    assert select(TEXTS, 4, method, quality=[-2.0] * 4) == select(TEXTS, 4, method, **first)


def test_dpp_weighs_quality_against_log_det():
    """θ·Σ r + (1 − θ)·log det(S) is what each choice makes as large as it can."""
    quality = np.array([0.0, 1.0, 0.5, 0.2])
    for theta in (0.0, 0.3, 0.6, 0.9):
        chosen = select(TEXTS, 2, "dpp", quality=quality * 3 - 1, trade_off=theta)

        def value(subset, theta=theta):
            return theta * quality[subset].sum() + (1 - theta) * log_volume(KERNEL, np.ones(4), subset)

        second = [value([chosen[0], i]) for i in range(4) if i != chosen[0]]
        assert value(chosen) == pytest.approx(max(second))


def test_dpp_near_quality_alone_goes_by_quality():
    assert select(TEXTS, 4, "dpp", quality=[0.1, 0.4, 0.2, 0.3], trade_off=0.9999) == [1, 3, 2, 0]


def test_chinese_emoji_and_texts_too_short_to_compare():
    texts = ["", "您好，请问有什么可以帮您？", "您好，请问有什么可以帮您？", "👍", "抱歉给您添麻烦了。", "ok"]
    for method in ("mmr", "max_min", "dpp"):
        assert select(texts, 6, method) == [1, 4, 2, 0, 3, 5]


def test_another_similarity():
    def by_length(texts):
        lengths = np.array([len(text) for text in texts])
        return np.exp(-np.abs(lengths[:, None] - lengths[None, :]))

    assert select(["a", "b", "cccc"], 2, similarity=by_length) == [0, 2]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": "one text"}, TypeError, "`texts` must be a list of texts, got str"),
        ({"method": "best"}, ValueError, r"`method` must be one of \['mmr', 'max_min', 'dpp'\], got 'best'"),
        ({"k": 5}, ValueError, "`k` must be from 1 to the number of texts, 4, got 5"),
        ({"method": "max_min", "trade_off": 0.5}, ValueError, "`max_min` has no trade-off, got trade_off=0.5"),
        ({"method": "dpp", "trade_off": 1.0}, ValueError, "at least 0 and below 1 .* got 1.0"),
        ({"trade_off": 1.5}, ValueError, "`trade_off` must be from 0 .* got 1.5"),
        ({"quality": [0.1, 0.2, 0.3]}, ValueError, r"one number a text, \(4,\), got \(3,\)"),
        ({"quality": [0.1, 0.2, 0.3, np.nan]}, ValueError, "must be finite, got nan for text 3"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        select(**{"texts": TEXTS, "k": 2, **arguments})


def test_counts_before_it_compares():
    def costly(texts):
        raise AssertionError("compared")

    with pytest.raises(ValueError, match="`k` must be from 1"):
        select(TEXTS, 9, similarity=costly)
