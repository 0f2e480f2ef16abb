import json
import math
import random
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers import TrainerControl, TrainerState

from hfdiv.diversity import distinct_n
from hfdiv.trainer import DiverseGRPOTrainer
from hfdiv.trainer.target import INTEGRAL_BOUND, DiversityTargetCallback, TargetController
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer


levels = st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), min_size=1, max_size=6)
runs = st.lists(levels, min_size=1, max_size=30)


class Plant:
    """A policy as the controller sees it: the weight is a force, the optimizer's momentum carries it on."""

    def __init__(self, start=0.19, speed=0.004, momentum=0.9, pull=1.0, noise=0.0, seed=0):
        self.level, self.rate = start, 0.0
        self.speed, self.momentum, self.pull, self.noise = speed, momentum, pull, noise
        self.rng = np.random.default_rng(seed)

    def groups(self):
        return np.clip(self.level + self.noise * self.rng.standard_normal(4), 0.05, 1.0)

    def step(self, weight):
        self.rate = self.momentum * self.rate + (1 - self.momentum) * self.speed * (weight - self.pull)
        self.level = float(np.clip(self.level + self.rate, 0.1, 0.9))


def simulate(controller, plant, steps=200):
    seen = []
    for _ in range(steps):
        values = plant.groups()
        seen.append(values.mean())
        plant.step(controller.weights(values).mean())
    return np.array(seen)


def moving_mean(values, width):
    return np.convolve(values, np.ones(width) / width, mode="valid")


def law(history, target, gain=40.0, damping=5.0, integral_gain=1.0, bound=8.0, share=0.3, own=0.3):
    """The law as its docstring has it, over a whole history at once; the weights of the last step."""
    means = [np.nanmean(step) for step in history if not np.isnan(step).all()]
    average = [means[0]]
    for mean in means:
        average.append((1 - share) * average[-1] + share * mean)
    integral = 0.0
    for before, now in zip(average, average[1:], strict=False):
        whole = abs(gain * (target - now) + integral)
        assume(abs(whole - bound) > 1e-9)  # there rounding decides whether the integral stands still
        if whole < bound:
            rise = np.clip(target - now, -0.05, 0.05) - damping * (now - before)
            integral = float(np.clip(integral + integral_gain * rise, -2, 2))
    last = np.array(history[-1])
    trend = average[-1] - average[-2]
    heard = own * last + (1 - own) * means[-1]
    return np.nan_to_num(np.clip(gain * (target - heard - damping * trend) + integral, -bound, bound))


def test_the_first_steps_by_hand():
    controller = TargetController(0.4)
    assert controller.weights([0.3, 0.5]) == pytest.approx([1.2, -1.2])  # level 0.4: no error, no trend
    # Level 0.4 + 0.3 · 0.02 = 0.406, trend 0.006; integral 1 · (−0.006 − 5 · 0.006) = −0.036. The groups lie 0.01 from
    # their mean of 0.42, and 0.003 of that counts.
    assert controller.weights([0.41, 0.43]) == pytest.approx(
        [40 * (-0.017 - 0.03) - 0.036, 40 * (-0.023 - 0.03) - 0.036]
    )
    assert controller.state_dict() == pytest.approx({"level": 0.406, "integral": -0.036})


@given(runs, st.floats(0.05, 1.0))
def test_weights_are_those_of_the_formula(history, target):
    controller = TargetController(target)
    for step in history:
        weights = controller.weights(step)
    if np.isnan(history[-1]).all():
        assert weights.tolist() == [0.0] * len(history[-1])
    else:
        assert weights == pytest.approx(law(history, target), abs=1e-6)


@given(runs, st.floats(0.05, 1.0), st.floats(2.5, 10.0))
def test_weights_and_integral_stay_within_their_bounds(history, target, bound):
    controller = TargetController(target, max_weight=bound)
    for step in history:
        weights = controller.weights(step)
        assert weights.shape == (len(step),)
        assert (np.abs(weights) <= bound).all()
        assert (weights[np.isnan(step)] == 0).all()
        assert abs(controller.state_dict()["integral"]) <= INTEGRAL_BOUND


@given(runs, runs)
def test_state_goes_through_json_and_on_as_before(before, after):
    controller = TargetController(0.35)
    for step in before:
        controller.weights(step)
    other = TargetController(0.35)
    other.load_state_dict(json.loads(json.dumps(controller.state_dict())))
    for step in after:
        assert other.weights(step).tolist() == controller.weights(step).tolist()
    assert other.state_dict() == controller.state_dict()


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8), st.integers(0, 2**32 - 1))
def test_the_order_of_the_groups_does_not_matter(values, seed):
    order = np.random.default_rng(seed).permutation(len(values))
    first, second = TargetController(0.4), TargetController(0.4)
    for _ in range(3):
        assert second.weights(np.array(values)[order]) == pytest.approx(first.weights(values)[order])


