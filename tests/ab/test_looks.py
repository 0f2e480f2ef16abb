"""Tests of hfdiv/ab/looks.py: the experiment as it was at each look."""

import numpy as np
import pytest

from hfdiv.ab import Settings, choose_metrics
from hfdiv.ab.effect import effect_of
from hfdiv.ab.looks import looks_at, values_of
from hfdiv.ab.mean import arm_mean
from hfdiv.ab.table import read_table
from tests.ab.logs import experiment_rows, write_log


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rows = experiment_rows(300, arms=("control", "b", "c"), abandoned=(0.5, 0.3, 0.5))
    return read_table([write_log(tmp_path_factory.mktemp("log") / "log.jsonl", rows)])


def effect_now(table, settings, arm):
    values, unit = values_of(settings.primary, table)
    means = [
        arm_mean(values[kept], unit[kept])
        for kept in (table.arm[unit] == place for place in (0, table.arms.index(arm)))
    ]
    return effect_of(settings.primary, arm, *means, settings, n_arms=2)


@pytest.mark.parametrize("primary", ["abandoned", "dwell_time", "turns", "conversations"])
def test_the_last_look_is_the_analysis(table, primary):
    settings = Settings(choose_metrics(primary))
    for arm in ("b", "c"):
        last = [look for look in looks_at(table, settings) if look.arm == arm][-1]
        effect = effect_now(table, settings, arm)
        expected = effect.relative if effect.tested == "ratio" else effect.difference
        assert last.always == expected
        assert last.time == table.time.max()


def test_looks_are_at_even_steps_and_know_nothing_of_later(table):
    settings = Settings(choose_metrics("abandoned"))
    looks = [look for look in looks_at(table, settings, 5) if look.arm == "b"]
    assert len(looks) == 5
    assert [look.n_units for look in looks] == sorted(look.n_units for look in looks)
    assert looks == sorted(looks, key=lambda look: look.time)
    first = np.argsort(table.time, kind="stable")[: round(len(table.time) / 5)]
    rates = [
        table.values["abandoned"][[i for i in first if table.arm[table.unit[i]] == place]].mean() for place in (0, 1)
    ]
    assert looks[0].always.value == pytest.approx(rates[1] - rates[0])


def test_an_interval_for_any_look_is_wider(table):
    for look in looks_at(table, Settings(choose_metrics("abandoned"))):
        assert not look.always.high - look.always.low < look.once.high - look.once.low
        assert look.to_dict()["arm"] == look.arm


def test_fewer_conversations_than_looks(table):
    assert len(list(looks_at(table, Settings(choose_metrics("abandoned")), 10**6))) == 2 * len(table.time)
