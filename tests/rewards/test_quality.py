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


CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} {{ message['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}we {% endif %}"
)


def said(role, content):
    return {"role": role, "content": content}


def test_fluency_of_chat_messages_is_that_of_the_templated_prompt(model):
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    fluency = Fluency(model, tokenizer)
    chats = [[said("user", "order late")], [said("user", "order late"), said("assistant", "yes")]]
    completions = [[said("assistant", "thanks soon")], "two three"]
    templated = ["user order late we ", "user order late assistant yes"]  # the last message goes on: no "we"
    assert fluency(chats, completions) == pytest.approx(
        [by_hand(model, tokenizer, templated[0], "thanks soon"), by_hand(model, tokenizer, templated[1], "two three")],
        abs=1e-5,
    )


def test_a_model_is_loaded_from_its_folder(model, tmp_path):
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    model.save_pretrained(tmp_path)
    loaded = Fluency(str(tmp_path), floor=-1.0)
    assert not loaded.model.training
    assert loaded(["one"], ["thanks soon"]) == Fluency(model, tokenizer, floor=-1.0)(["one"], ["thanks soon"])


def test_a_model_in_memory_needs_its_tokenizer(model):
    with pytest.raises(ValueError, match="must come with its `tokenizer`"):
        Fluency(model)


def test_an_encoder_is_loaded_by_its_name(monkeypatch):
    monkeypatch.setattr("hfdiv.rewards.quality.load_encoder", {"some/encoder": letters}.get)
    assert Relevance("some/encoder")(prompts=["a"], completions=["a"]) == pytest.approx([1.0])
