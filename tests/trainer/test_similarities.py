import numpy as np
import pytest

from hfdiv import DiverseGRPOTrainer
from hfdiv.similarity import BleuSimilarity, EmbeddingSimilarity, NgramSimilarity, PartitionSimilarity
from hfdiv.trainer import similarities
from hfdiv.trainer.similarities import cosine_kernels, group_similarities, similarity_of
from tests.trainer.runs import build, logged, run
from tests.trainer.tiny import settings


GROUPS = [["red green blue", "red green one", "two"], ["yes no yes", "yes no yes", "red green blue"]]


def letters(texts):
    """Counts of a few letters, as an embedding; remembers what it was asked."""
    letters.asked.append(list(texts))
    return np.array([[1.0 + text.count(letter) for letter in "reny"] for text in texts])


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    letters.asked = []
    monkeypatch.setattr(similarities, "load_encoder", lambda name, device: letters)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, NgramSimilarity),
        ({"diversity_similarity": "bleu"}, BleuSimilarity),
        ({"diversity_similarity": "embedding", "diversity_encoder": "here"}, EmbeddingSimilarity),
        ({"diversity_similarity": "partition"}, PartitionSimilarity),
    ],
)
def test_a_config_names_its_similarity(options, kind):
    similarity = similarity_of(settings(diversity_tokenizer="whitespace", diversity_ngram_size=1, **options))
    assert isinstance(similarity, kind)
    matrices = group_similarities(GROUPS, similarity)
    for texts, matrix in zip(GROUPS, matrices, strict=True):
        assert matrix == pytest.approx(similarity(texts))
    assert matrices[1][0, 1] == pytest.approx(1.0)
    assert matrices[1][0, 2] < 1.0


def test_a_partition_is_by_the_encoder_where_there_is_one():
    options = {"diversity_similarity": "partition", "diversity_threshold": 0.99}
    by_ngrams, by_encoder = (
        similarity_of(settings(**options)),
        similarity_of(settings(diversity_encoder="x", **options)),
    )
    assert by_ngrams(["yes no", "no yes"])[0, 1] == 0
    assert by_encoder(["yes no", "no yes"])[0, 1] == 1


def test_each_different_text_is_encoded_once_a_generation():
    group_similarities(GROUPS, EmbeddingSimilarity(letters))
    assert letters.asked == [["red green blue", "red green one", "two", "yes no yes"]]


def test_the_policys_own_is_no_function_of_texts():
    assert similarity_of(settings(diversity_similarity="policy")) is None


def test_an_embedding_needs_an_encoder():
    with pytest.raises(ValueError, match="needs `diversity_encoder`, .* got None"):
        build(DiverseGRPOTrainer, settings(diversity_similarity="embedding"))


def test_a_similarity_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"must return \(3, 3\) for 3 texts, got \(3,\)"):
        group_similarities(GROUPS, lambda texts: np.ones(len(texts)))


def test_cosines_below_zero_count_as_zero_and_what_is_undefined_stays_so():
    (kernel,) = cosine_kernels([np.array([[1.0, 0.0], [-1.0, 0.0], [np.nan, np.nan]])])
    assert kernel[:2, :2].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert np.isnan(kernel[2]).all()


@pytest.mark.parametrize("name", ["bleu", "embedding", "partition"])
def test_a_trainer_runs_on_it(name):
    options = {"diversity_similarity": name, "diversity_encoder": "x", "diversity_ngram_size": 1}
    trainer = run(DiverseGRPOTrainer, settings(max_steps=1, diversity_finished_only=False, **options))
    assert 0 <= logged(trainer, "diversity/novelty")[0] <= 1
