"""Tests of hfdiv/report/yardstick.py: a third file's numbers beside the two."""

import math

import pytest

from hfdiv.data import DataError, Records
from hfdiv.diversity import distinct_n, self_bleu
from hfdiv.report import compare
from hfdiv.report.page import render
from hfdiv.report.plots import diversity_figure
from tests.report.files import monotone, varied


def rows(*sides, **options):
    return {row.name: row for row in compare(*sides, n_resamples=5, **options).rows}


def test_its_numbers_are_those_of_the_measures_over_the_same_prompts():
    ideal = varied(12, seed=5, reward=0.5)
    found = rows(varied(reward=0.1), varied(seed=1, reward=0.1), yardstick=ideal)
    same = ideal.groups[:10]
    assert found["distinct_2"].yardstick == pytest.approx(distinct_n(same, 2).value)
    assert found["self_bleu_3"].yardstick == pytest.approx(self_bleu(same, 3).value)
    assert found["distinct_1 (pooled)"].yardstick == pytest.approx(distinct_n(same, 1, level="corpus").value)
    assert found["reward"].yardstick == pytest.approx(sum(map(sum, ideal.columns["reward"][:10])) / 40)


def test_the_rows_are_otherwise_the_same():
    without, with_it = rows(varied(), monotone(varied())), rows(varied(), monotone(varied()), yardstick=varied(seed=2))
    for name, row in without.items():
        assert math.isnan(row.yardstick)
        assert row.to_dict() == {**with_it[name].to_dict(), "yardstick": None}


def test_a_file_as_its_own_yardstick_has_its_own_numbers():
    for row in rows(varied(finished=0.7), monotone(varied()), yardstick=varied(finished=0.7)).values():
        assert row.yardstick == pytest.approx(row.before.value)


def test_its_groups_are_cut_to_the_size_measured():
    before, ideal = varied(n_replies=3), varied(n_replies=8, seed=4)
    ideal.groups[0][7] = "a reply that is longer than any other one of this file"
    cut = Records(ideal.prompts, [group[:3] for group in ideal.groups])
    found, expected = (rows(before, before, yardstick=records) for records in (ideal, cut))
    assert found["distinct_2"].yardstick == expected["distinct_2"].yardstick
    assert found["length"].yardstick != expected["length"].yardstick


def test_prompts_that_it_cannot_serve_are_left_out_and_noted():
    ideal = varied(seed=4)
    small = Records(ideal.prompts[:8], [ideal.groups[0][:1], *ideal.groups[1:8]])
    found = compare(varied(), varied(seed=1), yardstick=small, n_resamples=5)
    by_name = {row.name: row for row in found.rows}
    assert by_name["distinct_2"].yardstick == pytest.approx(distinct_n(ideal.groups[1:8], 2).value)
    assert math.isnan(by_name["distinct_2 (pooled)"].yardstick)
    assert any("enough replies to 7 of the 10 prompts" in note for note in found.notes)


def test_where_selects_its_replies_too_unless_it_has_no_such_column():
    before = varied(finished=1.0)
    ideal = varied(n_replies=6, seed=4, finished=1.0)
    ideal.columns["finished"][0][0] = 0.0
    chosen = rows(before, before, where="finished", yardstick=ideal)["distinct_1"].yardstick
    plain = rows(before, before, where="finished", yardstick=Records(ideal.prompts, ideal.groups))[
        "distinct_1"
    ].yardstick
    assert chosen == pytest.approx(distinct_n([ideal.groups[0][1:5], *(g[:4] for g in ideal.groups[1:])], 1).value)
    assert plain == pytest.approx(distinct_n([group[:4] for group in ideal.groups], 1).value)


def test_a_column_called_length_is_not_taken_for_the_length():
    ideal = varied(seed=4)
    ideal.columns["length"] = [[999.0] * 4 for _ in ideal.groups]
    assert rows(varied(), varied(), yardstick=ideal)["length"].yardstick < 20


def test_it_is_shown_only_where_there_is_one():
    with_it = compare(varied(), varied(seed=1), yardstick=varied(seed=2), n_resamples=5)
    without = compare(varied(), varied(seed=1), n_resamples=5)
    assert ["Yardstick" in render(comparison, {}) for comparison in (with_it, without)] == [True, False]
    drawn = [
        {line.get_marker() for axes in diversity_figure(comparison).axes for line in axes.lines}
        for comparison in (with_it, without)
    ]
    assert drawn[0] - drawn[1] == {"|"}


@pytest.mark.parametrize(
    ("ideal", "message"),
    [
        (Records([""], [["a", "b"]], has_prompts=False), "The yardstick holds replies without prompts"),
        (Records(["other"], [["a", "b"]]), "The yardstick has no reply to any prompt that both files have"),
    ],
)
def test_one_that_cannot_be_set_beside_is_refused(ideal, message):
    with pytest.raises(DataError, match=message):
        compare(varied(), varied(), yardstick=ideal)
