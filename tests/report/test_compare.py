"""Tests of hfdiv/report/compare.py: two files in, an honest comparison out."""

import json
import math
import random
import warnings
from dataclasses import replace
from functools import partial

import pytest

from hfdiv.data import DataError, Records
from hfdiv.diversity import distinct_n, self_bleu
from hfdiv.report import compare as compare_fully
from tests.report.files import monotone, varied


compare = partial(compare_fully, n_resamples=100)


def rows(*sides, **options):
    return {row.name: row for row in compare(*sides, **options).rows}


def same(some, others):
    """NaN equals NaN here: what is undefined on both sides is no difference."""
    return repr(some) == repr(others)


def test_a_file_against_itself_shows_no_change_anywhere():
    records = varied(reward=0.5)
    for row in rows(records, records).values():
        assert (row.difference.value, row.difference.low, row.difference.high) == (0, 0, 0)
        assert row.before == row.after
        assert (row.verdict, row.change) == ("unclear", "no clear change")


def test_a_planted_change_is_found_with_its_direction():
    found = rows(monotone(varied()), varied())
    for name in ("distinct_1", "distinct_2", "distinct_2 (pooled)", "ngram_entropy_2"):
        assert (found[name].verdict, found[name].change) == ("up", "more varied")
    for name in ("self_bleu_2", "self_bleu_4"):
        assert (found[name].verdict, found[name].change) == ("down", "more varied")
        assert found[name].difference.value < 0


def test_swapping_the_files_turns_every_difference_around():
    there, back = rows(monotone(varied()), varied(seed=3)), rows(varied(seed=3), monotone(varied()))
    for name, row in there.items():
        assert row.difference.value == pytest.approx(-back[name].difference.value)
        assert {row.verdict, back[name].verdict} in ({"up", "down"}, {"unclear"})


def test_the_values_are_those_of_the_measures():
    before, after = monotone(varied()), varied(seed=1)
    found = rows(before, after)
    assert found["distinct_2"].before.value == pytest.approx(distinct_n(before.groups, 2).value)
    assert found["self_bleu_4"].after.value == pytest.approx(self_bleu(after.groups, 4).value)
    pooled = distinct_n(after.groups, 1, level="corpus")
    assert found["distinct_1 (pooled)"].after.value == pytest.approx(pooled.value)
    assert found["distinct_1 (pooled)"].signature == pooled.signature


def test_the_order_of_prompts_changes_nothing():
    before, after = varied(reward=0.5), varied(seed=1, reward=0.7)

    def shuffled(records, seed):
        order = random.Random(seed).sample(range(len(records.prompts)), len(records.prompts))
        columns = {name: [values[i] for i in order] for name, values in records.columns.items()}
        return Records([records.prompts[i] for i in order], [records.groups[i] for i in order], columns)

    assert same(compare(before, after).rows, compare(shuffled(before, 1), shuffled(after, 2)).rows)


def test_prompts_of_one_file_only_are_left_out_and_noted():
    before, after = varied(10), varied(10, seed=1)
    fewer = Records(["new", *after.prompts[3:]], [["a b"], *after.groups[3:]])
    found = compare(before, fewer, names=("old", "new"))
    assert same(found.rows, compare(Records(before.prompts[3:], before.groups[3:]), fewer).rows)
    assert "Prompts left out because only one file has them: 3 in 'old', 1 in 'new'." in found.notes
    assert (found.counts["prompts"], found.counts["prompts_only_before"], found.counts["prompts_only_after"]) == (
        7,
        3,
        1,
    )


def test_unequal_groups_are_cut_to_the_first_replies_and_noted():
    before, after = varied(8, n_replies=6), varied(8, n_replies=4, seed=1)
    found = compare(before, after)
    cut = Records(before.prompts, [group[:4] for group in before.groups])
    rows_of_cut = compare(cut, after).rows_of("diversity")
    assert same(found.rows_of("diversity"), rows_of_cut)
    assert any("left out for that: 16 in 'before', 0 in 'after'" in note for note in found.notes)
    assert (found.counts["replies_measured"], found.counts["largest_group"]) == (32, 4)
    # quality stays a mean over all replies
    length = next(row for row in found.rows if row.name == "length")
    assert length.before.value == pytest.approx(
        sum(len(reply.split()) for group in before.groups for reply in group) / before.n_responses
    )


def test_equal_files_have_no_notes():
    assert compare(varied(), varied(seed=1)).notes == []


def test_where_selects_for_diversity_and_never_for_quality():
    before, after = (
        varied(12, n_replies=6, finished=0.8, reward=0.5),
        varied(12, n_replies=6, seed=1, finished=0.6, reward=0.5),
    )
    found = compare(before, after, where="finished")
    plain = compare(before, after)
    assert same(found.rows_of("quality"), plain.rows_of("quality"))
    assert not same(found.rows_of("diversity"), plain.rows_of("diversity"))
    n_finished = sum(map(sum, before.columns["finished"]))
    assert any(f"{n_finished:.0f} of 72 in 'before'" in note for note in found.notes)
    by_hand = compare(before.where("finished"), after.where("finished"))
    assert same(found.rows_of("diversity"), by_hand.rows_of("diversity"))