@given(st.floats(0.0, 0.3), st.floats(0.0, 0.3))
def test_the_more_uniform_group_has_the_larger_weight(low, gap):
    weights = TargetController(0.35).weights([low, low + gap])
    assert weights[0] >= weights[1]


def test_undefined_groups_leave_the_state_alone():
    controller = TargetController(0.35)
    assert controller.weights([math.nan, math.nan]).tolist() == [0.0, 0.0]
    assert controller.state_dict() == {"level": None, "integral": 0.0}
    controller.weights([0.33])
    state = controller.state_dict()
    assert controller.weights([math.nan]).tolist() == [0.0]
    assert controller.state_dict() == state
    assert TargetController(0.35).weights([0.2, math.nan])[0] == TargetController(0.35).weights([0.2])[0]


def test_it_does_not_wind_up_where_the_target_is_out_of_reach():
    controller = TargetController(0.5)
    for _ in range(1000):
        assert controller.weights([0.2]).tolist() == [8.0]
    assert controller.state_dict()["integral"] == 0
    assert controller.weights([0.6])[0] < -1, "it pushes back at once"


def test_the_integral_never_outweighs_an_error_of_its_bound():
    controller = TargetController(0.5)
    for _ in range(200):
        controller.weights([0.47])
    assert controller.state_dict()["integral"] == INTEGRAL_BOUND
    assert controller.weights([0.56])[0] < 0, "more than the bound / gain above the target"
    for _ in range(200):
        controller.weights([0.56])
    assert controller.state_dict()["integral"] == -INTEGRAL_BOUND


def test_the_way_to_the_target_leaves_little_in_the_integral():
    controller = TargetController(0.5)
    for level in np.arange(0.19, 0.5, 0.005):
        controller.weights([level])
    assert abs(controller.state_dict()["integral"]) < INTEGRAL_BOUND / 2


@pytest.mark.parametrize("target", [0.25, 0.35, 0.5, 0.7])
@pytest.mark.parametrize("speed", [0.002, 0.01])
@pytest.mark.parametrize("pull", [0.0, 1.5])
def test_it_settles_at_the_target_and_stays(target, speed, pull):
    for seed in range(3):
        seen = simulate(TargetController(target), Plant(speed=speed, pull=pull, noise=0.04, seed=seed), steps=320)
        assert moving_mean(seen[-80:], 40) == pytest.approx(np.full(41, target), abs=0.04)
        assert moving_mean(seen, 5).max() <= target + 0.08


def test_it_comes_down_as_well():
    seen = simulate(TargetController(0.3), Plant(start=0.8, noise=0.04), steps=320)
    assert seen[:5].mean() > 0.7
    assert moving_mean(seen[-80:], 40) == pytest.approx(np.full(41, 0.3), abs=0.03)


def test_damping_lowers_the_peak():
    fast = {"speed": 0.02, "momentum": 0.95}
    undamped = simulate(TargetController(0.35, damping=0.0), Plant(**fast)).max()
    assert undamped > 0.35 + 0.03
    assert simulate(TargetController(0.35), Plant(**fast)).max() < 0.35 + 0.005


def test_the_integral_takes_away_what_the_gain_leaves():
    def rest(**arguments):
        return 0.35 - simulate(TargetController(0.35, **arguments), Plant(pull=0.8), steps=400)[-40:].mean()

    assert rest(integral_gain=0.0) == pytest.approx(0.8 / 40, abs=0.005)
    assert rest() == pytest.approx(0.0, abs=0.005)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"target": 0.0}, ValueError, "`target` must be a finite number above 0 and at most 1, got 0.0."),
        ({"target": 1.2}, ValueError, "`target` .* got 1.2."),
        ({"target": math.nan}, ValueError, "`target` .* got nan."),
        ({"target": "0.35"}, TypeError, "`target` must be a number, got '0.35'."),
        ({"target": True}, TypeError, "`target` must be a number, got True."),
        ({"gain": 0}, ValueError, "`gain` must be a finite number above 0, got 0."),
        ({"gain": math.inf}, ValueError, "`gain` .* got inf."),
        ({"damping": -1}, ValueError, "`damping` must be a finite number at least 0, got -1."),
        ({"integral_gain": -0.1}, ValueError, "`integral_gain` .* got -0.1."),
        ({"max_weight": 2.0}, ValueError, "`max_weight` must be a finite number above 2, got 2.0."),
        ({"smoothing": 0}, ValueError, "`smoothing` must be a finite number above 0 and at most 1, got 0."),
    ],
)
@pytest.mark.parametrize("made", [TargetController, DiversityTargetCallback])
def test_arguments_out_of_range(made, arguments, error, message):
    with pytest.raises(error, match=message):
        made(**{"target": 0.35, **arguments})


