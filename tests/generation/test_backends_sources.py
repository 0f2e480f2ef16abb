import json
from dataclasses import fields

import pytest

from hfdiv.generation import DecodingConfig
from hfdiv.generation.backends import ENGINES, Asked, Source, check_prompt, even_shares, named_apart, read_sources
from hfdiv.generation.backends.engines import PROBE, PROCESSOR_SETTINGS
from hfdiv.generation.backends.request import request_fields, seed_of
from hfdiv.generation.serving import PARAMETERS, wish_of


URL = "http://localhost:8000/v1"
CHAT = [{"role": "system", "content": "You sell shoes."}, {"role": "user", "content": "Hi"}]


def fields_of(engine="compatible", prompt="Hi", n=1, source=(), asked=(), **settings):
    config = DecodingConfig(**settings)
    return request_fields(Source(URL, "m", config, engine, **dict(source)), Asked(prompt, **dict(asked)), n, seed=7)


# What is asked


def test_openai_is_told_only_what_is_not_its_default():
    assert fields_of("openai", temperature=0.7) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "n": 1,
        "seed": 7,
        "max_completion_tokens": 256,
        "temperature": 0.7,
    }


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp"])
def test_a_server_is_told_also_the_defaults_because_the_model_may_bring_others(engine):
    asked = fields_of(engine)
    assert asked["temperature"] == asked["top_p"] == 1.0
    extra = asked["extra_body"]
    assert (extra["min_p"], extra["top_k"]) == (0.0, 0 if engine == "llama.cpp" else -1)
    assert extra["repeat_penalty" if engine == "llama.cpp" else "repetition_penalty"] == 1.0


def test_settings_that_are_switched_on_go_by_the_servers_names():
    extra = fields_of("llama.cpp", repetition_penalty=1.2, repetition_window=32, top_n_sigma=1.5, dry_multiplier=0.8)
    assert extra["extra_body"] == {
        "top_k": 0,
        "min_p": 0.0,
        "repeat_penalty": 1.2,
        "repeat_last_n": 32,
        "dry_multiplier": 0.8,
        "dry_base": 1.75,
        "dry_allowed_length": 2,
        "top_n_sigma": 1.5,
        "xtc_probability": 0.0,
        "xtc_threshold": 0.1,
    }
    assert fields_of("llama.cpp")["extra_body"]["repeat_last_n"] == 1 << 17
    assert fields_of("llama.cpp")["extra_body"]["top_n_sigma"] == -1


def test_greedy_search_is_temperature_0():
    for engine in ENGINES:
        assert fields_of(engine, do_sample=False)["temperature"] == 0.0


def test_hfdivs_penalties_go_to_its_processors_in_vllm():
    settings = {"dry_multiplier": 0.8, "history_multiplier": 4.0, "history_scope": "ending", "xtc_probability": 0.5}
    extra = fields_of("vllm", asked={"earlier": ["Bye!"]}, **settings)["extra_body"]
    assert extra["vllm_xargs"] == {**settings, "history": ["Bye!"]}
    assert "vllm_xargs" not in fields_of("vllm", asked={"earlier": ["Bye!"]})["extra_body"]
    assert "vllm_xargs" not in fields_of("vllm", history_multiplier=4.0)["extra_body"]  # nothing to look back upon


def test_hfdivs_penalties_go_to_its_processor_in_sglang():
    source = {"extra_body": {"custom_logit_processor": "{...}"}}
    extra = fields_of("sglang", source=source, asked={"earlier": ["Bye!"]}, history_multiplier=4.0)["extra_body"]
    assert extra["custom_params"] == {"history_multiplier": 4.0, "history": ["Bye!"]}
    assert extra["custom_logit_processor"] == "{...}"


def test_what_goes_to_the_processors_is_what_they_take():
    assert {*PROCESSOR_SETTINGS, "repetition_penalty"} == set(PARAMETERS)
    settings = {"repetition_window": 9, "repetition_penalty": 1.2, "dry_multiplier": 0.8, "lz_strength": 0.2}
    settings |= {"history_multiplier": 2.0, "history_scope": "ending", "top_n_sigma": 1.0, "xtc_probability": 0.5}
    xargs = fields_of("vllm", asked={"earlier": ["Bye!"]}, **settings)["extra_body"]["vllm_xargs"]
    wish = wish_of(xargs)
    assert wish.history == ["Bye!"]
    assert wish.config == DecodingConfig(do_sample=True, **settings)
    with pytest.raises(ValueError, match="dry_multiplier"):
        wish_of(PROBE)


