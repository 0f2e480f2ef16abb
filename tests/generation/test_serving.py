"""What a request to a server may ask for, and that its state does what the transformers chain does."""

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

import torch  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from hfdiv.generation import DecodingConfig  # noqa: E402
from hfdiv.generation.serving import PARAMETERS, Request, penalize, wish_of  # noqa: E402
from hfdiv.generation.serving.request import STAGES  # noqa: E402


HISTORY = ["order red late", "thanks soon we order"]
ARGUMENTS = {
    "repetition_penalty": 1.3,
    "repetition_window": 4,
    "dry_multiplier": 0.8,
    "dry_allowed_length": 1,
    "lz_strength": 0.3,
    "history_multiplier": 0.7,
    "history_allowed_length": 1,
    "history": HISTORY,
    "top_n_sigma": 2.0,
    "xtc_probability": 1.0,  # what is drawn otherwise is not what transformers draws
    "xtc_threshold": 0.05,
}
V = len(tiny.WORDS)


def request_of(arguments, prompt=(3, 4, 5, 3, 4), seed=3):
    return Request(wish_of(arguments), tiny.tiny_tokenizer(), list(prompt), {1}, V, seed)


def by_transformers(arguments, prompt, reply, scores, seed=3):
    """The scores after each token, by the processors of `model.generate`."""
    config = DecodingConfig(**{k: v for k, v in arguments.items() if k != "history"}, seed=seed)
    histories = [arguments["history"]] if "history" in arguments else None
    chain = config.processors(tiny.tiny_tokenizer(), histories, end_ids={1})
    return [chain(torch.tensor([[*prompt, *reply[:n]]]), scores[n : n + 1].clone())[0] for n in range(len(reply) + 1)]


@settings(max_examples=30)
@given(
    st.sets(st.sampled_from(["repetition_penalty", "dry_multiplier", "lz_strength", "history", "top_n_sigma", "xtc"])),
    st.lists(st.integers(2, V - 1), max_size=8),
    st.integers(0, 99),
)
def test_each_step_is_that_of_the_transformers_chain(asked, reply, seed):
    arguments = {
        name: value
        for name, value in ARGUMENTS.items()
        if any(name.startswith(part.partition("_")[0]) for part in asked)
    }
    scores = torch.randn(len(reply) + 1, V, generator=torch.Generator().manual_seed(seed))
    expected = by_transformers(arguments, (3, 4, 5, 3, 4), reply, scores)
    request = None if not arguments else request_of(arguments)
    for n, row in enumerate(expected):
        logits = torch.stack([scores[n], scores[n]])
        if request is not None:
            request.advance(reply[:n])
            assert penalize(logits, {1: request}) is logits
        assert torch.equal(logits[0], scores[n])
        assert torch.equal(logits[1], row)


def test_every_parameter_is_a_setting_and_every_stage_can_be_asked_for():
    assert set(PARAMETERS) <= {*DecodingConfig.__dataclass_fields__}
    assert set(request_of(ARGUMENTS).stages) == set(STAGES)


def test_rows_in_any_order_have_their_own_state():
    first, second = request_of({"dry_multiplier": 1.0, "dry_allowed_length": 1}), request_of(ARGUMENTS)
    scores = torch.randn(3, V, generator=torch.Generator().manual_seed(0))
    alone = [penalize(scores[:1].clone(), {0: request_of({"dry_multiplier": 1.0, "dry_allowed_length": 1})})[0]]
    alone.append(penalize(scores[2:].clone(), {0: request_of(ARGUMENTS)})[0])
    together = penalize(scores.clone(), {2: second, 0: first})
    assert torch.equal(together[0], alone[0])
    assert torch.equal(together[1], scores[1])
    assert torch.equal(together[2], alone[1])


def test_logits_that_are_a_slice_of_a_wider_table_are_changed_in_place():
    wide = torch.randn(2, V + 5)
    expected = penalize(wide[:, :V].clone(), {1: request_of(ARGUMENTS)})
    penalize(wide[:, :V], {1: request_of(ARGUMENTS)})
    assert torch.equal(wide[:, :V], expected)


def test_what_is_neutral_has_no_state():
    assert request_of({"dry_multiplier": 0.0}).stages == {}
    assert request_of({"history_multiplier": 1.0}).stages == {}  # a conversation's first turn
    assert wish_of(None) is wish_of({}) is wish_of({"target_token": 5, "session": "x"}) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dry_multiplyer": 1}, "There is no parameter 'dry_multiplyer'. Did you mean 'dry_multiplier'"),
        ({"dry_breakers": ["x"]}, "There is no parameter 'dry_breakers'. The parameters are repetition_penalty"),
        ({"histories": [["x"]], "history_multiplier": 1.0}, "Did you mean 'history'"),
        ({"dry_multiplier": "0.8"}, "`dry_multiplier` must be a number, got '0.8'"),
        ({"dry_multiplier": -1.0}, "`dry_multiplier` must be at least 0, got -1.0"),
        ({"dry_multiplier": float("nan")}, "`dry_multiplier` must be at least 0, got nan"),
        ({"dry_allowed_length": 2.5}, "`dry_allowed_length` must be an integer"),
        ({"history_scope": "all", "history_multiplier": 1.0}, "`history_scope` must be one of"),
        ({"history": "Hi", "history_multiplier": 1.0}, "`history` must be a list of earlier replies"),
        ({"history": [1], "history_multiplier": 1.0}, "`history` must be a list of earlier replies"),
        ({"history": ["Hi"]}, "`history` would do nothing: set `history_multiplier`"),
        ({"xtc_probability": 0.5, "xtc_threshold": 0.9}, "it would do nothing"),
    ],
)
def test_wrong_arguments_are_value_errors(arguments, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        wish_of(arguments)


def acts(request, scores, n):
    """At which of the next n tokens XTC acts, when each is token 2."""
    found = []
    for place in range(n):
        request.advance([2] * place)
        found.append(not torch.equal(penalize(scores.clone(), {0: request}), scores))
    return found


def test_what_xtc_draws_depends_on_the_seed_and_the_place_alone():
    asked, scores = {"xtc_probability": 0.5, "xtc_threshold": 0.01}, torch.zeros(1, V)
    scores[:, :3] = -20.0  # special tokens, which XTC would spare
    whole = acts(request_of(asked), scores, 40)
    assert 8 < sum(whole) < 32
    assert whole != acts(request_of(asked, seed=4), scores, 40)
    again = request_of(asked)
    for _ in range(3):  # the prompt in parts
        penalize(scores.clone(), {0: again})
    assert acts(again, scores, 40) == whole
    later = request_of(asked)  # taken up again after 20 tokens
    later.advance([2] * 20)
    assert torch.equal(penalize(scores.clone(), {0: later}), scores) != whole[20]


def test_tokens_that_the_server_takes_back_are_forgotten():
    request, fresh = request_of(ARGUMENTS), request_of(ARGUMENTS)
    scores = torch.randn(1, V, generator=torch.Generator().manual_seed(0))
    request.advance([3, 4, 5, 3])
    request.advance([6])
    fresh.advance([6])
    assert torch.equal(penalize(scores.clone(), {0: request}), penalize(scores.clone(), {0: fresh}))


def test_what_only_sampling_has_is_refused_for_greedy_requests():
    assert wish_of({"xtc_probability": 0.5}).config.xtc_probability == 0.5
    with pytest.raises(ValueError, match="has a say in sampling only.* raise its `temperature` above 0"):
        wish_of({"xtc_probability": 0.5}, greedy=True)
