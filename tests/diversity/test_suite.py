import math

import pytest

from hfdiv.diversity import distinct_n, measure, ngram_entropy, self_bleu, seq_rep_n
from hfdiv.diversity.suite import HIGHER_IS_LESS_VARIED
from hfdiv.text import Tokenizer


NAMES = [
    *(f"distinct_{n}" for n in (1, 2, 3, 4)),
    *(f"ngram_entropy_{n}" for n in (1, 2, 3, 4)),
    *(f"self_bleu_{n}" for n in (2, 3, 4, 5)),
    *(f"seq_rep_{n}" for n in (2, 3, 4)),
]


@pytest.mark.parametrize("level", [None, "corpus", "group"])
def test_each_score_is_that_of_its_function(english, chinese, emoji, level):
    groups = [english, chinese, emoji]
    scores = measure(groups, level=level)
    assert list(scores) == NAMES
    for name, score in scores.items():
        kind, n = name.rsplit("_", 1)
        if kind == "seq_rep":
            alone = seq_rep_n(groups, int(n))
        else:
            function = {"distinct": distinct_n, "ngram_entropy": ngram_entropy, "self_bleu": self_bleu}[kind]
            alone = function(groups, int(n), level=level)
        assert score == alone
        assert score.name == name


def test_texts_are_tokenized_once():
    seen = []

    def split(text):
        seen.append(text)
        return text.split()

    measure([["a b", "c"], ["d"]], tokenizer=Tokenizer("spy", "1", split))
    assert seen == ["a b", "c", "d"]


def test_directions():
    same = measure([["no no no no no no, never"] * 4])
    varied = measure(
        [["the cat sat on a mat", "dogs run in our old park", "why not sing this song", "we eat fresh red plums"]]
    )
    for name in NAMES:
        assert (same[name].value > varied[name].value) == name.startswith(HIGHER_IS_LESS_VARIED), name
        assert same[name].value != varied[name].value


@pytest.mark.parametrize("texts", [[""], [[]], [["", " "], []]])
def test_without_a_word_every_score_is_nan(texts):
    scores = measure(texts)
    assert list(scores) == NAMES
    assert all(math.isnan(score.value) and score.n_counted == 0 for score in scores.values())


def test_a_level_that_one_measure_lacks_is_refused():
    with pytest.raises(ValueError, match='`level` must be "corpus" or "group"'):
        measure(["a", "b"], level="response")
