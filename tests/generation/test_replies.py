import dataclasses

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

import torch  # noqa: E402
from transformers.generation.streamers import BaseStreamer  # noqa: E402

from hfdiv.generation import DecodingConfig, Replies, generate_replies, mean_log_probabilities  # noqa: E402
from hfdiv.generation.prompts import left_padded, prompt_ids  # noqa: E402
from hfdiv.selection import select  # noqa: E402


PROMPTS = ["one", "two red", "three four yes", "no", "order late please", "we now", "green"]
TEMPLATE = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}please"


@pytest.fixture(scope="module")
def model():
    model = tiny.tiny_model().eval()
    model.generation_config.suppress_tokens = [0, 2]  # <pad> and <unk> would vanish from the texts
    return model


@pytest.fixture
def tokenizer():
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def run(model, tokenizer, prompts, config=None, **options):
    return list(generate_replies(model, tokenizer, prompts, config, **options))


def test_every_prompt_gets_its_replies_in_order(model, tokenizer):
    config = DecodingConfig(max_new_tokens=8, num_return_sequences=3)
    results = run(model, tokenizer, PROMPTS, config, batch_size=6)
    assert [replies.index for replies in results] == list(range(7))
    for replies in results:
        assert len(replies.responses) == len(replies.finished) == 3
        assert replies.log_probabilities is None
        for text, finished in zip(replies.responses, replies.finished, strict=True):
            assert "<eos>" not in text
            assert finished == (len(text.split()) < 8)


@pytest.mark.parametrize(
    "settings",
    [
        {"num_return_sequences": 2},
        {"num_return_sequences": 2, "sibling_multiplier": 1.0, "xtc_probability": 0.5, "xtc_threshold": 0.05},
        {"num_return_sequences": 3, "arithmetic_sampling": True},
        {"num_beams": 2, "do_sample": True},
    ],
)
@pytest.mark.parametrize("first", [1, 3, 4, 6, 7])
def test_replies_do_not_depend_on_where_the_work_began(model, tokenizer, settings, first):
    config = DecodingConfig(max_new_tokens=8, seed=5, **settings)
    whole = run(model, tokenizer, PROMPTS, config, batch_size=6)
    assert run(model, tokenizer, PROMPTS, config, batch_size=6, first=first) == whole[first:]


def test_a_seed_fixes_the_replies_and_leaves_the_callers_generator_alone(model, tokenizer):
    config = DecodingConfig(max_new_tokens=8, num_return_sequences=4)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = run(model, tokenizer, PROMPTS, config)
    assert torch.equal(torch.rand(2), expected)
    assert run(model, tokenizer, PROMPTS, config) == first
    assert run(model, tokenizer, PROMPTS, dataclasses.replace(config, seed=1)) != first


def test_the_same_prompt_is_drawn_for_anew_in_every_batch(model, tokenizer):
    config = DecodingConfig(max_new_tokens=8, num_return_sequences=2, arithmetic_sampling=True)
    results = run(model, tokenizer, ["one"] * 8, config, batch_size=2)
    assert len({tuple(replies.responses) for replies in results}) > 5


def test_greedy_replies_do_not_depend_on_the_batch(model, tokenizer):
    config = DecodingConfig(max_new_tokens=12, do_sample=False, dry_multiplier=0.8, repetition_penalty=1.2)
    together = run(model, tokenizer, PROMPTS, config, batch_size=7)
    assert run(model, tokenizer, PROMPTS, config, batch_size=1) == together
    assert run(model, tokenizer, PROMPTS, config, batch_size=3) == together


def test_shorter_prompts_are_padded_on_the_left():
    padded = left_padded([[5], [6, 7]], pad=0)
    assert padded["input_ids"].tolist() == [[0, 5], [6, 7]]
    assert padded["attention_mask"].tolist() == [[0, 1], [1, 1]]


def test_chat_messages_go_through_the_template(model, tokenizer):
    messages = [
        {"role": "order", "content": "one"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": [{"type": "text", "text": "late"}]},
    ]
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] if m['content'] is string else m['content'][0]['text'] }} {% endfor %}"
    )
    config = DecodingConfig(max_new_tokens=6, do_sample=False)
    (chat,) = run(model, tokenizer, [messages], config)
    (text,) = run(model, tokenizer, ["one yes late"], config)
    assert chat == text


