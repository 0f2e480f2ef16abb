"""`hfdiv generate` with a real vLLM: in this process, and served over HTTP."""

import dataclasses
import inspect

import pytest

from hfdiv.generation import DecodingConfig
from hfdiv.generation.backends import Asked, Failure, Limits, Source, SourceError, Wanted, ask, replies_of_vllm
from tests.generation import fake_vllm
from tests.serving_vllm.test_server import client  # noqa: F401 - a fixture


PROMPTS = ["Name a fruit.", "Write the first line of a story about the sea.", "海是什么？"]
CHATS = [[{"role": "user", "content": prompt}] for prompt in PROMPTS]
GREEDY = {
    "plain": {},
    "dry": {"dry_multiplier": 2.0, "dry_allowed_length": 1},
    "window": {"repetition_penalty": 1.5, "repetition_window": 16},
    "history": {"history_multiplier": 5.0, "history_allowed_length": 1},
}
HISTORY = ["The sun set over the horizon, casting a warm glow over the ocean."]


def config_of(**settings):
    return DecodingConfig(max_new_tokens=16, **settings)


@pytest.fixture(scope="module")
def by_transformers(model_folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from hfdiv.generation import generate_replies

    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype="float32").eval()
    tokenizer = AutoTokenizer.from_pretrained(model_folder)

    def write(**settings):
        histories = [HISTORY] * len(CHATS)
        config = config_of(do_sample=False, **settings)
        return [r.responses[0] for r in generate_replies(model, tokenizer, CHATS, config, histories=histories)]

    return write


def test_the_stand_in_has_the_names_of_the_real_one():
    import vllm
    from vllm.outputs import CompletionOutput, RequestOutput

    real = set(vllm.SamplingParams.__struct_fields__)
    assert {field.name for field in dataclasses.fields(fake_vllm.SamplingParams)} <= real
    assert {field.name for field in dataclasses.fields(fake_vllm.CompletionOutput)} <= {
        field.name for field in dataclasses.fields(CompletionOutput)
    }
    assert {"request_id", "prompt_token_ids", "outputs", "finished"} <= set(
        inspect.signature(RequestOutput.__init__).parameters
    )
    fake, true = (inspect.signature(each.generate).parameters for each in (fake_vllm.LLM, vllm.LLM))
    assert set(fake) <= set(true)


@pytest.mark.parametrize("name", GREEDY)
def test_vllm_here_writes_what_transformers_writes(llm, by_transformers, name):
    config = config_of(do_sample=False, **GREEDY[name])
    found = list(replies_of_vllm(llm, CHATS, config, histories=[HISTORY] * 3))
    assert [replies.responses[0] for replies in found] == by_transformers(**GREEDY[name])


def test_replies_here_differ_and_are_drawn_again_from_the_same_seed(llm):
    config = config_of(num_return_sequences=4, xtc_probability=0.5, seed=3)
    first = list(replies_of_vllm(llm, CHATS, config))
    assert [replies.responses for replies in first] == [
        replies.responses for replies in replies_of_vllm(llm, CHATS, config, batch_size=1)
    ]
    assert all(len(set(replies.responses)) == 4 for replies in first)


def test_the_likely_ones_are_known_here(llm):
    (kept,) = replies_of_vllm(
        llm, CHATS[:1], config_of(num_return_sequences=1), n_written=3, choose=lambda replies: [0, 1]
    )
    assert all(number < 0 for number in kept.log_probabilities)


def source_of(client, **settings):  # noqa: F811
    url = str(client.base_url)
    return Source(url, "smollm2", config_of(**settings), "vllm")


def asked_of(client, log_probabilities=False, **settings):  # noqa: F811
    asked = [Asked(chat, earlier=HISTORY, log_probabilities=log_probabilities) for chat in CHATS]
    source = source_of(client, **settings)
    items = ask([source], asked, [Wanted(place, 0) for place in range(3)], limits=Limits(timeout=300, retries=0))
    return {item.place: item.choices for item in items}


@pytest.mark.parametrize("name", GREEDY)
def test_the_server_writes_what_transformers_writes(client, by_transformers, name):  # noqa: F811
    found = asked_of(client, do_sample=False, **GREEDY[name])
    assert [found[place].responses[0] for place in range(3)] == by_transformers(**GREEDY[name])


def test_several_replies_of_the_server_differ_and_have_log_probabilities(client):  # noqa: F811
    settings = {"num_return_sequences": 3, "top_n_sigma": 1.5, "seed": 1}
    found = asked_of(client, log_probabilities=True, **settings)
    assert found == asked_of(client, log_probabilities=True, **settings)
    for choices in found.values():
        assert len(set(choices.responses)) == 3
        assert all(number < 0 for number in choices.log_probabilities)


def test_a_wrong_model_and_a_prompt_that_is_too_long(client):  # noqa: F811
    wrong = Source(str(client.base_url), "nobody", config_of(), "vllm")
    with pytest.raises(SourceError, match="status 404: The model `nobody` does not exist"):
        list(ask([wrong], [Asked("Hi")], [Wanted(0, 0)]))
    (failure,) = ask([source_of(client)], [Asked("word " * 600)], [Wanted(0, 0)])
    assert isinstance(failure, Failure)
    assert "status 400" in failure.reason
    assert "tried" not in failure.reason