def test_a_penalty_with_a_window_is_not_applied_twice():
    extra = fields_of("vllm", repetition_penalty=1.3, repetition_window=64)["extra_body"]
    assert extra["vllm_xargs"] == {"repetition_penalty": 1.3, "repetition_window": 64}
    assert extra["repetition_penalty"] == 1.0


def test_what_the_user_adds_has_the_last_word():
    extra = fields_of("vllm", source={"extra_body": {"top_k": 5, "guided": {"a": 1}}})["extra_body"]
    assert (extra["top_k"], extra["guided"]) == (5, {"a": 1})


@pytest.mark.parametrize(("raw", "logprobs"), [(False, True), (True, 1)])
def test_log_probabilities_are_asked_for_as_each_endpoint_has_it(raw, logprobs):
    assert "logprobs" not in fields_of(asked={"raw": raw})
    asked = fields_of(asked={"raw": raw, "log_probabilities": True})
    assert asked["logprobs"] == logprobs
    assert isinstance(asked["logprobs"], bool) is not raw
    assert ("prompt" in asked, "messages" in asked) == (raw, not raw)


def test_chat_messages_stay_a_chat_also_when_texts_are_raw():
    assert fields_of(prompt=CHAT, asked={"raw": True})["messages"] == CHAT


def test_a_style_comes_behind_the_system_message_of_the_prompt():
    style = {"system": "Be brief."}
    assert fields_of(source=style)["messages"][0] == {"role": "system", "content": "Be brief."}
    assert fields_of(prompt=CHAT, source=style)["messages"][0]["content"] == "You sell shoes.\n\nBe brief."
    assert fields_of(prompt=CHAT, source=style)["messages"][1:] == CHAT[1:]
    blocks = [{"role": "system", "content": [{"type": "text", "text": "You sell shoes."}]}, CHAT[1]]
    assert fields_of(prompt=blocks, source=style)["messages"][0]["content"][-1] == {
        "type": "text",
        "text": "Be brief.",
    }
    assert CHAT[0]["content"] == "You sell shoes."  # what was given is left as it was


def test_each_request_draws_by_a_seed_of_its_own_that_all_servers_take():
    seeds = {seed_of(s, p, k, n) for s in range(3) for p in range(20) for k in range(3) for n in range(3)}
    assert len(seeds) == 3 * 20 * 3 * 3
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_of(2**63 - 1, 0, 0, 0) >= 0


def test_all_that_goes_out_is_json():
    for engine in ENGINES:
        fields = fields_of(engine, prompt=CHAT, source={"system": "你好 👋"})
        assert json.loads(json.dumps(fields, allow_nan=False)) == fields


# What is refused


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "settings",
    [
        {"num_return_sequences": 2, "sibling_multiplier": 1.0},
        {"num_return_sequences": 2, "arithmetic_sampling": True},
        {"contrastive_search": True},
        {"num_beams": 2},
        {"no_repeat_ngram_size": 3},
        {"amateur": "tiny"},
    ],
)
def test_what_needs_the_model_here_is_refused_everywhere(engine, settings):
    with pytest.raises(ValueError, match=r"needs the model in this process.*backend transformers"):
        Source(URL, "m", DecodingConfig(**settings), engine)


@pytest.mark.parametrize(
    ("engine", "settings", "message"),
    [
        ("openai", {"top_k": 5}, "`top_k` is no setting of OpenAI's API.*one of vllm, sglang, llama.cpp, say so"),
        ("compatible", {"min_p": 0.1}, "`min_p` is no setting of OpenAI's API"),
        ("compatible", {"dry_multiplier": 0.8}, "If it is one of vllm, sglang, llama.cpp, say so"),
        (
            "llama.cpp",
            {"lz_strength": 0.2},
            "`lz_strength` is no setting of the engine llama.cpp.*one of vllm, sglang",
        ),
        ("sglang", {"history_multiplier": 1.0}, "`history_multiplier` needs hfdiv's processor in SGLang"),
    ],
)
def test_what_a_server_would_pass_over_is_refused(engine, settings, message):
    with pytest.raises(ValueError, match=message):
        Source(URL, "m", DecodingConfig(**settings), engine)