def test_earlier_replies_come_from_the_messages_and_from_the_histories(model, tokenizer, monkeypatch):
    seen = []
    real = DecodingConfig.generate_kwargs

    def spy(self, model, tokenizer, histories=None, *others):
        seen.append(histories)
        return real(self, model, tokenizer, histories, *others)

    monkeypatch.setattr(DecodingConfig, "generate_kwargs", spy)
    chat = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "yes please"},
        {"role": "user", "content": "two"},
    ]
    prompts, histories = ["one", chat, "two"], [["red green"], ["order"], []]
    config = DecodingConfig(max_new_tokens=4, history_multiplier=0.8)
    run(model, tokenizer, prompts, config, histories=histories, batch_size=2)
    assert seen == [[["red green"], ["order", "yes please"]], [[]]]
    run(model, tokenizer, prompts, dataclasses.replace(config, history_multiplier=0.0), histories=histories)
    assert seen[-1] is None


def test_the_history_penalty_holds_for_all_replies_to_its_prompt_only(model, tokenizer):
    config = DecodingConfig(max_new_tokens=8, do_sample=False)
    plain = run(model, tokenizer, PROMPTS[:3], config)
    said = plain[1].responses[0]
    config = dataclasses.replace(config, history_multiplier=50.0, history_allowed_length=1)
    kept = run(model, tokenizer, PROMPTS[:3], config, histories=[[], [said], []])
    assert len(said.split()) > 2
    assert kept[1].responses[0].split()[:2] != said.split()[:2]
    assert (kept[0], kept[2]) == (plain[0], plain[2])


def test_log_probabilities_are_the_models(model, tokenizer):
    prompts, replies = [[3, 4], [5], [6, 7, 8]], [[9, 1], [10, 11, 12, 13], [1]]
    expected = []
    for prompt, reply in zip(prompts, replies, strict=True):
        total = 0.0
        for place, token in enumerate(reply):  # token by token
            with torch.no_grad():
                logits = model(torch.tensor([prompt + reply[:place]])).logits[0, -1]
            total += float(logits[token] - torch.logsumexp(logits, dim=0))
        expected.append(total / len(reply))
    assert mean_log_probabilities(model, prompts, replies) == pytest.approx(expected, abs=1e-5)


def test_many_log_probabilities_are_computed_in_parts(model, monkeypatch):
    prompts, replies = [[3], [4, 5], [6]], [[7, 8], [9], [10, 1]]
    whole = mean_log_probabilities(model, prompts, replies)
    monkeypatch.setattr("hfdiv.generation.log_probability._MOST_LOGITS", 1)
    assert mean_log_probabilities(model, prompts, replies) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("method", ["mmr", "max_min", "dpp"])
def test_best_of_keeps_a_selection_of_what_is_written(model, tokenizer, method):
    config = DecodingConfig(max_new_tokens=30, num_return_sequences=2, seed=2)
    written = run(model, tokenizer, PROMPTS, dataclasses.replace(config, num_return_sequences=9), batch_size=9)
    best = run(model, tokenizer, PROMPTS, config, best_of=9, selection=method, batch_size=9)
    for all_nine, two in zip(written, best, strict=True):
        done = [text for text, end in zip(all_nine.responses, all_nine.finished, strict=True) if end]
        places = {text: place for place, text in enumerate(all_nine.responses)}
        assert two.finished == [True, True]
        numbers = mean_log_probabilities(
            model,
            [prompt_ids(PROMPTS[two.index], tokenizer)] * len(done),
            [[*tokenizer(text)["input_ids"], 1] for text in done],
        )
        chosen = [done[place] for place in select(done, 2, method, quality=numbers)]
        assert two.responses == chosen
        assert set(two.responses) <= set(places)
        assert two.log_probabilities == pytest.approx([numbers[done.index(text)] for text in chosen], abs=1e-4)


def test_best_of_takes_replies_that_were_cut_off_only_for_want_of_others(model, tokenizer):
    config = DecodingConfig(max_new_tokens=3, num_return_sequences=4)
    seen = set()
    for replies in run(model, tokenizer, PROMPTS, config, best_of=6):
        assert replies.finished == sorted(replies.finished, reverse=True)
        seen |= set(replies.finished)
    assert seen == {True, False}


