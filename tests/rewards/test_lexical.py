import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.rewards import (
    DistinctReward,
    DiversityEntropy,
    RepetitionReward,
    distinct_reward,
    diversity_entropy,
    repetition_reward,
)


words = st.lists(st.sampled_from(["a", "b", "c", "好", "🎉"]), max_size=8)


def entropy_over_log_length(tokens):
    if len(tokens) < 2:
        return 0.0
    shares = [count / len(tokens) for count in Counter(tokens).values()]
    return -sum(p * math.log(p) for p in shares) / math.log(len(tokens))


def unique_share(tokens, n):
    grams = list(zip(*(tokens[i:] for i in range(n)), strict=False))
    return len(set(grams)) / len(grams) if grams else None


def score(reward, *texts):
    return reward(prompts=["?"] * len(texts), completions=list(texts), completion_ids=[[1]] * len(texts), topic=["x"])


@given(st.lists(words, min_size=1, max_size=4))
def test_each_equals_its_formula(replies):
    texts = [" ".join(reply) for reply in replies]
    assert score(diversity_entropy, *texts) == pytest.approx([entropy_over_log_length(reply) for reply in replies])
    assert score(distinct_reward, *texts) == [
        value if value is None else pytest.approx(value) for value in (unique_share(reply, 2) for reply in replies)
    ]
    repeated = [unique_share(reply, 4) for reply in replies]
    assert score(repetition_reward, *texts) == pytest.approx([0 if u is None else u - 1 for u in repeated])
    assert all(0 <= value <= 1 for value in score(diversity_entropy, *texts))


def test_by_hand():
    assert score(diversity_entropy, "好好是是", "", "one") == [0.5, 0.0, 0.0]  # log 2 / log 4
    assert score(DistinctReward(n=1), "no no", "") == [0.5, None]
    assert score(RepetitionReward(n=1), "no no no no", "") == [-0.75, 0.0]


def test_the_tokenizer_decides():
    assert score(DiversityEntropy(tokenizer="whitespace"), "a, a") == [1.0]
    assert score(diversity_entropy, "a, a") == pytest.approx([entropy_over_log_length(["a", ",", "a"])])


def test_chat_messages_are_read():
    assert score(distinct_reward, [{"role": "assistant", "content": "no no no"}]) == [0.5]


@pytest.mark.parametrize("reward", [DistinctReward, RepetitionReward])
def test_bad_arguments_are_refused(reward):
    with pytest.raises(ValueError, match="`n` must be an integer of at least 1, got 0"):
        reward(n=0)
    with pytest.raises(ValueError, match="tokenizer"):
        reward(tokenizer="no such")
