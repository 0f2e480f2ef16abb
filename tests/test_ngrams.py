import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.ngrams import Column, Corpus, as_corpus, check_order, pack
from hfdiv.text import Tokenizer
from tests import brute_force


CHAT = [{"role": "assistant", "content": "a b"}]


def assert_same_ngrams(texts, n):
    grams, text = Corpus(texts, "whitespace").ngrams(n)
    expected = [(index, gram) for index, each in enumerate(texts) for gram in brute_force.ngrams(each.split(), n)]
    assert text.tolist() == [index for index, _ in expected]
    pairs = set(zip(grams.values.tolist(), (gram for _, gram in expected), strict=True))
    # as many pairs as keys and as n-grams: each key is one n-gram, each n-gram one key
    assert len(pairs) == len({key for key, _ in pairs}) == len({gram for _, gram in pairs})
    assert all(0 <= key < grams.bound for key, _ in pairs)


@given(st.lists(brute_force.texts(), min_size=1, max_size=5), st.integers(1, 6))
def test_ngrams_are_those_of_brute_force(texts, n):
    assert_same_ngrams(texts, n)


@given(
    st.lists(brute_force.texts(alphabet="ab", max_words=120), min_size=1, max_size=3), st.sampled_from([62, 64, 100])
)
def test_ngrams_too_long_for_64_bits_are_renumbered(texts, n):
    assert_same_ngrams(texts, n)


def test_ngrams_never_cross_texts():
    _, text = Corpus(["a", "b", "", "c d"], "whitespace").ngrams(2)
    assert text.tolist() == [3]


@pytest.mark.parametrize("n", [0, -1, True, 2.0, "2", None, [2]])
def test_an_order_is_a_positive_integer(n):
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1, got "):
        check_order(n)
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1, got "):
        Corpus(["a"]).ngrams(n)


def test_a_numpy_integer_is_an_order():
    assert len(Corpus(["a b c"]).ngrams(np.int64(2))[1]) == 2


@st.composite
def column_pairs(draw):
    bounds = st.one_of(st.integers(1, 10), st.integers(2**62 - 10, 2**62 + 10), st.integers(1, 2**62))
    high, low = draw(bounds), draw(bounds)
    ends = [st.one_of(st.integers(0, b - 1), st.integers(0, min(b, 3) - 1), st.just(b - 1)) for b in (high, low)]
    rows = draw(st.lists(st.tuples(*ends), max_size=12))
    values = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Column(values[:, 0], high), Column(values[:, 1], low)


@given(column_pairs())
def test_pack_keeps_order_and_uniqueness_of_rows(columns):
    rows = list(zip(*(column.values.tolist() for column in columns), strict=True))
    packed = pack(*columns)
    keys = packed.values.tolist()
    assert all(0 <= key < packed.bound <= 2**63 for key in keys)
    ranks = {row: rank for rank, row in enumerate(sorted(set(rows)))}
    key_ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    assert [key_ranks[key] for key in keys] == [ranks[row] for row in rows]


def test_pack_without_need_does_not_renumber():
    packed = pack(Column(np.array([5, 0]), 6), Column(np.array([2, 9]), 10))
    assert packed.values.tolist() == [52, 9]
    assert packed.bound == 60


@pytest.mark.parametrize(
    ("texts", "nested", "group_sizes", "lengths"),
    [
        (["a b", "c"], False, [2], [2, 1]),
        (("a b", "c"), False, [2], [2, 1]),
        ([["a b"], ["c", ""]], True, [1, 2], [2, 1, 0]),
        ([("a b",), ("c", "")], True, [1, 2], [2, 1, 0]),
        ([CHAT, CHAT], False, [2], [2, 2]),
        ([[CHAT, CHAT], [CHAT]], True, [2, 1], [2, 2, 2]),
        ([CHAT, "a"], False, [2], [2, 1]),
        ([["a"], []], True, [1, 0], [1]),
        ([[]], True, [0], []),
        ((text for text in ["a b", "c"]), False, [2], [2, 1]),
        (([text] for text in ["a b", "c"]), True, [1, 1], [2, 1]),
        (np.array(["a b", "c"], dtype=object), False, [2], [2, 1]),
        (np.array(["a b", "c"]), False, [2], [2, 1]),
        ({"a b": 1, "c": 2}.keys(), False, [2], [2, 1]),
    ],
)
def test_the_shape_of_texts(texts, nested, group_sizes, lengths):
    corpus = Corpus(texts)
    assert corpus.nested is nested
    assert corpus.group_sizes.tolist() == group_sizes
    assert corpus.lengths.tolist() == lengths
    assert corpus.n_texts == len(lengths)
    assert corpus.group.tolist() == [index for index, size in enumerate(group_sizes) for _ in range(size)]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", ["b"]], "item 0 is a response and item 1 is not"),
        ([["a"], ["b"], "c"], "item 0 is a group and item 2 is not"),
        ([["a"], CHAT], "item 0 is a group and item 1 is not"),
        ("one string", "got str"),
        (5, "got int"),
        (None, "got NoneType"),
        (["a", None], "got NoneType: None"),
        ([["a", 3]], "got int: 3"),
        ([float("nan"), "a"], "got float: nan"),
        (CHAT, "got dict"),
    ],
)
def test_what_is_not_texts_is_refused(texts, message):
    with pytest.raises(TypeError, match=message):
        Corpus(texts)


@pytest.mark.parametrize("nothing", [[], (), iter([]), np.array([], dtype=object)])
def test_no_texts_is_an_error(nothing):
    with pytest.raises(ValueError, match="no texts to measure"):
        Corpus(nothing)


def test_equal_tokens_have_equal_ids_in_all_groups():
    corpus = Corpus([["a b"], ["b c a"]], "whitespace")
    assert corpus.ids.tolist() == [0, 1, 1, 2, 0]
    assert corpus.n_types == 3


def test_as_corpus_keeps_a_corpus():
    corpus = Corpus(["a"], "whitespace")
    assert as_corpus(corpus) is corpus
    assert as_corpus(corpus, "whitespace") is corpus
    assert as_corpus(["a"]).tokenizer.name == "mixed"
    assert as_corpus(["a"], "whitespace").tokenizer.name == "whitespace"


@pytest.mark.parametrize("other", ["mixed", Tokenizer("whitespace", "1", list)])
def test_as_corpus_refuses_another_tokenizer(other):
    with pytest.raises(ValueError, match=r"tokenized with 'whitespace\.1'"):
        as_corpus(Corpus(["a"], "whitespace"), other)


def test_an_empty_tokenizer_name_is_not_the_default():
    with pytest.raises(ValueError, match="`tokenizer` must be one of"):
        as_corpus(["a"], "")
