import importlib.util
import logging
import sys
from types import SimpleNamespace

import pytest
import torch

from hfdiv.trainer import attention
from hfdiv.trainer.attention import check_liger, resolve_attention
from tests.trainer.tiny import tiny_model_folder


@pytest.fixture
def gpu(monkeypatch):
    """Make believe that there is a GPU, and that these packages are installed."""

    def use(*packages):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(
            attention.importlib.util, "find_spec", lambda name: SimpleNamespace() if name in packages else None
        )

    return use


@pytest.mark.parametrize("choice", [None, "eager", "sdpa", "flash_attention_2"])
def test_an_explicit_choice_is_kept(choice, gpu):
    gpu()
    assert resolve_attention(choice, "a-model", half_precision=False, use_cpu=True) == choice


def test_an_explicit_choice_that_cannot_be_had_fails_where_the_model_is_loaded():
    if importlib.util.find_spec("flash_attn") or importlib.util.find_spec("kernels"):
        pytest.skip("FlashAttention is installed")
    with pytest.raises(ImportError, match="FlashAttention2"):
        attention._load_empty(tiny_model_folder(), "flash_attention_2")
    assert attention._load_empty(tiny_model_folder(), "eager").config._attn_implementation == "eager"


@pytest.mark.parametrize(
    ("packages", "half", "use_cpu"),
    [((), True, False), (("flash_attn",), False, False), (("kernels",), True, True)],
)
def test_auto_is_torch_s_own_where_flash_attention_cannot_run(gpu, monkeypatch, packages, half, use_cpu):
    gpu(*packages)
    monkeypatch.setattr(attention, "_load_empty", lambda *_: pytest.fail("tried"))
    assert resolve_attention("auto", "a-model", half, use_cpu) == "sdpa"


def test_auto_is_torch_s_own_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_attention("auto", "a-model", half_precision=True) == "sdpa"


@pytest.mark.parametrize("package", ["flash_attn", "kernels"])
def test_auto_is_flash_attention_where_it_loads(gpu, monkeypatch, package):
    gpu(package)
    tried = []
    monkeypatch.setattr(attention, "_load_empty", lambda *arguments: tried.append(arguments))
    assert resolve_attention("auto", "a-model", half_precision=True) == "flash_attention_2"
    assert tried == [("a-model", "flash_attention_2")]


def test_auto_falls_back_with_a_warning_where_it_does_not_load(gpu, monkeypatch, caplog):
    def fail(*_):
        raise ImportError("FlashAttention2 is broken here")

    gpu("flash_attn")
    monkeypatch.setattr(attention, "_load_empty", fail)
    with caplog.at_level(logging.WARNING, logger="hfdiv"):
        assert resolve_attention("auto", "a-model", half_precision=True) == "sdpa"
    assert "a-model" in caplog.text
    assert "FlashAttention2 is broken here" in caplog.text


def test_liger_is_refused_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="needs a CUDA device"):
        check_liger(True)
    assert check_liger(False) is None


def test_liger_on_a_gpu_needs_its_package(gpu, monkeypatch):
    gpu()
    monkeypatch.setitem(sys.modules, "liger_kernel", None)
    with pytest.raises(ImportError, match="liger"):
        check_liger(True)
    with pytest.raises(ValueError, match="on the CPU"):
        check_liger(True, use_cpu=True)
    monkeypatch.setitem(sys.modules, "liger_kernel", SimpleNamespace())
    assert check_liger(True) is None
