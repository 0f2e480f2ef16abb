"""The shells for vLLM and SGLang, on the interfaces that these publish.

tests/serving_vllm has the first of vLLM's in a real engine, and compares all of them with the real base classes.
"""

import enum
import sys
import types
from types import SimpleNamespace

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

import numpy as np  # noqa: E402
import torch  # noqa: E402

from hfdiv.generation import DecodingConfig  # noqa: E402
from hfdiv.generation.serving import Request, penalize, wish_of  # noqa: E402


V = len(tiny.WORDS)
DRY = {"dry_multiplier": 1.0, "dry_allowed_length": 1}
LZ = {"lz_strength": 0.5}
PROMPT = [3, 4, 5, 3, 4]


class Direction(enum.Enum):
    UNIDIRECTIONAL = enum.auto()
    SWAP = enum.auto()


def params(extra_args=None, **values):
    given = {"temperature": 1.0, "seed": 5, "all_stop_token_ids": {1}, "extra_args": extra_args}
    return SimpleNamespace(**{**given, "frequency_penalty": 0.0, "presence_penalty": 0.0, **values})


def update(removed=(), added=(), moved=()):
    return SimpleNamespace(removed=removed, added=added, moved=moved)


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    made.__spec__ = SimpleNamespace(name=name)
    return made


@pytest.fixture
def on_cpu():
    return {"is_cpu": True}


@pytest.fixture
def vllm_class(monkeypatch, on_cpu):
    """The class, on base classes with the names of vLLM's."""
    first = type("LogitsProcessor", (), {})
    second = type("LogitsProcessor", (), {})
    fakes = {
        "vllm": module("vllm"),
        "vllm.platforms": module("vllm.platforms", current_platform=SimpleNamespace(is_cpu=lambda: on_cpu["is_cpu"])),
        "vllm.tokenizers": module(
            "vllm.tokenizers", cached_tokenizer_from_config=lambda model_config: tiny.tiny_tokenizer()
        ),
    }
    for name, base in {
        "vllm.v1.sample.logits_processor": first,
        "vllm.v1.worker.gpu.sample.logits_processor": second,
    }.items():
        fakes[name] = module(name, LogitsProcessor=base)
    for name, fake in fakes.items():
        monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.delitem(sys.modules, "hfdiv.generation.vllm", raising=False)
    from hfdiv.generation.vllm import DiversityLogitsProcessor

    yield DiversityLogitsProcessor
    sys.modules.pop("hfdiv.generation.vllm", None)


def config(speculative=None):
    return SimpleNamespace(
        model_config=SimpleNamespace(get_vocab_size=lambda: V, seed=0), speculative_config=speculative
    )


def expected(arguments, output, scores, prompt=PROMPT):
    request = Request(wish_of(arguments), tiny.tiny_tokenizer(), prompt, {1}, V, 5)
    request.advance(output)
    return penalize(scores[None].clone(), {0: request})[0]


def scores_of(n):
    return torch.randn(n, V, generator=torch.Generator().manual_seed(n))


def test_rows_follow_their_requests_through_the_batch(vllm_class):
    processor = vllm_class(config(), "cpu", False)
    outputs = {name: [] for name in "abcd"}
    wishes = {"a": DRY, "b": None, "c": LZ, "d": {**DRY, "dry_multiplier": 3.0}}
    rows = []

    def check():
        scores = scores_of(len(rows))
        found = processor.apply(scores.clone())
        for row, name in enumerate(rows):
            same = scores[row] if wishes[name] is None else expected(wishes[name], outputs[name], scores[row])
            assert torch.equal(found[row], same), (rows, name)
        for place, name in enumerate(rows):
            outputs[name].append(3 + place)

    processor.update_state(
        update(added=[(row, params(wishes[name]), PROMPT, outputs[name]) for row, name in enumerate("abc")])
    )
    rows[:] = "abc"
    check()
    processor.update_state(None)
    check()
    processor.update_state(update(moved=[(0, 2, Direction.SWAP)]))
    rows[:] = "cba"
    check()
    processor.update_state(update(removed=[1], moved=[(2, 1, Direction.UNIDIRECTIONAL)]))
    rows[:] = "ca"
    check()
    processor.update_state(update(added=[(0, params(wishes["d"]), PROMPT, outputs["d"])]))
    rows[:] = "da"
    check()
    processor.update_state(update(added=[(1, params(), PROMPT, outputs["b"])]))
    rows[:] = "db"
    check()
    processor.update_state(update(removed=[0, 1]))
    scores = scores_of(2)
    assert processor.apply(scores) is scores
    assert not processor.is_argmax_invariant()


