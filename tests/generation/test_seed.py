from types import SimpleNamespace

import pytest


torch = pytest.importorskip("torch", reason="generating needs the extra `generation`")
tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

from hfdiv.generation import DecodingConfig, generate_replies, sample  # noqa: E402
from hfdiv.generation.seed import seeded  # noqa: E402


GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"))


@pytest.mark.parametrize("device", ["cpu", GPU])
def test_the_numbers_are_those_of_torch_s_seed_and_the_callers_go_on_behind(device):
    model = torch.nn.Linear(1, 1, device=device)
    torch.manual_seed(5)
    drawn = torch.rand(3), torch.rand(3, device=device)
    torch.manual_seed(3)
    own = torch.rand(2), torch.rand(2, device=device)
    torch.manual_seed(3)
    with seeded(model, 5):
        assert all(torch.equal(torch.rand(3, device=each.device), each) for each in drawn)
    with pytest.raises(KeyboardInterrupt), seeded(model, 5):
        raise KeyboardInterrupt
    assert all(torch.equal(torch.rand(2, device=each.device), each) for each in own)


def sampled(model, tokenizer):
    sample(model, tokenizer, ["one"], 2, max_new_tokens=2)


def replied(model, tokenizer):
    list(generate_replies(model, tokenizer, ["one"], DecodingConfig(max_new_tokens=2)))


@pytest.mark.parametrize("use", [sampled, replied])
def test_a_model_on_the_cpu_leaves_the_generators_of_gpus_alone(use, monkeypatch):
    model, tokenizer, seeds = tiny.tiny_model(), tiny.tiny_tokenizer(), []
    for name in ("manual_seed", "manual_seed_all"):
        monkeypatch.setattr(torch.cuda, name, seeds.append)
    torch.manual_seed(7)
    assert seeds  # that is how torch seeds them
    seeds.clear()
    use(model, tokenizer)
    assert seeds == []


def test_a_model_on_some_gpus_has_theirs_seeded_and_restored(monkeypatch):
    gpus = [torch.Generator().manual_seed(place) for place in range(3)]  # they stand in for those of three GPUs
    monkeypatch.setattr(torch.cuda, "default_generators", gpus)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: gpus[device.index].get_state())
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: gpus[device.index].set_state(state))
    before = [gpu.get_state() for gpu in gpus]
    places = [torch.device("cuda", 0), torch.device("cuda", 2), torch.device("cuda", 2), torch.device("cpu")]
    model = SimpleNamespace(parameters=lambda: [SimpleNamespace(device=device) for device in places])
    with seeded(model, 5):
        assert [gpu.initial_seed() for gpu in gpus] == [5, 1, 5]
    assert all(torch.equal(gpu.get_state(), state) for gpu, state in zip(gpus, before, strict=True))


def test_what_no_generator_is_known_of_is_seeded_as_torch_does(monkeypatch):
    seeds = []
    monkeypatch.setattr(torch, "manual_seed", seeds.append)
    with seeded(torch.nn.Linear(1, 1, device="meta"), 5):
        assert seeds == [5]