def test_a_prompt_that_where_empties_on_one_side_is_left_out_of_diversity_only():
    before, after = varied(8, finished=1.0), varied(8, seed=1, finished=1.0)
    after.columns["finished"][2] = [0.0] * 4
    found = compare(before, after, where="finished")
    by_name = {row.name: row for row in found.rows}
    assert (by_name["distinct_1"].n_counted, by_name["length"].n_counted) == (7, 8)
    assert "Prompts left out of the diversity measures because a side has no reply to measure: 1." in found.notes
    assert len(found.samples) == 7


def test_missing_values_of_a_column_are_left_out_in_pairs():
    before, after = varied(8, reward=0.5), varied(8, seed=1, reward=0.5)
    before.columns["reward"][0] = [math.nan] * 4
    before.columns["reward"][1] = [1.0, math.nan, math.nan, 0.0]
    row = rows(before, after)["reward"]
    assert row.n_counted == 7
    assert row.pairs[1][0] == 0.5


def test_columns_of_one_file_only_and_infinite_values_are_noted():
    before, after = varied(8, reward=0.5, old=0.5), varied(8, seed=1, reward=0.5)
    before.columns["reward"][0][0] = math.inf
    notes = compare(before, after, names=("A", "B")).notes
    assert notes == [
        "Columns left out because only 'A' has them: 'old'.",
        "Infinite values left out of the means of 'reward': 1 in 'A', 0 in 'B'.",
    ]


def test_few_prompts_make_no_claim():
    found = compare(monotone(varied(5)), varied(5))
    assert {row.verdict for row in found.rows} == {"unclear"}
    assert any("only 5 prompts" in note for note in found.notes)
    assert {row.name: row for row in found.rows}["distinct_1"].difference.low > 0


@pytest.mark.parametrize("n_prompts", [1, 2])
def test_one_prompt_is_measured_without_an_interval_and_without_a_warning(n_prompts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = rows(varied(n_prompts), varied(n_prompts, seed=1))["distinct_1"]
    assert 0 < row.before.value <= 1
    assert math.isnan(row.difference.low) == (n_prompts == 1)


def test_replies_of_any_kind_are_compared_without_a_warning(any_texts):
    records = Records([f"p{i}" for i in range(len(any_texts))], [[text, text[:3], ""] for text in any_texts])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare(records, records)
    json.dumps(found.to_dict(), allow_nan=False)
    assert {row.difference.value for row in found.rows if row.n_counted} == {0}


def test_samples_are_spread_over_the_first_file_and_show_what_was_measured():
    before, after = varied(20, n_replies=3), varied(20, n_replies=2, seed=1)
    samples = compare(before, after, n_samples=3).samples
    assert [sample.prompt for sample in samples] == ["question 0", "question 10", "question 19"]
    assert (samples[1].before, samples[1].after) == (before.groups[10][:2], after.groups[10])
    assert compare(before, after, n_samples=0).samples == []
    assert len(compare(before, after, n_samples=99).samples) == 20


def test_settings_say_how_to_get_the_same_numbers_again():
    records = varied()
    found = compare(records, records, tokenizer="whitespace", n_resamples=50, seed=3)
    assert found.settings["tokenizer"] == "whitespace.1"
    assert (found.settings["n_resamples"], found.settings["seed"], found.settings["where"]) == (50, 3, None)
    assert "tok:whitespace.1" in found.rows[0].signature


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"has_prompts": False}, {}, DataError, "'after' holds replies without prompts"),
        ({"prompts": [f"other {i}" for i in range(10)]}, {}, DataError, "no prompt in common"),
        ({}, {"where": "polite"}, DataError, "'before': There is no column 'polite'"),
        (
            {"columns": {"finished": [[0.0] * 4] * 10}},
            {"where": "finished"},
            DataError,
            "'after' has no reply to measure",
        ),
        ({}, {"n_resamples": 0}, ValueError, "n_resamples.*got 0"),
        ({}, {"n_samples": -1}, ValueError, "n_samples.*got -1"),
        ({}, {"names": ("one",)}, ValueError, r"`names` must be two.*\('one',\)"),
        ({}, {"names": "ab"}, ValueError, "`names` must be two"),
        ({}, {"tokenizer": "words"}, ValueError, "tokenizer.*'words'"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_reason(change, options, error, message):
    before = varied(finished=1.0)
    with pytest.raises(error, match=message):
        compare(before, replace(before, **change), **options)


def test_no_prompt_with_replies_on_both_sides_is_refused():
    before, after = varied(2, finished=1.0), varied(2, finished=1.0)
    before.columns["finished"][0], after.columns["finished"][1] = [0.0] * 4, [0.0] * 4
    with pytest.raises(DataError, match="No prompt has a reply on both sides whose 'finished' is true"):
        compare(before, after, where="finished")
