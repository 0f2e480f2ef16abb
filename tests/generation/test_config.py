"""DecodingConfig: what it refuses, what it makes of its settings, and that `generate` does it."""

import dataclasses
import math

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

import torch  # noqa: E402
import transformers  # noqa: E402
import yaml  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from transformers.generation.streamers import BaseStreamer  # noqa: E402

from hfdiv.generation import DecodingConfig  # noqa: E402
from hfdiv.generation.processors.history import ending  # noqa: E402
from tests.generation.decoding import EOS, PAD, tiny_llama  # noqa: E402


FIELDS = {setting.name: setting for setting in dataclasses.fields(DecodingConfig)}
PENALTIES = {
    "repetition_penalty": 1.3,
    "no_repeat_ngram_size": 3,
    "frequency_penalty": 0.4,
    "presence_penalty": 0.2,
    "dry_multiplier": 0.8,
    "lz_strength": 0.2,
}
EVERYTHING = {
    **PENALTIES,
    "history_multiplier": 0.8,
    "num_return_sequences": 2,
    "sibling_multiplier": 0.8,
    "amateur": "tiny",
    "top_n_sigma": 2.0,
    "xtc_probability": 0.5,
    "arithmetic_sampling": True,
    "temperature": 0.7,
    "top_k": 5,
    "top_p": 0.9,
    "min_p": 0.02,
}


@pytest.fixture(scope="module")
def model():
    return tiny.tiny_model().eval()


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.tiny_tokenizer()


def generate(model, tokenizer, texts, config, seed=0, **given):
    """New tokens, `(rows, new)`."""
    inputs = tokenizer(texts, return_tensors="pt", padding=True).to(model.device)
    torch.manual_seed(seed)
    output = model.generate(**inputs, **config.generate_kwargs(model, tokenizer, **given))
    return output[:, inputs["input_ids"].shape[1] :]


# What is refused


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"contrastive_search": True, "do_sample": True}, "draws nothing at random"),
        ({"contrastive_search": True, "num_beams": 2}, "not several beams"),
        (
            {"contrastive_search": True, "temperature": 0.7},
            "`temperature` has a say in sampling only, and this is con",
        ),
        ({"contrastive_search": True, "num_return_sequences": 2}, "all 2 replies to a prompt are the same"),
        ({"contrastive_search": True, "xtc_probability": 0.5}, "`xtc_probability` has a say in sampling only"),
        ({"penalty_alpha": 0.4}, "`penalty_alpha` would do nothing: set `contrastive_search`"),
        ({"contrastive_k": 8, "penalty_alpha": 0.4}, "`contrastive_k` and `penalty_alpha` would do nothing"),
        ({"amateur_weight": 0.5}, "`amateur_weight` would do nothing: name an `amateur`"),
        ({"do_sample": False, "top_p": 0.9, "top_k": 3}, "`top_k` and `top_p` .* this is greedy search"),
        ({"do_sample": False, "top_n_sigma": 1.0}, "`top_n_sigma` never removes the likeliest token"),
        ({"do_sample": False, "num_return_sequences": 3}, "all 3 replies to a prompt are the same"),
        ({"num_beams": 2, "min_p": 0.1}, "this is beam search"),
        ({"num_beams": 2, "num_return_sequences": 3}, "2 beams do not give 3 replies"),
        (
            {"num_beams": 2, "num_return_sequences": 2, "sibling_multiplier": 0.8},
            "`sibling_multiplier` needs each row to stay one reply",
        ),
        (
            {"num_beams": 2, "do_sample": True, "num_return_sequences": 2, "arithmetic_sampling": True},
            "`arithmetic_sampling` needs each row to stay one reply",
        ),
        ({"sibling_multiplier": 0.8}, "`sibling_multiplier` is between the replies to one prompt, and there is one"),
        ({"arithmetic_sampling": True}, "`arithmetic_sampling` is between the replies to one prompt"),
        ({"no_repeat_ngram_size": 1}, "would forbid every token that was used"),
        ({"xtc_probability": 0.5, "xtc_threshold": 0.6}, "no two tokens reach more than 0.5"),
    ],
)
def test_what_cannot_go_together_is_refused_with_the_reason(settings, reason):
    with pytest.raises(ValueError, match=reason):
        DecodingConfig(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"contrastive_search": True, "contrastive_k": 8, "top_n_sigma": 1.0, "dry_multiplier": 0.8},
        {"num_beams": 3, "num_return_sequences": 2, "top_n_sigma": 1.0},
        {"num_beams": 3, "do_sample": True, "top_p": 0.9},
        {"dry_multiplier": 0.0, "dry_base": 2.0},  # a sweep may start from nothing
        EVERYTHING,
    ],
)
def test_what_can_go_together_does(settings):
    config = DecodingConfig(**settings)
    assert {name: getattr(config, name) for name in settings} == settings


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("history_scope", "turn", ValueError, r"must be one of \['response', 'ending'\], got 'turn'"),
        ("max_new_tokens", 0, ValueError, "`max_new_tokens` must be at least 1, got 0"),
        ("max_new_tokens", 2.5, TypeError, r"`max_new_tokens` must be an integer, got 2.5 \(float\)"),
        ("max_new_tokens", True, TypeError, "must be an integer, got True"),
        ("temperature", 0, ValueError, "must be above 0, got 0. For greedy search, set `do_sample` to False"),
        ("temperature", "0.7", TypeError, r"`temperature` must be a number, got '0.7' \(str\)"),
        ("temperature", math.inf, ValueError, "got inf"),
        ("temperature", math.nan, ValueError, "got nan"),
        ("top_k", None, TypeError, "must be an integer, got None"),
        ("top_p", 1.1, ValueError, "must be above 0 and at most 1, got 1.1"),
        ("min_p", -0.1, ValueError, "at least 0 and at most 1, got -0.1"),
        ("frequency_penalty", 2.1, ValueError, "at least -2 and at most 2"),
        ("repetition_penalty", 0, ValueError, "above 0"),
        ("repetition_window", 0, ValueError, "at least 1"),
        ("dry_allowed_length", 51, ValueError, "at most 50"),
        ("sibling_base", 0.5, ValueError, "at least 1"),
        ("top_n_sigma", 0, ValueError, "above 0"),
        ("seed", -1, ValueError, "at least 0"),
        ("arithmetic_sampling", 1, TypeError, "must be true or false, got 1"),
        ("do_sample", "yes", TypeError, "must be true or false or None, got 'yes'"),
        ("amateur", 3, TypeError, "must be a text or None, got 3"),
    ],
)
def test_a_value_has_its_type_and_its_range(name, value, error, message):
    with pytest.raises(error, match=message):
        DecodingConfig(**{name: value})


