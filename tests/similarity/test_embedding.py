import numpy as np
import pytest

from hfdiv.similarity import EmbeddingSimilarity, load_encoder


pytest.importorskip("sentence_transformers", reason="needs the extra `similarity`")
models = pytest.importorskip("hfdiv.demo.model")


def test_a_real_encoder_finds_a_paraphrase_nearer_than_another_topic():
    try:
        folder = models.encoder_folder()
    except ImportError as error:
        pytest.skip(str(error))
    similarity = EmbeddingSimilarity(load_encoder(folder, device="cpu"))
    texts = ["Where is my parcel?", "My package has not arrived.", "The soup needs more salt.", ""]
    values = similarity(texts)
    assert values.shape == (4, 4)
    assert ((values >= 0) & (values <= 1)).all()
    assert np.allclose(values, values.T)
    assert np.allclose(np.diag(values), 1.0, atol=1e-5)
    assert values[0, 1] > values[0, 2] + 0.2
