import pytest

from hfdiv.rewards import PerReply
from hfdiv.rewards.form import WithOptions, as_reward


CHAT = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "Bye"},
]


def call(reward, prompts, completions, **columns):
    """As TRL calls it."""
    given = {"trainer_state": None, "log_extra": print, "log_metric": print}
    return reward(prompts=prompts, completions=completions, completion_ids=[[1]] * len(prompts), **given, **columns)


def counts(response, history, bonus=0.0):
    return None if not response else len(history) + bonus


def lengths(completions, unit=1, **columns):
    return [len(completion) / unit for completion in completions]


class Lengths:
    def __init__(self, unit, scale=1):
        self.factor = scale / unit

    def __call__(self, completions, **columns):
        return [len(completion) * self.factor for completion in completions]


class Anything:
    def __init__(self, **options):
        self.options = options

    def __call__(self, completions, **columns):
        return [self.options["value"]] * len(completions)


async def later(completions, model="a", **columns): ...


async def later_per_reply(response, history): ...


class Counts:
    def __call__(self, response, history):
        return float(len(history))


def test_a_function_of_one_reply_sees_its_text_and_its_history():
    seen = []

    def mine(response, history):
        seen.append((response, history))
        return 0.5

    reply = [{"role": "assistant", "content": "好的"}]
    assert call(as_reward(mine), [CHAT, "Hi"], [reply, "Yes"]) == [0.5, 0.5]
    assert seen == [("好的", ["Hello!"]), ("Yes", [])]
    call(as_reward(mine), ["Hi"], ["No"], history=[["One.", "Two."]])
    assert seen[-1] == ("No", ["One.", "Two."])


def test_both_forms_take_options_and_keep_their_names():
    reward = as_reward(counts, {"bonus": 2.0})
    assert (type(reward), reward.__name__) == (PerReply, "counts")
    assert call(reward, [CHAT, CHAT], ["Yes", ""]) == [3.0, None]
    reward = as_reward(lengths, {"unit": 2})
    assert (type(reward), reward.__name__) == (WithOptions, "lengths")
    assert call(reward, ["?"], ["four"], unit=["a column of that name"]) == [2.0]
    assert as_reward(lengths) is lengths
    assert as_reward(later) is later


def test_a_class_is_made_with_its_options():
    assert call(as_reward(Lengths, {"unit": 2}), ["?"], ["four"]) == [2.0]
    reward = as_reward(Counts, name="my_counts")
    assert reward.__name__ == "my_counts"
    assert call(reward, [CHAT], ["Yes"]) == [1.0]
    assert call(as_reward(Anything, {"value": 3.0}), ["?"], ["!"]) == [3.0]
    assert call(as_reward(Lengths(unit=4)), ["?"], ["four"]) == [1.0]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        (lengths, {"unti": 2}, "'lengths' has no option 'unti'. Did you mean 'unit'?"),
        (lengths, {"completions": 2}, "'lengths' has no option 'completions'"),
        (counts, {"history": []}, "'counts' has no option 'history'. There are: bonus."),
        (Lengths, {"unit": 1, "scael": 2}, "'Lengths' has no option 'scael'. Did you mean 'scale'?"),
        (Lengths, {}, "'Lengths' needs the option 'unit'."),
        (Lengths(1), {"unit": 1}, "'Lengths' has no option 'unit'. There are: none."),
        (later, {"model": "b"}, "'later' is asynchronous: it must take what TRL gives"),
        (later_per_reply, {}, "'later_per_reply' is asynchronous"),
        (7, {}, "(response, history), or what TRL gives: (prompts, completions, **columns); 'int' cannot be called."),
        (int, {}, "'int' cannot be called."),
        (lambda completions: [], {}, "takes (completions). In TRL's form it must end with **columns"),
        (lambda history, response: 0.0, {}, "takes (history, response)"),
    ],
)
def test_what_does_not_fit_is_said(target, options, message):
    with pytest.raises(TypeError) as caught:
        as_reward(target, options)
    assert message in str(caught.value)
