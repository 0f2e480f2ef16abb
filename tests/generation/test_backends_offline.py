import sys

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

from hfdiv.generation import DecodingConfig  # noqa: E402
from hfdiv.generation.backends import replies_of_vllm  # noqa: E402
from hfdiv.generation.backends.request import seed_of  # noqa: E402
from hfdiv.generation.prompts import prompt_ids  # noqa: E402
from tests.generation.fake_vllm import LLM, fake_module  # noqa: E402


PROMPTS = ["one", "two red", [{"role": "user", "content": "three"}], "no", "green"]


@pytest.fixture
def tokenizer():
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}please"
    return tokenizer


@pytest.fixture
def llm(tokenizer, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", fake_module(tokenizer))
    return LLM("tiny", tokenizer)


def test_prompts_are_given_as_the_tokens_of_the_backend_transformers(llm, tokenizer):
    list(replies_of_vllm(llm, PROMPTS))
    given = [prompt["prompt_token_ids"] for call in llm.calls for prompt, _ in call]
    assert given == [prompt_ids(prompt, tokenizer) for prompt in PROMPTS]


def test_replies_come_in_order_and_in_batches(llm):
    config = DecodingConfig(num_return_sequences=3, max_new_tokens=9)
    coming = replies_of_vllm(llm, PROMPTS, config, batch_size=2)
    first = next(coming)
    assert len(llm.calls) == 1  # the first batch is handed over before the second one is begun
    replies = [first, *coming]
    assert [len(call) for call in llm.calls] == [2, 2, 1]
    assert [each.index for each in replies] == list(range(5))
    assert [text.split()[-1] for text in first.responses] == ["0", "1", "2"]
    assert first.finished == [True, False, True]
    assert first.log_probabilities is None


@pytest.mark.parametrize("first", [1, 3, 5])
def test_replies_do_not_depend_on_where_the_work_began_or_on_the_batches(llm, first):
    config = DecodingConfig(num_return_sequences=2, seed=3)
    whole = list(replies_of_vllm(llm, PROMPTS, config))
    assert list(replies_of_vllm(llm, PROMPTS, config, first=first, batch_size=2)) == whole[first:]


def test_settings_go_by_vllms_names_and_hfdivs_penalties_as_extra_arguments(llm):
    config = DecodingConfig(max_new_tokens=9, temperature=0.7, top_k=5, min_p=0.1, dry_multiplier=0.8, seed=4)
    list(replies_of_vllm(llm, ["one"], config))
    ((_, sampling),) = llm.calls[0]
    assert (sampling.max_tokens, sampling.temperature, sampling.top_k, sampling.min_p) == (9, 0.7, 5, 0.1)
    assert sampling.seed == seed_of(4, 0, 0, 0)
    assert sampling.extra_args == {"dry_multiplier": 0.8}
    list(replies_of_vllm(llm, ["one"], DecodingConfig(do_sample=False)))
    ((_, sampling),) = llm.calls[1]
    assert (sampling.temperature, sampling.top_k, sampling.extra_args) == (0.0, -1, None)


def test_the_history_penalty_sees_the_column_and_the_messages(llm):
    chat = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "yes"}, PROMPTS[2][0]]
    config = DecodingConfig(history_multiplier=2.0)
    list(replies_of_vllm(llm, [chat, "two"], config, histories=[["no"], []]))
    (_, with_history), (_, without) = llm.calls[0]
    assert with_history.extra_args == {"history_multiplier": 2.0, "history": ["no", "yes"]}
    assert without.extra_args is None


def test_more_are_written_than_kept(llm):
    seen = []

    def choose(replies):
        seen.append(replies)
        return [2, 0]

    (kept,) = replies_of_vllm(llm, ["one"], DecodingConfig(num_return_sequences=2), n_written=4, choose=choose)
    assert seen[0].log_probabilities == [-0.5, -0.75, -1.0, -1.25]
    assert kept.responses == [seen[0].responses[2], seen[0].responses[0]]
    assert kept.log_probabilities == [-1.0, -0.5]


def test_an_engine_without_hfdivs_processors_is_found_out(llm):
    llm.with_processors = False
    with pytest.raises(ValueError, match="does not have hfdiv's logits processors, which `dry_multiplier` needs"):
        replies_of_vllm(llm, ["one"], DecodingConfig(dry_multiplier=0.8))
    assert list(replies_of_vllm(llm, ["one"], DecodingConfig(frequency_penalty=0.8)))


@pytest.mark.parametrize(
    ("prompts", "config", "message"),
    [
        (["one", ""], {}, "Prompt 1 cannot be replied to: it is empty"),
        (["one " * 64], {}, "Prompt 0 cannot be replied to: it has 64 tokens, and vLLM reads 64 at most"),
        ([[{"role": "assistant", "content": "a"}]], {}, "Prompt 0 cannot be replied to: its last message is the ass"),
        (["one"], {"contrastive_search": True}, "`contrastive_search` needs the model in this process"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(llm, prompts, config, message):
    with pytest.raises(ValueError, match=message):
        replies_of_vllm(llm, prompts, DecodingConfig(**config))
    assert llm.calls == []


def test_without_vllm_the_error_says_how_to_get_it(tokenizer, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(ImportError):
        list(replies_of_vllm(LLM("tiny", tokenizer), ["one"]))
