"""What a user may get wrong: a clear error or a defined result, and a run that can be taken up again."""

import math

import pytest

from hfdiv import DiverseGRPOTrainer
from tests.trainer.runs import Spy, build, one_step, run
from tests.trainer.tiny import settings, wants_thanks


FORMS = ("additive", "multiplicative", "adjustment", "set_marginal", "frequency", "advantage")


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_reward_is_named_with_its_function(value):
    def broken(completions, **_):
        return [value if index == 2 else 0.0 for index in range(len(completions))]

    with pytest.raises(ValueError, match=f"'broken' returned {value} for completion 2"):
        run(DiverseGRPOTrainer, settings(max_steps=1), reward_funcs=[wants_thanks, broken])


@pytest.mark.parametrize("form", FORMS)
def test_without_any_reward_nothing_moves(form, tmp_path):
    def silent(completions, **_):
        return [None, math.nan] * (len(completions) // 2)

    one_step(tmp_path, diversity_form=form, reward_funcs=[silent], quality_gate="running", max_completion_length=4)
    assert (Spy.advantages == 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_empty_and_identical_replies_have_defined_advantages(form):
    batches = [[""] * 8, ["order red late"] * 8, ["", "order red late", "yes", "no"] * 2]
    advantages = []

    class Fixed(Spy):
        def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
            texts = batches[len(advantages)]
            return super()._calculate_rewards(inputs, prompts, texts, [[1]] * 8)  # each ended by itself

        def _generate_and_score_completions(self, inputs):
            output = super()._generate_and_score_completions(inputs)
            advantages.append(output["advantages"].tolist())
            return output

    run(Fixed, settings(max_steps=3, diversity_form=form, diversity_weight=1.0, max_completion_length=4))
    empty, identical, mixed = advantages
    assert empty == [0.0] * 8
    assert identical == pytest.approx([0.0] * 8, abs=1e-6)
    assert all(math.isfinite(each) for each in mixed)
    assert len(set(mixed)) > 1


def test_a_reward_function_that_fails_leaves_a_checkpoint_to_go_on_from(tmp_path):
    calls = []

    def fails_at_the_third(completions, **_):
        calls.append(len(completions))
        if len(calls) == 3:
            raise OSError("the judge does not answer")
        return wants_thanks(completions)

    options = {"output_dir": str(tmp_path), "save_strategy": "steps", "save_steps": 1, "max_steps": 3}
    with pytest.raises(OSError, match="the judge does not answer"):
        run(DiverseGRPOTrainer, settings(**options), reward_funcs=fails_at_the_third)
    trainer = build(DiverseGRPOTrainer, settings(**options))
    trainer.train(resume_from_checkpoint=True)
    assert trainer.state.global_step == 3


def test_a_reward_function_that_forgets_a_completion():
    def short(completions, **_):
        return [0.0] * (len(completions) - 1)

    with pytest.raises(ValueError, match="'short' returned 7 rewards, but 8 were expected"):
        run(DiverseGRPOTrainer, settings(max_steps=1), reward_funcs=short)


def test_a_group_size_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="num_generations"):
        settings(num_generations=3)


def test_the_names_of_our_own_columns_are_taken():
    def history(completions, **_):
        return [0.0] * len(completions)

    with pytest.raises(ValueError, match="already named 'history'"):
        build(DiverseGRPOTrainer, settings(history_weight=0.5), reward_funcs=[history])
    assert build(DiverseGRPOTrainer, settings(), reward_funcs=[history]).reward_func_names == ["history", "diversity"]
