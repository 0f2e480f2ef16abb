import asyncio
import inspect
import pickle

import numpy as np
import pytest

from hfdiv.rewards import checked, novelty_reward


def returning(scores):
    def mine(prompts, completions, **columns):
        return scores

    return checked(mine)


def call(reward, n=2):
    return reward(prompts=["?"] * n, completions=["first", "second"][:n], completion_ids=[[1]] * n)


@pytest.mark.parametrize("scores", [[1, None], (True, None), [np.float32(1), None]])
def test_numbers_and_none_pass_as_floats(scores):
    assert call(returning(scores)) == [1.0, None]


def test_arrays_and_tensors_pass():
    assert call(returning(np.array([1.0, 2.0]))) == [1.0, 2.0]
    torch = pytest.importorskip("torch", reason="a tensor needs torch")
    assert call(returning(torch.tensor([1.0, 2.0]))) == [1.0, 2.0]
    assert call(returning([torch.tensor(1.0), None])) == [1.0, None]


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        ([1.0, float("nan")], ValueError, r"'mine' returned nan for completion 1, 'second'\. Return None where"),
        ([float("inf"), 1.0], ValueError, r"'mine' returned inf for completion 0, 'first'"),
        (np.array([1.0, -np.inf]), ValueError, r"'mine' returned -inf for completion 1"),
        ([1.0], ValueError, "'mine' returned 1 scores for 2 completions"),
        ([1.0] * 3, ValueError, "'mine' returned 3 scores for 2 completions"),
        ([1.0, "good"], TypeError, "'mine' returned 'good' for completion 1, 'second': a score must be a number"),
        ([[1.0], [2.0]], TypeError, r"'mine' returned \[1.0\] for completion 0"),
        (np.ones((2, 1)), TypeError, r"'mine' returned \[1.0\] for completion 0"),
        (1.0, TypeError, "'mine' returned float 1.0: it must return a list"),
        (np.array(1.0), TypeError, "'mine' returned ndarray array\\(1.\\): it must return a list"),
        (iter([1.0, 2.0]), TypeError, "'mine' returned list_iterator"),
        ([1j, 1.0], TypeError, "'mine' returned 1j for completion 0"),
        (None, TypeError, "'mine' returned NoneType None: it must return a list"),
        ("ab", TypeError, "'mine' returned str 'ab': it must return a list"),
        ({0: 1.0, 1: 2.0}, TypeError, "'mine' returned dict"),
    ],
)
def test_what_is_no_score_is_named(scores, error, message):
    with pytest.raises(error, match=message):
        call(returning(scores))


def fails(completions, **columns):
    raise LookupError("no entry")


def test_what_the_function_raises_is_named_and_kept():
    with pytest.raises(RuntimeError, match="The reward 'fails' raised LookupError: no entry") as caught:
        call(checked(fails))
    assert isinstance(caught.value.__cause__, LookupError)
    with pytest.raises(RuntimeError, match="The reward 'label' raised"):
        call(checked(fails, name="label"))


def test_its_name_is_the_functions():
    assert checked(fails).__name__ == "fails"
    assert checked(novelty_reward).__name__ == "novelty_reward"
    assert checked(novelty_reward, "mine").__name__ == "mine"


def test_it_can_be_pickled():
    copy = pickle.loads(pickle.dumps(checked(novelty_reward, "mine")))
    assert copy.__name__ == "mine"
    assert copy(prompts=["x"] * 2, completions=["a b", "c d"]) == [1.0, 1.0]


async def later(completions, **columns):
    await asyncio.sleep(0)
    return [float("nan")] if completions == ["first"] else [1.0] * len(completions)


def test_an_asynchronous_function_stays_one():
    reward = checked(later)
    assert inspect.iscoroutinefunction(type(reward).__call__)
    assert asyncio.run(call(reward)) == [1.0, 1.0]
    with pytest.raises(ValueError, match="'later' returned nan for completion 0"):
        asyncio.run(call(reward, n=1))