class Recorder(BaseStreamer):
    def __init__(self):
        self.tokens = []

    def put(self, value):
        self.tokens += value.flatten().tolist()

    def end(self):
        self.tokens.append("end")


@pytest.mark.parametrize("settings", [{}, {"contrastive_search": True}])
def test_a_streamer_is_given_the_tokens_of_each_prompt_in_turn(model, tokenizer, settings):
    streamer = Recorder()
    config = DecodingConfig(max_new_tokens=5, **settings)
    results = run(model, tokenizer, PROMPTS[:3], config, batch_size=1, streamer=streamer)
    assert streamer.tokens.count("end") == 3
    shown = tokenizer.decode([token for token in streamer.tokens if token != "end"], skip_special_tokens=True)
    expected = " ".join(f"{prompt} {r.responses[0]}".strip() for prompt, r in zip(PROMPTS, results, strict=False))
    assert shown.split() == expected.split()


def test_a_model_in_training_is_left_in_training_and_decodes_without_dropout(tokenizer):
    model = tiny.tiny_model()
    model.config.attention_dropout = 0.5
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    config = DecodingConfig(max_new_tokens=8, do_sample=False)
    evaluated = run(model.eval(), tokenizer, PROMPTS, config)
    assert run(model.train(), tokenizer, PROMPTS, config) == evaluated
    assert model.training


def test_it_works_in_bf16(tokenizer):
    model = tiny.tiny_model().eval().to(torch.bfloat16)
    config = DecodingConfig(max_new_tokens=8, num_return_sequences=2, sibling_multiplier=0.8)
    results = run(model, tokenizer, PROMPTS, config, best_of=4)
    assert all(len(replies.responses) == 2 and max(replies.log_probabilities) < 0 for replies in results)


@pytest.mark.parametrize(
    ("prompts", "options", "error", "message"),
    [
        (["one", ""], {}, ValueError, "Prompt 1 cannot be replied to: it is empty"),
        ([3], {}, TypeError, "Prompt 0 cannot be replied to: it must be a string or a list of chat messages, got int"),
        (
            [[{"role": "assistant", "content": "yes"}]],
            {},
            ValueError,
            "Prompt 0 cannot be replied to: its last message is the assistant's",
        ),
        (["one " * 64], {}, ValueError, "it has 64 tokens, and the model reads 64 at most"),
        (["one"], {"batch_size": 0}, ValueError, "`batch_size` must be at least 1, got 0"),
        (["one"], {"first": -1}, ValueError, "`first` must be at least 0, got -1"),
        (["one"], {"best_of": 1}, ValueError, "`best_of` must be more than the 1 replies to keep"),
        (["one"], {"histories": []}, ValueError, "There are 0 histories and 1 prompts"),
        (["one"], {"streamer": Recorder()}, ValueError, "A streamer shows one reply at a time"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(model, tokenizer, prompts, options, error, message):
    with pytest.raises(error, match=message):
        generate_replies(model, tokenizer, prompts, **options)


def test_best_of_needs_replies_that_differ(model, tokenizer):
    with pytest.raises(ValueError, match="all 4 replies to a prompt are the same"):
        generate_replies(model, tokenizer, ["one"], DecodingConfig(do_sample=False), best_of=4)


def test_messages_need_a_chat_template(model):
    with pytest.raises(ValueError, match="has no chat template"):
        generate_replies(model, tiny.tiny_tokenizer(), [[{"role": "user", "content": "one"}]])


def test_a_template_that_refuses_a_message_is_told(model, tokenizer):
    tokenizer.chat_template = "{{ raise_exception('System role not supported') }}"
    with pytest.raises(ValueError, match=r"Prompt 0 .* chat template refuses it \(System role not supported\)"):
        generate_replies(model, tokenizer, [[{"role": "system", "content": "one"}, {"role": "user", "content": "x"}]])


def test_no_prompts_have_no_replies(model, tokenizer):
    assert run(model, tokenizer, []) == []


def test_replies_can_be_kept_by_place():
    replies = Replies(3, ["a", "b", "c"], [True, False, True], [-1.0, -2.0, -3.0])
    assert replies.kept([2, 0]) == Replies(3, ["c", "a"], [True, True], [-3.0, -1.0])
