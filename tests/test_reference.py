"""Our numbers on 500 real generations against those of independent implementations (python sets, nltk)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hfdiv.data import read_records
from hfdiv.diversity import distinct_n, ngram_entropy, self_bleu, seq_rep_n
from hfdiv.ngrams import Corpus


SHARED = Path(__file__).resolve().parents[1].parent / "shared"
DATA, REFERENCE = SHARED / "data/noveltybench_generations.jsonl", SHARED / "reference/noveltybench.json"

pytestmark = pytest.mark.skipif(
    not (DATA.is_file() and REFERENCE.is_file()), reason=f"the NoveltyBench reference is not in {SHARED}"
)


@pytest.fixture(scope="module")
def corpus():
    return Corpus(read_records(DATA).groups, tokenizer="whitespace")


@pytest.fixture(scope="module")
def reference():
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


def floats(values):
    return [math.nan if value is None else value for value in values]


def assert_equal(got, expected):
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


def test_the_data_is_what_the_reference_was_computed_on(corpus):
    assert corpus.group_sizes.tolist() == [10] * 50


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_distinct_n(corpus, reference, n):
    expected = reference[f"distinct_{n}"]
    assert_equal(distinct_n(corpus, n, level="corpus").value, expected["corpus"])

    responses = distinct_n(corpus, n, level="response")
    assert_equal(responses.value, expected["per_response_mean"])
    assert responses.n_counted == expected["per_response_counted"]

    groups = distinct_n(corpus, n)
    assert_equal(groups.value, expected["per_group_mean"])
    assert_equal(groups.values, floats(expected["per_group"]))
    assert groups.n_counted == expected["per_group_counted"]
    assert groups.n_total == 50


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_ngram_entropy(corpus, reference, n):
    assert_equal(ngram_entropy(corpus, n, level="corpus").value, reference[f"entropy_{n}_nats"])


@pytest.mark.parametrize("n", [2, 3, 4])
def test_seq_rep_n(corpus, reference, n):
    score = seq_rep_n(corpus, n)
    assert_equal(score.value, reference[f"seq_rep_{n}"]["mean"])
    assert score.n_counted == reference[f"seq_rep_{n}"]["counted"]


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_self_bleu(corpus, reference, n):
    score = self_bleu(corpus, n)
    assert_equal(score.value, reference["self_bleu"][f"{n}_per_group_mean"])
    assert_equal(score.values, floats(reference["self_bleu"][f"{n}_per_group"]))


def test_pooled_self_bleu(corpus, reference):
    expected = reference["self_bleu"]["4_pooled_over_all_texts_for_text_index"]
    values = self_bleu(corpus, 4, level="corpus").values
    assert len(expected) == 20
    assert_equal([values[int(index)] for index in expected], list(expected.values()))
