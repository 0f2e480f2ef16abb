import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.generation import DecodingConfig, generate_replies
from hfdiv.generation.choice import choose
from hfdiv.selection import select


TEXTS = ["I am so sorry about that.", "I am so sorry about this.", "Which size did you order?", "您好👋。", "", "Yes."]


@pytest.mark.parametrize("method", ["mmr", "max_min", "dpp"])
def test_without_faults_it_is_the_selection(method):
    quality = [-0.5, -0.4, -0.9, -0.1, -0.2, -0.3]
    for k in range(1, 7):
        assert choose(TEXTS, k, method, quality) == select(TEXTS, k, method, quality=quality)


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.integers(1, 8))
def test_fewer_faults_come_first_and_nobody_twice(faults, k):
    chosen = choose(TEXTS, k, "mmr", None, faults)
    assert len(chosen) == len(set(chosen)) == min(k, 6)
    order = [faults[place] for place in chosen]
    assert order == sorted(order)
    assert order == sorted(faults)[: len(order)]


def test_of_nothing_nothing_is_kept():
    assert choose([], 3) == []


def test_a_function_may_choose_for_generate_replies():
    tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")
    model, tokenizer = tiny.tiny_model().eval(), tiny.tiny_tokenizer()
    seen = []

    def last_and_first(replies):
        seen.append(replies)
        return [3, 0]

    config = DecodingConfig(max_new_tokens=6, num_return_sequences=2)
    options = {"best_of": 4, "selection": last_and_first}
    for replies in generate_replies(model, tokenizer, ["one", "two red"], config, **options):
        written = seen[replies.index]
        assert len(written.responses) == len(written.log_probabilities) == 4
        assert replies.responses == [written.responses[3], written.responses[0]]
        assert replies.log_probabilities == [written.log_probabilities[3], written.log_probabilities[0]]
