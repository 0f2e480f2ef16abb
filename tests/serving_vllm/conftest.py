"""These tests run in an environment with vLLM, on SmolLM2: `make test-vllm`."""

import importlib.util
import os

import pytest


def pytest_collection_modifyitems(items):
    if importlib.util.find_spec("vllm") is None:
        here = os.path.dirname(__file__)
        for item in items:
            if str(item.path).startswith(here):
                item.add_marker(pytest.mark.skip(reason="vLLM is not installed: `make test-vllm`"))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """SmolLM2-135M-Instruct as a folder that vLLM loads."""
    from hfdiv.demo.model import load_model

    folder = str(tmp_path_factory.mktemp("smollm2"))
    model, tokenizer = load_model()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def llm(model_folder):
    """vLLM in this process, with the processor that its entry point brings."""
    from vllm import LLM

    return LLM(model_folder, dtype="float32", enforce_eager=True, max_model_len=512, max_num_seqs=8)
