import math

import numpy as np
import pytest
import torch

from hfdiv.demo.judge import Judge
from hfdiv.demo.texts import Message
from tests.rewards.test_quality import by_hand, letters
from tests.trainer.tiny import tiny_model, tiny_tokenizer


MESSAGES = [Message("colour", "red green"), Message("number", "one two")]


@pytest.fixture(scope="module")
def judge():
    return Judge(letters, tiny_model().eval(), tiny_tokenizer())


def test_records_hold_what_was_said_and_what_is_known_of_it(judge):
    records = judge.records(MESSAGES, [["thanks soon", "red"], ["yes", "no"]], [[True, False], [True, True]])
    assert records.prompts == ["red green", "one two"]
    assert records.columns["finished"] == [[1.0, 0.0], [1.0, 1.0]]
    expected = by_hand(judge.model, judge.tokenizer, MESSAGES[0].prompt, " thanks soon <eos>")
    assert records.columns["logprob"][0][0] == pytest.approx(expected, abs=1e-5)
    unfinished = by_hand(judge.model, judge.tokenizer, MESSAGES[0].prompt, " red")
    assert records.columns["logprob"][0][1] == pytest.approx(unfinished, abs=1e-5)


def test_the_floor_is_the_tenth_percentile_of_the_good_replies(judge):
    good = judge.records(MESSAGES, [["thanks soon", "red"], ["yes", "no"]], [[True, True], [True, True]])
    _, fluency = judge.rewards(good)
    assert fluency.floor == pytest.approx(np.quantile(np.ravel(good.columns["logprob"]), 0.1))


def test_the_share_of_a_reply_is_its_exact_probability(judge):
    reply, tokenizer = "thanks soon", judge.tokenizer
    expected = []
    for message in MESSAGES:
        ids, said = tokenizer(message.prompt)["input_ids"], tokenizer(f" {reply}<eos>")["input_ids"]
        with torch.inference_mode():
            probabilities = judge.model(torch.tensor([ids + said])).logits[0].softmax(-1)
        expected.append(math.prod(float(probabilities[len(ids) + i - 1, token]) for i, token in enumerate(said)))
    assert judge.share(judge.model, MESSAGES, reply) == pytest.approx(np.mean(expected), rel=1e-4)
