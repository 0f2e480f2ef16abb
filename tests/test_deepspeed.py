import subprocess
import sys

import pytest

from hfdiv._deepspeed import whole_weights
from hfdiv.generation import DecodingConfig
from hfdiv.rewards import Fluency
from hfdiv.similarity import load_encoder, load_pair_classifier


pytest.importorskip("torch", reason="needs the extra `similarity`")
transformers = pytest.importorskip("transformers", reason="needs the extra `similarity`")

import transformers.integrations.deepspeed as integration  # noqa: E402

from tests.similarity import test_classifier as pairs  # noqa: E402


class ZeRO3:
    """Stands in for `HfTrainerDeepSpeedConfig`, which needs DeepSpeed."""

    config = {"zero_optimization": {"stage": 3}}

    def is_zero3(self):
        return True


@pytest.fixture
def active():
    """A ZeRO-3 configuration, as it is active from the training arguments on."""
    config = ZeRO3()
    integration.set_hf_deepspeed_config(config)
    yield config
    integration.unset_hf_deepspeed_config()


def test_the_configuration_is_away_inside_and_back_afterwards(active):
    with whole_weights():
        assert not integration.is_deepspeed_zero3_enabled()
        assert integration.deepspeed_config() is None
    assert integration.is_deepspeed_zero3_enabled()
    assert integration.deepspeed_config() is active.config


def test_the_configuration_is_back_after_an_error(active):
    with pytest.raises(OSError, match="no such model"), whole_weights():
        raise OSError("no such model")
    assert integration.is_deepspeed_zero3_enabled()


def test_nothing_happens_without_a_configuration():
    with whole_weights():
        pass
    assert integration._hf_deepspeed_config_weak_ref is None


def test_a_configuration_that_is_gone_stays_gone():
    integration.set_hf_deepspeed_config(ZeRO3())  # nobody holds it
    with whole_weights():
        assert not integration.is_deepspeed_zero3_enabled()
    assert not integration.is_deepspeed_zero3_enabled()
    integration.unset_hf_deepspeed_config()


def test_transformers_is_not_imported():
    code = (
        "import sys\nfrom hfdiv._deepspeed import whole_weights\n"
        "with whole_weights():\n    pass\nassert not {'torch', 'transformers'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def encoder(folder):
    pytest.importorskip("sentence_transformers", reason="needs the extra `similarity`")
    pairs.tiny_model().save_pretrained(folder)
    pairs.tiny_tokenizer().save_pretrained(folder)
    load_encoder(folder, device="cpu")


def pair_classifier(folder):
    pairs.tiny_model().save_pretrained(folder)
    pairs.tiny_tokenizer().save_pretrained(folder)
    load_pair_classifier(folder, device="cpu")


def language_model(folder):
    tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")
    model, tokenizer = tiny.tiny_model(), tiny.tiny_tokenizer()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


def fluency(folder):
    language_model(folder)
    Fluency(folder)


def amateur(folder):
    DecodingConfig(amateur=str(folder)).load_amateur(*language_model(folder))


@pytest.mark.parametrize("load", [encoder, pair_classifier, fluency, amateur])
def test_a_model_beside_the_trained_one_is_loaded_whole(load, tmp_path, monkeypatch, active):
    from_pretrained, partitioned = transformers.PreTrainedModel.from_pretrained.__func__, []

    def watched(cls, *args, **kwargs):
        partitioned.append(integration.is_deepspeed_zero3_enabled())
        with whole_weights():  # partitioning would import DeepSpeed
            return from_pretrained(cls, *args, **kwargs)

    monkeypatch.setattr(transformers.PreTrainedModel, "from_pretrained", classmethod(watched))
    load(tmp_path)
    assert partitioned[-1:] == [False]  # the one loaded last: the files may come from a model loaded before
    assert integration.is_deepspeed_zero3_enabled()
