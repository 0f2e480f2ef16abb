from dataclasses import fields

import pytest

from hfdiv.data.cache import CacheConfig


def test_every_setting_says_what_it_means():
    assert all(setting.metadata["help"].endswith(".") for setting in fields(CacheConfig))


def test_filling_follows_k():
    assert (CacheConfig(k=4).answers_to_serve, CacheConfig(k=4).offers_to_serve) == (4, 12)
    assert (CacheConfig(k=4, fill=1).answers_to_serve, CacheConfig(k=4, fill=1).offers_to_serve) == (1, 3)
    assert CacheConfig(patience=7).offers_to_serve == 7


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"k": 0}, ValueError, "`k` must be at least 1, got 0."),
        ({"k": 2.0}, TypeError, r"`k` must be an integer, got 2.0 \(float\)."),
        ({"k": True}, TypeError, "`k` must be an integer, got True"),
        ({"k": None}, TypeError, "`k` must be an integer, got None"),
        ({"fill": 0}, ValueError, "`fill` must be at least 1"),
        ({"fill": 6}, ValueError, "`fill` must be at most `k`, 5, got 6"),
        ({"ttl": 0}, ValueError, "`ttl` must be above 0, got 0."),
        ({"ttl": "1h"}, TypeError, "`ttl` must be a number or None, got '1h'"),
        ({"min_quality": float("nan")}, ValueError, "`min_quality` must be a finite number, got nan."),
        ({"max_similarity": 1.5}, ValueError, "`max_similarity` must be above 0 and at most 1, got 1.5."),
        ({"method": "best"}, ValueError, r"`method` must be one of \['mmr', 'max_min', 'dpp'\], got 'best'."),
        ({"method": "max_min", "trade_off": 0.5}, ValueError, '`trade_off` is not for method="max_min"'),
        ({"method": "dpp", "trade_off": 1.0}, ValueError, '`trade_off` must be below 1 for method="dpp"'),
        ({"max_answers": 4}, ValueError, "`max_answers` must be at least `k`, 5, got 4."),
        ({"durable": 1}, TypeError, "`durable` must be True or False, got 1"),
    ],
)
def test_bad_settings_are_refused(settings, error, words):
    with pytest.raises(error, match=words):
        CacheConfig(**settings)
