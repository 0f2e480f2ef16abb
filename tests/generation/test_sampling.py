import pytest


torch = pytest.importorskip("torch", reason="sampling needs the extra `generation`")
tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

from hfdiv.generation import mean_log_probabilities, sample  # noqa: E402


@pytest.fixture(scope="module")
def model():
    model = tiny.tiny_model().eval()
    model.generation_config.suppress_tokens = [0, 2]  # <pad> and <unk> would vanish from the texts
    return model


def test_every_prompt_gets_its_replies_in_order(model):
    tokenizer = tiny.tiny_tokenizer()
    done = []
    results = sample(
        model, tokenizer, ["one", "two red", "three"], 4, max_new_tokens=8, batch_size=8, on_progress=done.append
    )
    assert [len(result.responses) for result in results] == [4, 4, 4]
    assert done == [2, 3]
    for result in results:
        for text, finished in zip(result.responses, result.finished, strict=True):
            assert "<eos>" not in text
            assert "<pad>" not in text
            assert finished or len(text.split()) == 8


def test_finished_means_ended_before_the_limit(model):
    results = sample(model, tiny.tiny_tokenizer(), ["one"], 64, max_new_tokens=8)
    finished = [text for text, end in zip(results[0].responses, results[0].finished, strict=True) if end]
    assert 0 < len(finished) < 64
    assert all(len(text.split()) < 8 for text in finished)


def test_a_seed_fixes_the_replies_and_leaves_the_callers_generator_alone(model):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = sample(model, tiny.tiny_tokenizer(), ["one"], 4, seed=1)
    assert torch.equal(torch.rand(2), expected)
    assert sample(model, tiny.tiny_tokenizer(), ["one"], 4, seed=1) == first
    assert sample(model, tiny.tiny_tokenizer(), ["one"], 4, seed=2) != first


def sampled(model):
    sample(model, tiny.tiny_tokenizer(), ["one"], 2, max_new_tokens=2)


def rated(model):
    mean_log_probabilities(model, [[3, 4]], [[5]])


@pytest.mark.parametrize("use", [sampled, rated])
def test_what_the_first_forward_keeps_can_be_trained_with_afterwards(use):
    model, kept = tiny.tiny_model(), []

    def scale(module, inputs, output):
        if not kept:
            kept.append(torch.ones_like(output[0, 0]))  # made once and kept, as FSDP2 keeps its buffers
        return output * kept[0]

    model.get_input_embeddings().register_forward_hook(scale)
    use(model)
    ids = torch.tensor([[3, 4, 5]])
    model(input_ids=ids, labels=ids).loss.backward()
    assert kept[0]._version == 0  # an inference tensor has none
    assert not kept[0].is_inference()


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.0), ("num_return_sequences", 0)])
def test_a_bad_setting_is_refused(model, name, value):
    with pytest.raises(ValueError, match=name):
        sample(model, tiny.tiny_tokenizer(), ["one"], **{name: value})
