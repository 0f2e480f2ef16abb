"""What cannot run here without a GPU, held against the real base classes."""

import importlib.util
import inspect

import pytest


def test_both_of_vllm_s_loaders_take_the_class_from_its_entry_point():
    from vllm.v1.sample.logits_processor import _load_logitsprocs_plugins
    from vllm.v1.worker.gpu.sample.logits_processor.loader import _load_v2_logitsprocs_plugins

    from hfdiv.generation.vllm import DiversityLogitsProcessor

    assert DiversityLogitsProcessor in _load_logitsprocs_plugins()
    assert DiversityLogitsProcessor in _load_v2_logitsprocs_plugins()


@pytest.mark.parametrize("place", ["vllm.v1.sample.logits_processor", "vllm.v1.worker.gpu.sample.logits_processor"])
def test_the_class_has_what_each_base_class_declares(place):
    from hfdiv.generation.vllm import DiversityLogitsProcessor

    base = importlib.import_module(place).LogitsProcessor
    assert issubclass(DiversityLogitsProcessor, base)
    assert not inspect.isabstract(DiversityLogitsProcessor)
    for name, method in vars(base).items():
        if callable(method) and not name.startswith("__"):
            ours = inspect.signature(getattr(DiversityLogitsProcessor, name))
            ours.bind(*[None] * len(inspect.signature(method).parameters))


def test_the_fields_of_the_second_runner_that_are_read_exist():
    from vllm.v1.worker.gpu.sample.logits_processor.interface import LogitsContext, LogitsProcRequestState

    assert {"idx_mapping_np", "seq_lens_upper_bound_np"} <= LogitsContext.__dataclass_fields__.keys()
    assert {"all_token_ids", "prompt_len"} <= LogitsProcRequestState.__dataclass_fields__.keys()


@pytest.fixture
def processor():
    if importlib.util.find_spec("sglang") is None:
        pytest.skip("SGLang is not installed: `make test-vllm`")
    from hfdiv.generation.sglang import DiversityLogitProcessor

    return DiversityLogitProcessor


def test_sglang_reads_the_class_back_from_what_a_request_carries(processor):
    from sglang.srt.sampling.custom_logit_processor import CustomLogitProcessor

    assert issubclass(processor, CustomLogitProcessor)
    assert type(CustomLogitProcessor.from_str(processor.to_str())) is processor
    assert len(processor.to_str()) < 300  # a reference, not the code


def test_sglang_s_greedy_requests_are_known_as_such():
    pytest.importorskip("sglang")
    from sglang.srt.sampling.sampling_params import SamplingParams

    assert SamplingParams(temperature=0.0).top_k == 1
    assert {"stop_token_ids", "sampling_seed"} <= set(inspect.signature(SamplingParams).parameters)