def test_tokens_that_vllm_does_not_tell_are_left_out_and_said_so(vllm_class, caplog):
    processor = vllm_class(config(), "cpu", False)
    output = [3, -1]
    processor.update_state(update(added=[(0, params(DRY), PROMPT, output)]))
    scores = scores_of(1)
    assert torch.equal(processor.apply(scores.clone())[0], expected(DRY, [3], scores[0]))
    assert "--no-async-scheduling" in caplog.text


def test_arguments_are_validated_and_on_a_gpu_the_tokens_asked_for(vllm_class, on_cpu):
    with pytest.raises(ValueError, match="Did you mean 'dry_multiplier'"):
        vllm_class.validate_params(params({"dry_multiplyer": 1}))
    with pytest.raises(ValueError, match="sampling only"):
        vllm_class.validate_params(params({"xtc_probability": 0.5}, temperature=0.0))
    asked = params(DRY)
    vllm_class.validate_params(asked)
    assert asked.frequency_penalty == 0
    on_cpu["is_cpu"] = False
    vllm_class.validate_params(asked)
    assert asked.frequency_penalty != 0
    assert np.float32(asked.frequency_penalty) == 0
    for untouched in (params(), params(DRY, frequency_penalty=0.5), params(DRY, presence_penalty=0.5)):
        before = untouched.frequency_penalty
        vllm_class.validate_params(untouched)
        assert untouched.frequency_penalty == before


def test_without_a_tokenizer_it_stands_aside(vllm_class, monkeypatch, caplog):
    monkeypatch.setattr("hfdiv.generation.vllm.cached_tokenizer_from_config", lambda model_config: None)
    processor = vllm_class(config(), "cpu", False)
    assert "needs a tokenizer" in caplog.text
    processor.update_state(update(added=[(0, params(DRY), PROMPT, [])]))
    scores = scores_of(1)
    assert processor.apply(scores) is scores


def test_requests_without_a_seed_draw_alike_on_every_device(vllm_class):
    wish = {"xtc_probability": 0.5, "xtc_threshold": 0.01}
    scores, found = torch.zeros(6, V), []
    scores[:, :3] = -20.0  # special tokens, which XTC would spare
    for _ in range(2):
        processor = vllm_class(config(), "cpu", False)
        added = [(row, params(wish, seed=None), PROMPT, []) for row in range(6)]
        processor.update_state(update(added=added))
        found.append(processor.apply(scores.clone()))
    assert torch.equal(*found)
    assert len({bool(row.isinf().any().item()) for row in found[0]}) == 2  # and not alike for all requests


class Slots:
    """The second runner's buffers: tokens by slot, and the layout of a step."""

    def __init__(self, n=4, width=32):
        self.all_token_ids = SimpleNamespace(gpu=torch.full((n, width), -1))
        self.prompt_len = SimpleNamespace(np=np.zeros(n, np.int32))
        self.lengths = np.zeros(n, np.int32)

    def begin(self, slot, tokens, n_prompt):
        self.all_token_ids.gpu[slot, : len(tokens)] = torch.tensor(tokens)
        self.prompt_len.np[slot], self.lengths[slot] = n_prompt, len(tokens)

    def append(self, slot, token):
        self.all_token_ids.gpu[slot, self.lengths[slot]] = token
        self.lengths[slot] += 1

    def context(self, slots):
        return SimpleNamespace(idx_mapping_np=np.array(slots), seq_lens_upper_bound_np=self.lengths[list(slots)])


def test_slots_of_the_second_runner(vllm_class):
    slots = Slots()
    processor = vllm_class(config(), slots)
    assert not processor.add_request(0, params())
    assert processor.add_request(2, params(DRY))
    slots.begin(0, PROMPT, 5)
    slots.begin(2, PROMPT, 5)
    scores = scores_of(2)
    found = processor.apply(scores.clone(), slots.context([2, 0]))
    assert torch.equal(found[0], expected(DRY, [], scores[0]))
    assert torch.equal(found[1], scores[1])
    slots.append(2, 5)
    slots.append(2, 3)  # two steps on: it had been out of the batch
    found = processor.apply(scores.clone(), slots.context([0, 2]))
    assert torch.equal(found[1], expected(DRY, [5, 3], scores[1]))
    assert processor.add_request(2, params(LZ))  # the slot is given to another, which goes on after a preemption
    slots.begin(2, [*PROMPT, 6, 7], 5)
    found = processor.apply(scores.clone(), slots.context([0, 2]))
    assert torch.equal(found[1], expected(LZ, [6, 7], scores[1]))
    assert not processor.add_request(2, params())
    assert processor.apply_staged_writes() is None
    assert torch.equal(processor.apply(scores.clone(), slots.context([0, 2])), scores)