@pytest.mark.parametrize("values", [[0.3, math.inf], [[0.3]], 0.3])
def test_values_that_are_none(values):
    with pytest.raises(ValueError, match="one finite number or NaN for each group"):
        TargetController(0.35).weights(values)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "`level` and `integral`, got \\[\\]"),
        ({"level": 0.3, "integral": 7.0}, "`integral` .* got 7.0"),
        ({"level": math.inf, "integral": 0.0}, "`level` .* got inf"),
    ],
)
def test_a_state_that_is_none(state, message):
    with pytest.raises(ValueError, match=message):
        TargetController(0.35).load_state_dict(state)


def test_the_callback_survives_what_transformers_does_with_it():
    callback = DiversityTargetCallback(0.35, gain=10.0)
    callback.controller.weights([0.33, 0.34])
    saved = json.loads(json.dumps(callback.state()))
    copy = DiversityTargetCallback.from_state(saved)
    assert copy.controller.gain == 10.0
    assert copy.state() == callback.state()
    assert copy.controller.weights([0.3]).tolist() == callback.controller.weights([0.3]).tolist()


def test_the_callback_takes_up_what_the_checkpoint_holds():
    saved = DiversityTargetCallback(0.35)
    saved.controller.weights([0.33, 0.34])
    fresh = DiversityTargetCallback(0.5)
    state = TrainerState(stateful_callbacks=[saved])
    fresh.on_train_begin(None, state, TrainerControl())
    assert fresh.controller_state == saved.controller_state
    assert fresh.controller.target == 0.5

    without = TrainerState(stateful_callbacks=[])
    fresh.on_train_begin(None, without, TrainerControl())
    assert without.stateful_callbacks["DiversityTargetCallback"] == fresh.state(), "or saving would fail later"


# A short form of benchmarks/headline_exact.py: a grammar of 48 replies in the tiny model's words.
SLOTS = (("red", "green", "blue"), ("one", "two", "three", "four"), ("yes", "no"), ("please", "thanks"))
VALID = re.compile(" ".join(f"({'|'.join(slot)})" for slot in SLOTS))


def taught(steps, reply, learning_rate, model):
    """Train the model to answer with what `reply` returns."""
    tokenizer, asked = tiny_tokenizer(), list(prompts(16)["prompt"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        batch = tokenizer([f"{prompt} {reply()} <eos>" for prompt in asked], return_tensors="pt")
        labels = batch["input_ids"].clone()
        labels[:, :3] = -100  # the prompt
        model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


@pytest.fixture(scope="module")
def monotone():
    """Weights of a model that knows the grammar and nearly always says the same."""
    torch.manual_seed(0)
    rng = random.Random(0)
    model = taught(150, lambda: " ".join(map(rng.choice, SLOTS)), 1e-2, tiny_model())
    return taught(25, lambda: "red one yes please", 2e-3, model).state_dict()


class Judge:
    """Validity as the quality reward, with a record of what was generated."""

    __name__ = "validity"

    def __init__(self):
        self.distinct, self.valid = [], []

    def __call__(self, completions, **_):
        verdicts = [float(VALID.fullmatch(completion) is not None) for completion in completions]
        groups = [completions[start : start + 8] for start in range(0, len(completions), 8)]
        self.distinct.append(distinct_n(groups, n=2).value)
        self.valid.append(np.mean(verdicts))
        return verdicts


def test_a_monotone_model_goes_to_the_target_and_stays_valid(monotone):
    model, judge = tiny_model(), Judge()
    model.load_state_dict(monotone)
    config = settings(
        per_device_train_batch_size=32,
        num_generations=8,
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        max_steps=80,
        logging_strategy="no",
        diversity_form="advantage",
        diversity_target=0.4,
        quality_gate=1.0,
    )
    trainer = DiverseGRPOTrainer(model, judge, args=config, train_dataset=prompts(), processing_class=tiny_tokenizer())
    trainer.train()
    assert np.mean(judge.distinct[:3]) < 0.3
    assert np.mean(judge.distinct[-20:]) == pytest.approx(0.4, abs=0.05)
    assert moving_mean(judge.distinct, 5).max() <= 0.4 + 0.08
    assert np.mean(judge.valid[-20:]) >= np.mean(judge.valid[:3]) - 0.03
