import math

import numpy as np
import pytest

from hfdiv.rewards import Fluency, Relevance


torch = pytest.importorskip("torch", reason="Fluency needs the extra `rewards`")
tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")


def letters(texts):
    """A stand-in encoder: counts of a, b and c, at length 1."""
    counts = np.array([[text.count(letter) + 1e-9 for letter in "abc"] for text in texts])
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def test_relevance_is_the_cosine_to_the_prompt_or_a_column():
    relevance = Relevance(letters)
    assert relevance(prompts=["aaa", "b"], completions=["a", "c"]) == pytest.approx([1.0, 0.0], abs=1e-6)
    chat = [{"role": "assistant", "content": "ab"}]
    assert relevance(prompts=["a"], completions=[chat]) == pytest.approx([math.sqrt(0.5)])
    other = Relevance(letters, column="question")
    assert other(prompts=["aaa"], completions=["c"], question=["cc"]) == pytest.approx([1.0])
    with pytest.raises(KeyError, match="no column 'question'.*'answer'"):
        other(prompts=["a"], completions=["a"], answer=["a"])


@pytest.fixture(scope="module")
def model():
    return tiny.tiny_model().eval()


def by_hand(model, tokenizer, prompt, completion):
    ids = tokenizer(prompt)["input_ids"]
    reply = tokenizer(completion)["input_ids"]
    with torch.inference_mode():
        logs = model(torch.tensor([ids + reply])).logits[0].log_softmax(-1)
    return float(np.mean([logs[len(ids) + i - 1, token] for i, token in enumerate(reply)]))


def test_fluency_is_the_mean_log_probability_whatever_the_batch(model):
    tokenizer = tiny.tiny_tokenizer()
    prompts = ["order red late", "one", "two three four yes no please"]
    completions = ["thanks soon", "red green blue one two", "yes"]
    expected = [by_hand(model, tokenizer, *pair) for pair in zip(prompts, completions, strict=True)]
    for batch_size in (1, 2, 32):
        assert Fluency(model, tokenizer, batch_size=batch_size)(prompts, completions) == pytest.approx(
            expected, abs=1e-5
        )


def test_a_floor_forgives_all_that_lies_above_it(model):
    tokenizer = tiny.tiny_tokenizer()
    prompts, completions = ["one"] * 2, ["thanks soon", "red"]
    plain = Fluency(model, tokenizer)(prompts, completions)
    floor = sum(plain) / 2
    floored = Fluency(model, tokenizer, floor=floor)(prompts, completions)
    assert floored == pytest.approx([min(score - floor, 0.0) for score in plain])
    assert max(floored) == 0.0
    assert min(floored) < 0.0


def test_a_completion_without_tokens_has_no_fluency(model):
    assert Fluency(model, tiny.tiny_tokenizer(), floor=-1.0)(["one", "two"], ["", "red"])[0] is None