def test_every_field_says_what_it_means_and_every_number_has_a_range():
    for name, setting in FIELDS.items():
        assert setting.metadata["help"].endswith("."), name
        if str(setting.type).split(" ")[0] in ("int", "float"):
            assert {"at_least", "above"} & set(setting.metadata), name


# YAML


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0.01, 10),
            "top_k": st.integers(0, 100),
            "seed": st.integers(0, 2**63 - 1),
            "num_return_sequences": st.integers(1, 9),
            "repetition_window": st.none() | st.integers(1, 99),
            "amateur": st.none() | st.text("ab/-.é 好", min_size=1),
            "top_n_sigma": st.none() | st.floats(0.1, 5),
        },
    )
)
def test_yaml_gives_back_what_went_in(tmp_path_factory, settings):
    config = DecodingConfig(**settings)
    path = tmp_path_factory.mktemp("yaml") / "decoding.yaml"
    path.write_text(yaml.safe_dump(dataclasses.asdict(config), allow_unicode=True), encoding="utf-8")
    assert DecodingConfig.from_yaml(path) == config
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    assert DecodingConfig.from_yaml(path) == config


def test_an_empty_file_is_the_neutral_config(tmp_path):
    path = tmp_path / "decoding.yaml"
    path.write_text("# nothing\n")
    assert DecodingConfig.from_yaml(path) == DecodingConfig()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("temprature: 0.7", ValueError, "There is no setting 'temprature'. Did you mean 'temperature'?"),
        ("zzz: 1", ValueError, "There is no setting 'zzz'. The settings are amateur, "),
        ("3: 1", ValueError, "There is no setting 3."),
        ("temperature: hot", TypeError, "`temperature` must be a number, got 'hot'"),
        ("xtc_threshold: 1e-3", TypeError, "got '1e-3' (str). YAML reads numbers with an exponent only if"),
        ("top_k: true", TypeError, "`top_k` must be an integer"),
        ("top_p: 2", ValueError, "`top_p` must be above 0 and at most 1, got 2"),
        ("sibling_multiplier: 1", ValueError, "there is one"),
        ("- 1", ValueError, "settings must be given by name"),
        ("a: [", ValueError, "not YAML"),
        ("seed: !!python/object/apply:os.getpid []", ValueError, "not YAML"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path, text, error, message):
    path = tmp_path / "decoding.yaml"
    path.write_text(text)
    with pytest.raises(error) as caught:
        DecodingConfig.from_yaml(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


# Processors


def test_the_neutral_config_is_plain_sampling_whatever_the_models_own_says(model, tokenizer):
    tuned = tiny.tiny_model().eval()
    for name, value in {
        "temperature": 0.3,
        "top_k": 2,
        "top_p": 0.5,
        "min_p": 0.3,
        "typical_p": 0.5,
        "repetition_penalty": 1.5,
        "no_repeat_ngram_size": 1,
    }.items():
        setattr(tuned.generation_config, name, value)
    config = DecodingConfig(max_new_tokens=20)
    assert "logits_processor" not in config.generate_kwargs(tuned, tokenizer)
    inputs = tokenizer("one two", return_tensors="pt")
    torch.manual_seed(0)
    plain = model.generate(**inputs, do_sample=True, top_k=0, max_new_tokens=20, eos_token_id=1, pad_token_id=0)
    assert torch.equal(generate(tuned, tokenizer, ["one two"], config), plain[:, 2:])


def test_processors_come_in_their_order(model, tokenizer):
    config = DecodingConfig(**EVERYTHING)
    processors = config.processors(tokenizer, histories=[["one two"]], amateur=model)
    assert [type(processor).__name__ for processor in processors] == [
        "WindowedRepetitionPenaltyLogitsProcessor",
        "NoRepeatNGramLogitsProcessor",
        "FrequencyPresencePenaltyLogitsProcessor",
        "DRYLogitsProcessor",
        "LZPenaltyLogitsProcessor",
        "HistoryPenaltyLogitsProcessor",
        "SiblingPenaltyLogitsProcessor",
        "ContrastiveDecodingLogitsProcessor",
        "TopNSigmaLogitsProcessor",
        "XTCLogitsProcessor",
        "TemperatureLogitsWarper",
        "TopKLogitsWarper",
        "TopPLogitsWarper",
        "MinPLogitsWarper",
        "ArithmeticSamplingLogitsProcessor",
    ]
    again = config.processors(tokenizer, histories=[["one two"]], amateur=model)
    assert not {id(processor) for processor in processors} & {id(processor) for processor in again}


def test_settings_reach_their_processors(model, tokenizer):
    config = DecodingConfig(
        **EVERYTHING,
        repetition_window=7,
        dry_base=2.0,
        dry_allowed_length=3,
        history_base=2.5,
        history_allowed_length=4,
        sibling_base=3.0,
        sibling_allowed_length=5,
        amateur_weight=0.5,
        amateur_plausibility=0.2,
        xtc_threshold=0.2,
    )
    histories = [["one two"], ["yes please"]]
    repetition, _, counts, dry, lz, history, sibling, contrast, sigma, xtc, *_, last = config.processors(
        tokenizer, histories, model
    )
    assert (repetition.penalty, repetition.window) == (1.3, 7)
    assert (counts.frequency_penalty, counts.presence_penalty) == (0.4, 0.2)
    assert (dry.price.multiplier, dry.price.base, dry.price.allowed_length) == (0.8, 2.0, 3)
    assert lz.strength == 0.2
    assert (history.price.multiplier, history.price.base, history.price.allowed_length) == (0.8, 2.5, 4)
    assert (sibling.price.base, sibling.price.allowed_length, sibling.num_return_sequences) == (3.0, 5, 2)
    assert (contrast.weight, contrast.plausibility, contrast.amateur) == (0.5, 0.2, model)
    assert (sigma.n, xtc.probability, xtc.threshold) == (2.0, 0.5, 0.2)
    assert (last.num_return_sequences, last.temperature) == (2, 1.0)


def test_no_token_that_ends_a_reply_is_ever_penalized(model, tokenizer):
    config = DecodingConfig(**EVERYTHING)
    processors = config.processors(tokenizer, [["one"]], model, end_ids=[17])
    ends = {tokenizer.pad_token_id, tokenizer.eos_token_id, 17}
    dry, history, sibling, xtc = (processors[place] for place in (3, 5, 6, 9))
    assert ends <= dry.breakers
    assert ends <= sibling.breakers
    assert ends <= history._indexes[0].exempt
    assert ends <= set(xtc.protected)


def test_a_second_end_of_turn_counts_as_an_end():
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<turn>"]})
    config = DecodingConfig(num_return_sequences=2, sibling_multiplier=0.8)
    assert tokenizer.convert_tokens_to_ids("<turn>") in config.processors(tokenizer)[0].breakers


def test_arithmetic_sampling_sees_what_transformers_would_have_drawn_from(tokenizer):
    settings = {"temperature": 0.6, "top_k": 9, "top_p": 0.9, "min_p": 0.05}
    config = DecodingConfig(num_return_sequences=2, arithmetic_sampling=True, **settings)
    scores = torch.randn(4, 21, generator=torch.Generator().manual_seed(0)) * 3
    ids = torch.full((4, 2), 5)
    ours = transformers.LogitsProcessorList(config.processors(tokenizer)[:-1])(ids, scores.clone())
    weights = (scores / 0.6).softmax(dim=-1)
    for row, mine in zip(weights, ours, strict=True):  # by hand: top-k, then top-p of what is left, then min-p
        order = row.argsort(descending=True)[:9]
        left = row[order] / row[order].sum()
        before = left.cumsum(0) - left
        order = order[before < 0.9]
        order = order[row[order] >= 0.05 * row.max()]
        assert set(mine.isfinite().nonzero().flatten().tolist()) == set(order.tolist())
        torch.testing.assert_close(mine[order].softmax(0), row[order] / row[order].sum())
    assert {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": None}.items() <= config._warpers().items()


def test_arithmetic_sampling_keeps_to_the_truncation(model, tokenizer):
    settings = {"max_new_tokens": 12, "num_return_sequences": 4}
    greedy = generate(model, tokenizer, ["one two"], DecodingConfig(max_new_tokens=12, do_sample=False))
    config = DecodingConfig(**settings, arithmetic_sampling=True, top_k=1)
    assert torch.equal(generate(model, tokenizer, ["one two"], config), greedy.expand(4, -1))


def test_earlier_replies_may_be_texts_or_ids(tokenizer):
    config = DecodingConfig(history_multiplier=1.0)
    texts = config.processors(tokenizer, histories=[["one two", ""], []])[0]
    ids = config.processors(tokenizer, histories=[[tokenizer("one two")["input_ids"], []], []])[0]
    assert [index.ids.tolist() for index in texts._indexes] == [index.ids.tolist() for index in ids._indexes]
    assert len(texts._indexes[0].ids) == 4  # two words, and the end of each reply


def test_of_earlier_replies_how_they_closed_may_count_alone(tokenizer):
    config = DecodingConfig(history_multiplier=1.0, history_scope="ending")
    reply = "one two. yes please"
    whole = DecodingConfig(history_multiplier=1.0).processors(tokenizer, histories=[[reply]])[0]._indexes[0]
    texts = config.processors(tokenizer, histories=[[reply]])[0]._indexes[0]
    ids = config.processors(tokenizer, histories=[[tokenizer(reply)["input_ids"]]])[0]._indexes[0]
    closing = tokenizer(". yes please", add_special_tokens=False)["input_ids"]
    assert texts.ids.tolist()[: len(closing)] == closing
    assert len(texts.ids) < len(whole.ids)
    assert texts.exempt - {-1} == set(tokenizer.all_special_ids)  # -1 stands between replies
    assert set(closing[-2:]) <= set(ids.ids.tolist())


@pytest.mark.parametrize(
    ("reply", "closing"),
    [
        ("I see. I am sorry! Anything else?\n", "! Anything else?"),
        ("Anything else?", "Anything else?"),
        ("Prices:\n\n3.5 or 4.5", ":\n\n3.5 or 4.5"),
        ("Oh. Oh.", ". Oh."),
        ("好的。还有别的问题吗？", "。还有别的问题吗？"),
        ("👋 Hi! 🎉", "! 🎉"),
        (" \n", ""),
        ("", ""),
    ],
)
def test_a_closing_begins_where_the_sentence_before_it_ends(reply, closing):
    assert ending(reply) == closing


def test_what_is_missing_is_said(model, tokenizer):
    with pytest.raises(ValueError, match="`histories` must hold the earlier replies"):
        DecodingConfig(history_multiplier=0.8).processors(tokenizer)
    with pytest.raises(ValueError, match="The model of the amateur is missing"):
        DecodingConfig(amateur="tiny").processors(tokenizer)
    with pytest.raises(ValueError, match="The name of the amateur is missing"):
        DecodingConfig().processors(tokenizer, amateur=model)
    nameless = tiny.tiny_tokenizer()
    nameless.pad_token = nameless.eos_token = None
    with pytest.raises(ValueError, match="set `tokenizer.pad_token`"):
        DecodingConfig().processors(nameless)


def test_the_amateur_is_loaded_once_and_must_share_the_vocabulary(tmp_path, model, tokenizer):
    model.save_pretrained(tmp_path / "amateur")
    tokenizer.save_pretrained(tmp_path / "amateur")
    config = DecodingConfig(amateur=str(tmp_path / "amateur"))
    amateur = config.load_amateur(model, tokenizer)
    assert amateur.dtype == model.dtype
    assert config.generate_kwargs(model, tokenizer, amateur=amateur)["logits_processor"][0].amateur is amateur
    other = tiny.tiny_tokenizer()
    other.add_tokens(["new"])
    with pytest.raises(ValueError, match="differ in 1 tokens, the first of which is 'new'"):
        config.load_amateur(model, other)
    assert DecodingConfig().load_amateur(model, tokenizer) is None


# In generate

TEXTS = ["one", "order red late yes", "two green"]


def test_a_padded_batch_is_its_prompts_one_by_one(model, tokenizer):
    config = DecodingConfig(
        max_new_tokens=15, do_sample=False, **PENALTIES, history_multiplier=0.5, amateur="tiny", amateur_weight=0.3
    )
    histories = [["one two three"], [], ["yes please now", "green"]]
    amateur = tiny.tiny_model().eval()
    with torch.no_grad():
        amateur.lm_head.weight.copy_(amateur.lm_head.weight.flip(0))
    together = generate(model, tokenizer, TEXTS, config, histories=histories, amateur=amateur).tolist()
    for text, history, row in zip(TEXTS, histories, together, strict=True):
        (alone,) = generate(model, tokenizer, [text], config, histories=[history], amateur=amateur).tolist()
        assert row == alone + [0] * (len(row) - len(alone))


@pytest.mark.parametrize(
    "settings",
    [
        {"num_return_sequences": 3, "sibling_multiplier": 2.0, "sibling_allowed_length": 1, "top_p": 0.95},
        {"num_return_sequences": 3, "arithmetic_sampling": True, "sibling_multiplier": 0.5},
        {"num_return_sequences": 3, "xtc_probability": 0.5, "xtc_threshold": 0.05, **PENALTIES},
        {"num_beams": 4, "num_return_sequences": 3, **PENALTIES},
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_several_replies_to_each_prompt(tokenizer, settings, dtype):
    model = tiny.tiny_model().eval().to(dtype)
    config = DecodingConfig(max_new_tokens=12, **settings)
    first = generate(model, tokenizer, TEXTS, config)
    assert first.shape[0] == 9
    assert torch.equal(generate(model, tokenizer, TEXTS, config), first)
    assert len({tuple(row) for row in first.tolist()}) > 3


class Recorder(BaseStreamer):
    def __init__(self):
        self.tokens, self.ended = [], False

    def put(self, value):
        self.tokens += value.flatten().tolist()

    def end(self):
        self.ended = True


@pytest.mark.parametrize("settings", [{}, {"do_sample": False}, {"contrastive_search": True, "dry_multiplier": 0.8}])
def test_a_streamer_is_given_every_token(model, tokenizer, settings):
    config, streamer = DecodingConfig(max_new_tokens=9, **settings), Recorder()
    tokens = generate(model, tokenizer, ["one two"], config, streamer=streamer)
    assert streamer.tokens == tokenizer("one two")["input_ids"] + tokens[0].tolist()
    assert streamer.ended


def test_contrastive_search_is_asked_for(model, tokenizer):
    settings = {"contrastive_search": True, "max_new_tokens": 12}
    greedy = generate(model, tokenizer, TEXTS, DecodingConfig(max_new_tokens=12, do_sample=False))
    one = generate(model, tokenizer, TEXTS, DecodingConfig(**settings, contrastive_k=1))
    assert torch.equal(one, greedy)  # with one candidate there is no choice
    chosen = generate(model, tokenizer, TEXTS, DecodingConfig(**settings, penalty_alpha=0.9))
    assert not torch.equal(chosen, greedy)


def test_a_reply_ends_where_the_tokenizer_says_too(tokenizer):
    model = tiny_llama(0, vocabulary=21)
    model.generation_config.eos_token_id = 20
    kwargs = DecodingConfig().generate_kwargs(model, tokenizer)
    assert kwargs["eos_token_id"] == [EOS, 20]
    assert kwargs["pad_token_id"] == PAD
    assert isinstance(transformers.GenerationConfig(**kwargs), transformers.GenerationConfig)
