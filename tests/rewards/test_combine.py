import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.rewards import combine


def constant(scores):
    def reward(prompts, completions, **columns):
        return scores

    return reward


score = st.one_of(st.none(), st.just(math.nan), st.floats(-5, 5))


@given(st.integers(1, 4), st.integers(1, 3), st.data())
def test_it_is_the_weighted_sum_of_what_there_is(n, n_rewards, data):
    columns = [data.draw(st.lists(score, min_size=n, max_size=n)) for _ in range(n_rewards)]
    weights = data.draw(st.lists(st.floats(-3, 3), min_size=n_rewards, max_size=n_rewards))
    found = combine([constant(column) for column in columns], weights)(prompts=["?"] * n, completions=["!"] * n)
    for row, value in enumerate(found):
        there = [(w, c[row]) for w, c in zip(weights, columns, strict=True) if c[row] is not None]
        there = [weight * given for weight, given in there if given == given]
        assert (value is None) == (not there)
        assert value is None or value == pytest.approx(sum(there), abs=1e-9)


def test_every_function_gets_what_trl_gives():
    def needs(prompts, completions, completion_ids, topic, **columns):
        return [
            float(len(prompt) + len(ids) + len(t))
            for prompt, ids, t in zip(prompts, completion_ids, topic, strict=True)
        ]

    both = combine([needs, needs], name="twice")
    assert both.__name__ == "twice"
    assert both(prompts=["ab"], completions=["c"], completion_ids=[[1]], topic=["xyz"], trainer_state=None) == [12.0]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="at least one reward function"):
        combine([])
    with pytest.raises(ValueError, match=r"one finite number for each of 1 rewards, got \[1.0, 2.0\]"):
        combine([constant([1.0])], [1, 2])
    with pytest.raises(ValueError, match="one finite number for each"):
        combine([constant([1.0])], [math.inf])
    with pytest.raises(ValueError, match="The reward 'reward' returned 1 scores for 2 completions"):
        combine([constant([1.0])])(prompts=["?"] * 2, completions=["a", "b"])
