import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.rewards import NoveltyReward, novelty_reward
from hfdiv.rewards.novelty import whole_groups


def rows(groups):
    return [row for start, stop in groups for row in range(start, stop)]


def jaccard_distance(left, right):
    left, right = (set(zip(text.split(), text.split()[1:], strict=False)) for text in (left, right))
    return 1 - len(left & right) / len(left | right)


reply = st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=5).map(" ".join)


@given(st.integers(2, 4), st.data())
def test_novelty_is_the_mean_jaccard_distance_to_the_rest_of_the_group(size, data):
    prompts = [prompt for prompt in "xyz" for _ in range(size)]
    completions = data.draw(st.lists(reply, min_size=len(prompts), max_size=len(prompts)))
    expected = []
    for start in range(0, len(prompts), size):
        group = completions[start : start + size]
        for i, own in enumerate(group):
            others = [jaccard_distance(own, other) for j, other in enumerate(group) if j != i]
            expected.append(sum(others) / len(others))
    assert novelty_reward(prompts, completions) == pytest.approx(expected)
    assert NoveltyReward(num_generations=size)(prompts, completions) == pytest.approx(expected)


def test_groups_do_not_mix_and_chat_prompts_have_groups_too():
    chats = [[{"role": "user", "content": text}] for text in ("Hi", "Hi", "Bye", "Bye")]
    assert novelty_reward(chats, ["a b", "a b", "a b", "c d"]) == [0.0, 0.0, 1.0, 1.0]


def test_undefined_is_none():
    assert novelty_reward(["x"], ["a b"]) == [None]  # a group of one
    assert novelty_reward(["x"] * 3, ["a b", "", "c d"]) == [1.0, None, 1.0]
    assert novelty_reward(["x"] * 2, ["", ""]) == [None, None]


def test_any_similarity_goes():
    def same_length(texts):
        return np.array([[float(len(a) == len(b)) for b in texts] for a in texts])

    assert NoveltyReward(similarity=same_length)(["x"] * 3, ["a", "b", "好吗"]) == [0.5, 0.5, 1.0]


def test_a_prompt_drawn_twice_in_a_row_is_two_groups_where_the_size_is_known():
    prompts, completions = ["x"] * 4, ["a b", "a b", "c d", "c d"]
    assert NoveltyReward(num_generations=2)(prompts, completions) == [0.0] * 4
    assert novelty_reward(prompts, completions) == pytest.approx([2 / 3] * 4)


class Model:
    training = True


class Trainer:
    num_generations, num_generations_eval = 4, 1

    def __init__(self):
        self.model = Model()

    def log_metric(self, name, value): ...


def test_a_part_of_a_group_is_refused():
    with pytest.raises(ValueError, match=r"The 2 completions of one prompt from row 4 on are not whole groups of 4"):
        NoveltyReward(num_generations=4)(["x"] * 4 + ["y"] * 2, ["a b"] * 6)
    with pytest.raises(ValueError, match=r"runs of \[3, 1, 2\] completions, which are not whole groups of one size"):
        novelty_reward(list("xxxyzz"), ["a b"] * 6)


def test_the_trainer_knows_the_size_of_a_group():
    trainer = Trainer()
    with pytest.raises(ValueError, match="not whole groups of 4.*per_device_train_batch_size"):
        novelty_reward(["x"] * 3, ["a b"] * 3, log_metric=trainer.log_metric)
    trainer.model.training = False
    assert novelty_reward(["x"] * 2, ["a b"] * 2, log_metric=trainer.log_metric) == [None, None]
    assert novelty_reward(["x"] * 3, ["a b"] * 3, log_metric=print) == [0.0] * 3


@given(st.integers(1, 4), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_the_groups_are_all_rows_in_order(size, repeats):
    prompts = [place for place, n in enumerate(repeats) for _ in range(n * size)]
    groups = whole_groups(prompts, size)
    assert rows((group.start, group.stop) for group in groups) == list(range(len(prompts)))
    assert all(group.stop - group.start == size and len(set(prompts[group])) == 1 for group in groups)
    if math.gcd(*repeats) * size > 1:
        found = rows((group.start, group.stop) for group in whole_groups(prompts, None))
        assert found == list(range(len(prompts)))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="`num_generations` must be an integer of at least 1, got 0"):
        NoveltyReward(num_generations=0)
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1, got 1.5"):
        NoveltyReward(n=1.5)


def test_it_can_be_pickled():
    copy = pickle.loads(pickle.dumps(novelty_reward))
    assert copy(["x"] * 2, ["a b", "c d"]) == [1.0, 1.0]
