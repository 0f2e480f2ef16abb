import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.rewards import FormatGuard, LengthGuard


def score(guard, *texts):
    return guard(prompts=["?"] * len(texts), completions=list(texts), completion_ids=[[]] * len(texts))


def test_length_by_hand():
    guard = LengthGuard(minimum=2, maximum=4)
    assert score(guard, "", "a", "a b", "a b c d", "a b c d e", "a " * 8, "a " * 100) == [
        -1,
        -0.5,
        0,
        0,
        -0.25,
        -1,
        -1,
    ]
    assert score(guard, "好的", "好", "👍") == [0, -0.5, -0.5]
    assert score(LengthGuard(), "", "a", "a " * 1000) == [-1, 0, 0]
    assert score(LengthGuard(minimum=0, maximum=1), "", "a b") == [0, -1]


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 20))
def test_length_is_the_relative_distance_to_the_bounds(minimum, more, length):
    maximum = max(minimum + more, 1)
    nearest = min(max(length, minimum), maximum)
    expected = 0.0 if length == nearest else -min(abs(length - nearest) / nearest, 1.0)
    assert score(LengthGuard(minimum, maximum), "a " * length) == pytest.approx([expected])


def test_the_pattern_is_searched_in_the_whole_reply():
    assert score(FormatGuard(r"[.?!。]\s*\Z"), "Done.", "Done. And", "好。\n", "") == [0, -1, 0, -1]
    assert score(FormatGuard(r"\A(?s:(?!.*As an AI).*)\Z"), "Yes.\nNo.", "Yes.\nAs an AI", "") == [0, -1, 0]
    assert score(FormatGuard(r"\p{Han}"), [{"role": "assistant", "content": "好"}], "ok") == [0, -1]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`minimum` must be at least 0, got -1"):
        LengthGuard(minimum=-1)
    with pytest.raises(ValueError, match=r"`maximum` must be at least 1 and not below `minimum` \(3\), got 2"):
        LengthGuard(minimum=3, maximum=2)
    with pytest.raises(ValueError, match="`maximum` must be at least 1"):
        LengthGuard(minimum=0, maximum=0)
    with pytest.raises(ValueError, match=r"`pattern` is no regular expression: .*, got '\('"):
        FormatGuard("(")