def test_every_setting_is_sent_or_refused():
    """No setting may get lost on the way, also one that is added to the config one day."""
    changed = {
        **{"max_new_tokens": 9, "do_sample": False, "temperature": 0.5, "top_k": 9, "top_p": 0.5, "min_p": 0.5},
        **{"repetition_penalty": 1.5, "frequency_penalty": 0.5, "presence_penalty": 0.5, "dry_multiplier": 0.5},
        **{"lz_strength": 0.5, "history_multiplier": 0.5, "xtc_probability": 0.5, "top_n_sigma": 0.5},
        **{"no_repeat_ngram_size": 3, "num_beams": 2, "contrastive_search": True, "amateur": "x", "dry_base": 2.0},
        **{"dry_allowed_length": 3, "history_base": 2.0, "history_allowed_length": 3, "history_scope": "ending"},
        **{"xtc_threshold": 0.3, "repetition_window": 9},
    }
    of_others = {"num_return_sequences", "seed", "sibling_multiplier", "arithmetic_sampling"}  # n and seed; see above
    needs = {"sibling_base", "sibling_allowed_length", "amateur_weight", "amateur_plausibility"}  # do nothing alone
    of_search = {"penalty_alpha", "contrastive_k"}
    assert {*changed, *of_others, *needs, *of_search} == {setting.name for setting in fields(DecodingConfig)}
    for engine in ENGINES:
        asked = {"earlier": ["Bye!"]}
        plain = fields_of(engine, asked=asked)
        for name, value in changed.items():
            with_it = {"history_multiplier": 1.0} if name.startswith("history_") and engine == "vllm" else {}
            refusal = ""
            try:
                sent = fields_of(engine, asked=asked, **{**with_it, name: value})
            except ValueError as error:
                refusal = str(error)
            if refusal:
                assert f"`{name}`" in refusal
            else:
                assert sent != plain, (engine, name)
                assert not with_it or name in sent["extra_body"]["vllm_xargs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"base_url": "localhost:8000"}, "`base_url` must be such as http://localhost:8000/v1, got 'localhost:8000'"),
        ({"base_url": "ftp://a/v1"}, "`base_url` must be such as"),
        ({"base_url": "http://a:port/v1"}, "`base_url` must be such as"),
        ({"base_url": "http://a:99999/v1"}, "`base_url` must be such as"),
        ({"base_url": "http://"}, "`base_url` must be such as"),
        ({"base_url": 7}, "`base_url` must be a text, got 7"),
        ({"model": ""}, "`model` must be the name of a model"),
        ({"engine": "tgi"}, "`engine` must be one of openai, compatible, vllm, sglang, llama.cpp, got 'tgi'"),
        ({"extra_body": {"n": 3, "stream": True}}, "`extra_body` must leave n, stream to hfdiv"),
        ({"extra_body": [1]}, "`extra_body` must hold fields by name"),
        ({"n_per_request": 0}, "`n_per_request` must be at least 1, got 0"),
        ({"n_per_request": True}, "`n_per_request` must be an integer"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Source(**{"base_url": URL, "model": "m", **arguments})


@pytest.mark.parametrize(
    "url", ["http://me:secret@a/v1", "http://a/v1?key=secret", "ftp://secret@a", "http://a/#secret"]
)
def test_a_url_that_may_hold_a_secret_is_refused_without_repeating_it(url):
    with pytest.raises(ValueError, match="`base_url` must not hold a user, a password") as caught:
        Source(url, "m")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("prompt", "raw", "message"),
    [
        ([{"role": "assistant", "content": "Hi"}], False, "last message is the assistant's"),
        ("", True, "it is empty"),
        (["Hi"], False, "must be a string or a list of chat messages"),
    ],
)
def test_a_prompt_that_cannot_be_replied_to_is_refused(prompt, raw, message):
    with pytest.raises((TypeError, ValueError), match=message):
        check_prompt(prompt, raw)


# Keys


def test_a_key_goes_only_where_it_was_meant_to(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setenv("MINE", "sk-mine")
    assert Source(URL, "m").api_key() is None
    assert Source(URL, "m", api_key_env="MINE").api_key() == "sk-mine"
    assert Source("https://api.openai.com/v1", "m").api_key() == "sk-openai"
    assert Source(URL, "m", engine="openai").api_key() == "sk-openai"
    assert "sk-" not in json.dumps(Source(URL, "m", api_key_env="MINE").settings())


@pytest.mark.parametrize("value", [None, ""])
def test_a_key_that_is_not_there_is_missed(monkeypatch, value):
    monkeypatch.setenv("MINE", value) if value is not None else monkeypatch.delenv("MINE", raising=False)
    with pytest.raises(ValueError, match="m: the environment variable MINE is to hold the API key and is not set"):
        Source(URL, "m", api_key_env="MINE").api_key()


# Several sources


def sources_of(tmp_path, text, n=4, **settings):
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    return read_sources(path, DecodingConfig(**settings), n)


def test_sources_come_from_a_file_with_styles_of_their_own(tmp_path):
    text = f"""
    sources:
      - {{base_url: {URL}, model: a, name: brief, system: Be brief., temperature: 0.5, n: 1}}
      - {{base_url: {URL}, model: a, n: 2, engine: vllm, top_k: 20, extra_body: {{guided: 1}}, api_key_env: MINE}}
    """
    brief, other = sources_of(tmp_path, text, temperature=0.9, max_new_tokens=20)
    assert (brief.name, brief.system, brief.config.temperature, brief.n) == ("brief", "Be brief.", 0.5, 1)
    assert (other.name, other.engine, other.n, other.api_key_env) == ("a", "vllm", 2, "MINE")
    assert (other.config.temperature, other.config.top_k, other.config.max_new_tokens) == (0.9, 20, 20)
    assert other.extra_body == {"guided": 1}


def test_replies_are_shared_out_where_the_file_does_not_say(tmp_path):
    text = "".join(f"- {{base_url: {URL}, model: {name}}}\n" for name in "abc")
    assert [source.n for source in sources_of(tmp_path, text, n=8)] == [3, 3, 2]


@pytest.mark.parametrize("n_sources", range(1, 6))
def test_shares_are_even_and_all_there_is(n_sources):
    for n_written in range(n_sources, 20):
        shares = even_shares(n_written, n_sources)
        assert sum(shares) == n_written
        assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold a list of sources"),
        ("sources: 3", "must hold a list of sources"),
        ("[]", "must hold a list of sources"),
        ("a: [", "is no YAML file"),
        ("!!python/object/apply:os.system [ls]", "is no YAML file"),
        ("- a", "source 1: it must be a mapping with `base_url` and `model`, got 'a'"),
        (f"- {{base_url: {URL}}}", "source 1: there is no `model`"),
        (f"- {{base_url: {URL}, model: a, temprature: 1}}", "source 1: .*Did you mean 'temperature'?"),
        (f"- {{base_url: {URL}, model: a, seed: 1}}", "source 1: There is no setting 'seed'"),
        (f"- {{base_url: {URL}, model: a, top_k: 5}}", "source 1: `top_k` is no setting of OpenAI's API"),
        (f"- {{base_url: {URL}, model: a, temperature: hot}}", "source 1: `temperature` must be a number"),
        (f"- {{base_url: {URL}, model: a, n: 0}}", "source 1: `n` must be an integer of at least 1 in all or none"),
        (
            f"- {{base_url: {URL}, model: a, n: 1}}\n- {{base_url: {URL}, model: b}}",
            "source 2: `n` must be .*got None",
        ),
        (f"- {{base_url: {URL}, model: a}}\n" * 5, "4 replies to a prompt cannot come from 5 sources"),
    ],
)
def test_a_file_of_sources_says_what_is_wrong_with_it(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        sources_of(tmp_path, text)


def test_sources_of_one_name_are_told_apart():
    sources = [Source(URL, "m"), Source(URL, "n"), Source("http://b/v1", "m")]
    assert [source.name for source in named_apart(sources)] == ["m#1", "n", "m#2"]