def test_part_of_a_prompt_is_no_reply_yet(vllm_class):
    slots = Slots()
    processor = vllm_class(config(), slots)
    processor.add_request(1, params(DRY))
    slots.begin(1, PROMPT[:3], 5)
    scores = scores_of(1)
    assert torch.equal(processor.apply(scores.clone(), slots.context([1])), scores)
    slots.begin(1, PROMPT, 5)
    assert torch.equal(processor.apply(scores.clone(), slots.context([1]))[0], expected(DRY, [], scores[0]))


def test_with_speculative_decoding_the_second_runner_is_left_alone(vllm_class, caplog):
    processor = vllm_class(config(speculative="eagle"), Slots())
    assert "speculative decoding" in caplog.text
    assert not processor.add_request(0, params(DRY))


@pytest.fixture
def sglang(monkeypatch):
    home = "sglang.srt.sampling.custom_logit_processor"
    monkeypatch.setitem(sys.modules, "sglang", module("sglang"))
    monkeypatch.setitem(sys.modules, home, module(home, CustomLogitProcessor=type("CustomLogitProcessor", (), {})))
    batch = "sglang.srt.managers.schedule_batch"
    monkeypatch.setitem(sys.modules, batch, module(batch, FINISH_ABORT=lambda *reason: reason))
    monkeypatch.delitem(sys.modules, "hfdiv.generation.sglang", raising=False)
    import hfdiv.generation.sglang as made

    yield made
    sys.modules.pop("hfdiv.generation.sglang", None)


def asked(custom, **sampling):
    """A request as SGLang hands it over: in its own parameters."""
    request = SimpleNamespace(
        rid="r1",
        to_finish=None,
        origin_input_ids=PROMPT,
        output_ids=[],
        eos_token_ids={1},
        tokenizer=tiny.tiny_tokenizer(),
        sampling_params=SimpleNamespace(**{"top_k": -1, "stop_token_ids": None, "sampling_seed": 5, **sampling}),
    )
    return {**custom, "__req__": request}


def test_sglang_keeps_each_request_s_state_with_it(sglang):
    processor = sglang.DiversityLogitProcessor()
    dry, lz, other = asked(DRY), asked(LZ), asked({"thinking_budget": 7})
    scores = scores_of(4)
    found = processor(scores.clone(), [dry, None, lz, other])
    assert torch.equal(found[0], expected(DRY, [], scores[0]))
    assert torch.equal(found[1], scores[1])
    assert torch.equal(found[2], expected(LZ, [], scores[2]))
    assert torch.equal(found[3], scores[3])
    for params_, tokens in ((dry, [5, 3]), (lz, [6])):
        params_["__req__"].output_ids = tokens
    found = sglang.DiversityLogitProcessor()(scores[:2].clone(), [lz, dry])  # another object, another order
    assert torch.equal(found[0], expected(LZ, [6], scores[0]))
    assert torch.equal(found[1], expected(DRY, [5, 3], scores[1]))
    assert processor(scores) is scores


def test_sglang_refuses_a_wrong_request_and_no_other(sglang):
    wrong, right = asked({"dry_multiplier": -1}), asked(DRY)
    scores = scores_of(2)
    found = sglang.DiversityLogitProcessor()(scores.clone(), [wrong, right])
    assert torch.equal(found[0], scores[0])
    assert torch.equal(found[1], expected(DRY, [], scores[1]))
    message, status, _ = wrong["__req__"].to_finish
    assert "`dry_multiplier` must be at least 0" in message
    assert status == 400
    assert right["__req__"].to_finish is None
    without = asked(DRY)
    without["__req__"].tokenizer = None
    assert torch.equal(sglang.DiversityLogitProcessor()(scores.clone(), [without, right])[0], scores[0])
    assert without["__req__"].to_finish is not None


def test_what_a_request_to_sglang_says_is_checked_where_it_is_made(sglang):
    config = DecodingConfig(dry_multiplier=0.8, temperature=0.7, history_multiplier=1.0)
    assert sglang.custom_params(config, ["Hi."]) == {
        "dry_multiplier": 0.8,
        "history_multiplier": 1.0,
        "history": ["Hi."],
    }
    with pytest.raises(ValueError, match="`history` would do nothing"):
        sglang.custom_params(DecodingConfig(), ["Hi."])
