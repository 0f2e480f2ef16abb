import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model

from hfdiv import DiverseGRPOTrainer
from hfdiv.trainer import DiverseRLOOConfig, DiverseRLOOTrainer
from hfdiv.trainer.policy import PolicyStates
from tests.trainer.runs import build, logged, run
from tests.trainer.tiny import settings, tiny_model


PROMPTS = torch.tensor([[0, 3, 4], [5, 6, 7], [5, 6, 7]])  # the first is padded on the left


def written(model, **options):
    """Completions of the prompts, each up to its <eos>, and what was recorded meanwhile."""
    states = PolicyStates()
    torch.manual_seed(3)
    with states.recording(model):
        ids = model.generate(
            input_ids=PROMPTS,
            attention_mask=(PROMPTS != 0).long(),
            max_new_tokens=24,
            do_sample=True,
            pad_token_id=0,
            **options,
        )[:, 3:]
    rows = [row[: row.index(1) + 1] if 1 in row else row for row in ids.tolist()]
    return rows, states


def mean_states(model, rows):
    """The same by a second pass over each prompt with its completion."""
    found = []
    for prompt, row in zip(PROMPTS, rows, strict=True):
        prompt = prompt[prompt != 0]
        ids = torch.cat([prompt, torch.tensor(row)])[None]
        with torch.no_grad():
            hidden = model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0]
        mean = hidden[len(prompt) : -1].mean(dim=0)  # but for the token that ends it
        found.append((mean / mean.norm()).numpy())
    return np.array(found)


def test_the_states_kept_while_writing_are_those_of_a_second_pass():
    model = tiny_model().eval()
    rows, states = written(model)
    lengths = [len(row) for row in rows]
    assert len(set(lengths)) > 1
    assert min(lengths) > 1
    assert states.vectors(lengths).numpy() == pytest.approx(mean_states(model, rows), abs=1e-5)


def test_the_hook_is_gone_afterwards_even_after_an_error():
    model, states = tiny_model(), PolicyStates()
    with pytest.raises(KeyError), states.recording(model):
        raise KeyError
    assert not model.get_decoder()._forward_hooks


def test_it_finds_the_decoder_within_a_peft_model():
    model = get_peft_model(tiny_model(), LoraConfig(r=2, task_type="CAUSAL_LM")).eval()
    rows, states = written(model)
    assert torch.isfinite(states.vectors([max(len(row), 2) for row in rows])).all()


def test_a_reply_of_one_token_was_never_read():
    rows, states = written(tiny_model().eval())
    vectors = states.vectors([len(rows[0]), 1, len(rows[2])])
    assert torch.isnan(vectors[1]).all()
    assert torch.isfinite(vectors[[0, 2]]).all()


def test_replies_that_end_at_once_are_all_undefined():
    model, states = tiny_model().eval(), PolicyStates()
    with states.recording(model):
        model.generate(input_ids=PROMPTS, attention_mask=(PROMPTS != 0).long(), max_new_tokens=1, pad_token_id=0)
    vectors = states.vectors([1, 1, 1])
    assert vectors.shape == (3, model.config.hidden_size)
    assert torch.isnan(vectors).all()


def test_replies_that_were_not_written_here_are_refused():
    _, states = written(tiny_model().eval())
    with pytest.raises(RuntimeError, match="kept for .* steps, but the completions are up to 90 tokens long"):
        states.vectors([90, 2, 2])


@pytest.mark.parametrize(
    ("trainer_class", "config_class"), [(DiverseGRPOTrainer, None), (DiverseRLOOTrainer, DiverseRLOOConfig)]
)
@pytest.mark.parametrize("form", ["additive", "advantage"])
def test_a_trainer_learns_from_the_policys_states(trainer_class, config_class, form):
    args = [config_class] if config_class else []
    options = {"diversity_similarity": "policy", "diversity_form": form, "diversity_finished_only": False}
    trainer = run(trainer_class, settings(*args, max_steps=1, **options))
    assert 0 < logged(trainer, "diversity/novelty")[0] < 1
    assert 0 < logged(trainer, "diversity/counted")[0] <= 1


def test_it_is_refused_where_another_engine_writes():
    with pytest.raises(ValueError, match="`use_transformers_continuous_batching` bypasses"):
        build(DiverseGRPOTrainer, settings(diversity_similarity="policy", use_transformers_continuous_batching=True))
    with pytest.raises(ValueError, match="`rollout_func` bypasses"):
        build(DiverseGRPOTrainer, settings(diversity_similarity="policy"), rollout_func=print)
