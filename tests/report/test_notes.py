"""Tests of hfdiv/report/notes.py: what was left out is said, and nothing else."""

import pytest

from hfdiv.data import Records
from hfdiv.report.notes import write_notes
from hfdiv.report.pairing import equal_groups, pair_records
from tests.report.files import varied


def notes(before, after, where=None):
    pairing = pair_records(before, after)
    selected = pairing.before.groups, pairing.after.groups
    return list(write_notes(pairing, selected, equal_groups(*selected), where, ("A", "B")))


def test_nothing_left_out_is_nothing_said():
    assert notes(varied(), varied(seed=1)) == []


def test_where_always_says_how_many_replies_it_left():
    (note,) = notes(varied(), varied(seed=1), where="finished")
    assert note.startswith(
        "Diversity is measured on the replies whose 'finished' is true: 40 of 40 in 'A', 40 of 40 in 'B'."
    )


@pytest.mark.parametrize(("n_prompts", "n_notes"), [(5, 1), (6, 0)])
def test_few_prompts_are_warned_of(n_prompts, n_notes):
    found = notes(varied(n_prompts), varied(n_prompts))
    assert len(found) == n_notes
    assert all(f"only {n_prompts} prompts" in note for note in found)


def test_each_thing_left_out_is_counted_on_its_side():
    before, after = varied(9, n_replies=3), varied(8, n_replies=5, seed=1)
    after.groups[0].clear()
    before.columns["own"] = [[0.0] * 3 for _ in before.groups]
    assert [note.split(":")[-1].strip() for note in notes(before, after)] == [
        "1 in 'A', 0 in 'B'.",
        "1.",
        "3 in 'A', 14 in 'B'.",
        "'own'.",
    ]


def test_infinite_values_are_counted_among_the_prompts_in_common():
    inf = float("inf")
    before = Records(["p", "only"], [["a"], ["b"]], {"c": [[inf], [inf]]})
    after = Records(["p"], [["a", "b"]], {"c": [[-inf, inf]]})
    assert "Infinite values left out of the means of 'c': 1 in 'A', 2 in 'B'." in notes(before, after)
