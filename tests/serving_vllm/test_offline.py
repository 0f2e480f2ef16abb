"""vLLM in this process: the processor comes by its entry point, and writes what transformers writes."""

import numpy as np
import pytest

from hfdiv.generation import DecodingConfig
from tests.serving_vllm.wishes import DRAWN, HISTORY, PROMPTS, WISHES


N_TOKENS = 24


def written(llm, wishes, prompts=PROMPTS, **sampling):
    """The token ids of each prompt's reply, all prompts in one batch, each with its own wish."""
    from vllm import SamplingParams

    sampling = {"temperature": 0.0, "max_tokens": N_TOKENS, "ignore_eos": True, **sampling}
    params = [SamplingParams(extra_args=wish, **sampling) for wish in wishes]
    outputs = llm.generate(list(prompts), params, use_tqdm=False)
    return [list(output.outputs[0].token_ids) for output in outputs]


@pytest.fixture(scope="module")
def plain(llm):
    return written(llm, [None] * len(PROMPTS))


@pytest.fixture(scope="module")
def by_transformers(model_folder):
    """What `model.generate` writes with the same settings."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(model_folder)

    def write(wish, prompt):
        settings = {name: value for name, value in wish.items() if name != "history"}
        config = DecodingConfig(do_sample=False, max_new_tokens=N_TOKENS, **settings)
        histories = [wish["history"]] if "history" in wish else None
        inputs = tokenizer(prompt, return_tensors="pt")
        kwargs = config.generate_kwargs(model, tokenizer, histories)
        kwargs |= {"eos_token_id": None, "min_new_tokens": None}
        return model.generate(**inputs, **kwargs)[0, inputs["input_ids"].shape[1] :].tolist()

    return write


def test_without_parameters_vllm_writes_what_transformers_writes(plain, by_transformers):
    assert plain == [by_transformers({}, prompt) for prompt in PROMPTS]


@pytest.mark.parametrize("name", WISHES)
def test_greedy_decoding_gives_the_same_tokens_as_transformers(name, llm, plain, by_transformers):
    found = written(llm, [WISHES[name]] * len(PROMPTS))
    assert found == [by_transformers(WISHES[name], prompt) for prompt in PROMPTS]
    assert found != plain


def test_requests_of_one_batch_have_each_their_own_parameters(llm, plain):
    wishes = [None, *WISHES.values(), {"dry_multiplier": 0.0}]
    prompts = [PROMPTS[0]] * len(wishes)
    together = written(llm, wishes, prompts)
    assert together == [written(llm, [wish], [PROMPTS[0]])[0] for wish in wishes]
    assert together[0] == together[-1] == plain[0]
    assert len(set(map(tuple, together))) > 3


def test_requests_that_come_and_go_keep_their_own_state(llm):
    """Replies of different lengths: rows leave the batch, others take their place, and more wait outside."""
    wishes = [*WISHES.values(), None] * 2
    prompts = [PROMPTS[place % 3] for place in range(len(wishes))]
    from vllm import SamplingParams

    params = [
        SamplingParams(temperature=0.0, max_tokens=4 + 5 * (place % 4), ignore_eos=True, extra_args=wish)
        for place, wish in enumerate(wishes)
    ]
    together = [list(out.outputs[0].token_ids) for out in llm.generate(prompts, params, use_tqdm=False)]
    for place, ids in enumerate(together):
        (alone,) = llm.generate(prompts[place], params[place], use_tqdm=False)
        assert ids == list(alone.outputs[0].token_ids), wishes[place]


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_is_drawn_again_from_the_same_seed(name, llm):
    wish = [DRAWN[name]] * len(PROMPTS)
    drawn = written(llm, wish, temperature=1.0, seed=7)
    assert drawn == written(llm, wish, temperature=1.0, seed=7)
    assert drawn != written(llm, [None] * len(PROMPTS), temperature=1.0, seed=7)


def test_top_n_sigma_keeps_the_likeliest_and_xtc_takes_it(llm, plain):
    """With a very small n only the likeliest is left; XTC takes it away where another is likely."""
    narrow = written(llm, [{"top_n_sigma": 1e-6}] * len(PROMPTS), temperature=1.0, seed=1)
    assert narrow == plain
    firsts = [ids[0] for ids in written(llm, [{"xtc_probability": 1.0, "xtc_threshold": 0.02}] * 3, temperature=1.0)]
    assert np.count_nonzero([first != ids[0] for first, ids in zip(firsts, plain, strict=True)]) >= 1


def test_asking_for_the_sampled_tokens_changes_none(llm, plain):
    """What the processor does on a GPU, where the first runner would not tell it the tokens."""
    assert written(llm, [None] * len(PROMPTS), frequency_penalty=5e-324) == plain


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"dry_multiplyer": 1}, "Did you mean 'dry_multiplier'?"),
        ({"dry_multiplier": -1.0}, "`dry_multiplier` must be at least 0"),
        ({"dry_multiplier": "much"}, "`dry_multiplier` must be a number"),
        ({"history": HISTORY}, "`history` would do nothing"),
        ({"xtc_probability": 0.5}, "has a say in sampling only"),
    ],
)
def test_wrong_parameters_are_refused(llm, wish, message):
    from vllm.exceptions import VLLMValidationError

    with pytest.raises(VLLMValidationError, match=message.replace("?", r"\?")):
        written(llm, [wish], PROMPTS[:1])


def test_parameters_of_other_processors_pass(llm, plain):
    assert written(llm, [{"target_token": 5}], PROMPTS[:1]) == plain[:1]
