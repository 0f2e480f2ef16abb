import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data.cache import CacheConfig
from hfdiv.data.cache.keep import Added, Stored, judge
from hfdiv.data.cache.key import sentence_hash
from hfdiv.similarity import NgramSimilarity


WORDS = NgramSimilarity(1, "whitespace")


def stored(*answers):
    return [Stored(place, sentence_hash(text), quality, text) for place, (text, quality) in enumerate(answers)]


def asked(answers, text, quality=0.0, similarity=WORDS, **settings):
    return judge(stored(*answers), text, quality, CacheConfig(**settings), similarity)


def test_the_first_and_a_different_one_are_kept():
    assert asked([], "a b c").reason == "it is the first"
    assert asked([("a b c", 0)], "d e f").reason == "it is different"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_answer_is_not(text):
    assert asked([], text) == (False, "it is empty", (), None)


def test_the_gate_of_quality():
    assert asked([], "a", 0.5, min_quality=0.5).kept
    assert asked([], "a", 0.4, min_quality=0.5).reason == "its quality is below 0.5 (0.4)"
    assert asked([("b", 1), ("a", 1)], "A", 0.4, min_quality=0.5).dropped == (1,)
    with pytest.raises(ValueError, match="`min_quality` is 0.5, so that each answer needs a `quality`"):
        asked([], "a", None, min_quality=0.5)


def test_the_same_sentence_is_known():
    assert asked([("x y", 0), ("A b  c", 1)], "a B c", 0.2) == (True, "it was stored already", (), 1)


def test_of_copies_the_better_stays_and_of_equals_the_first():
    copies = [("a b c d", 0.5), ("x y", 0.9), ("a b c e", 0.4)]
    assert asked(copies, "a b c f", 0.6).dropped == (0, 2)
    assert asked(copies, "a b c f", 0.5).reason == "too like one that is stored (0.60)"
    assert asked(copies, "a b c f", 0.5, max_similarity=0.7).reason == "it is different"
    assert asked(copies, "a b c f", None).kept is False


def test_what_cannot_be_compared_is_different():
    assert asked([("Yes.", 1)], "No.", similarity=NgramSimilarity(5)).reason == "it is different"


def test_a_single_word_is_not_put_aside_for_a_worse_answer():
    assert asked([("Yes", 1)], "Not today, I am afraid.", 0.5, NgramSimilarity(), k=1).kept is False
    assert asked([("Yes", 0.5)], "Not today, I am afraid.", 1, NgramSimilarity(), k=1).dropped == (0,)


def test_a_similarity_of_one_direction_counts_both_ways():
    within = NgramSimilarity(1, "whitespace", kind="containment")
    assert asked([("a b c d e f", 0)], "a b", similarity=within).kept is False
    assert asked([("a b", 0)], "a b c d e f", similarity=within).kept is False


def test_of_more_than_k_the_good_ones_that_differ_stay():
    full = [("a b c d", 1.0), ("a b e f", 0.5), ("x y z", 0.9)]
    assert asked(full, "g h i j", 0.8, k=3) == (True, "it is better or more different than another", (1,), None)
    assert asked(full, "a c x f", 0.0, k=3).reason == "3 better or more different ones are stored"
    assert asked(full, "g h i j", 0.1, k=3, trade_off=1.0).kept is False
    assert asked(full, "g h i j", 0.1, k=3, method="max_min").dropped == (1,)
    assert asked(full, "g h i j", 0.8, k=3, method="dpp").dropped == (1,)


def test_a_smaller_k_removes_nothing_of_what_others_keep():
    full = [("a b", 1.0), ("c d", 0.5), ("e f", 0.9)]
    assert len(asked(full, "g h", 0.8, k=1).dropped) == 1
    assert asked(full, "g h", 0.1, k=1, trade_off=1.0).kept is False


def test_a_similarity_of_a_wrong_shape_is_told():
    with pytest.raises(ValueError, match=r"must return \(2, 2\), got \(1, 1\)"):
        asked([("a", 0)], "b", similarity=lambda texts: np.ones((1, 1)))


def test_added_is_true_where_it_is_stored():
    assert Added(True, "it is different")
    assert not Added(False, "it is empty")


@given(
    st.lists(st.tuples(st.text("abcd 中👍", max_size=12), st.floats(-1, 1)), max_size=25),
    st.integers(1, 4),
    st.sampled_from(["mmr", "max_min", "dpp"]),
)
def test_what_is_kept_is_at_most_k_and_different(offers, k, method):
    config = CacheConfig(k=k, method=method, max_similarity=0.6)
    similarity, kept = NgramSimilarity(1, "char"), []
    for place, (text, quality) in enumerate(offers):
        verdict = judge(kept, text, quality, config, similarity)
        assert verdict.kept or not verdict.dropped
        kept = [answer for answer in kept if answer.id not in verdict.dropped]
        if verdict.kept and verdict.same is None:
            kept.append(Stored(place, sentence_hash(text), quality, text))
    assert len(kept) <= k
    alike = similarity([answer.text for answer in kept]) if kept else np.zeros((0, 0))
    np.fill_diagonal(alike, 0)
    assert not (alike >= 0.6).any()
    assert bool(kept) == any(text.strip() for text, _ in offers)
