"""Tests of hfdiv/ab/samples.py."""

from hfdiv.ab.row import Conversation
from hfdiv.ab.samples import choose_samples
from hfdiv.data.conversations.turns import Turn


def talk(unit, question, reply="Yes."):
    turns = [Turn("user", question, {}), Turn("assistant", reply, {})]
    return {unit: [Conversation("e", "a", unit, "c", 0.0, {"abandoned": 1.0}, turns, [reply] if reply else [])]}


def test_the_same_questions_are_set_side_by_side():
    texts = {
        "control": {**talk("u1", "One?"), **talk("u2", "Two?"), **talk("u3", "Three?")},
        "varied": {**talk("v1", "three? "), **talk("v2", "Four?"), **talk("v3", "One?")},
    }
    found = choose_samples(texts, 5)
    assert all(sample.same_question for sample in found)
    assert [[each.unit for each in sample.talks.values()] for sample in found] == [["u1", "v3"], ["u3", "v1"]]
    assert found[0].to_dict()["conversations"]["varied"]["messages"][0] == {"role": "user", "content": "One?"}


def test_without_common_questions_there_are_still_some():
    texts = {
        "control": {**talk("u1", "A"), **talk("u2", "B"), **talk("u3", "C")},
        "varied": {**talk("v1", "D"), **talk("v2", "E")},
    }
    found = choose_samples(texts, 2)
    assert [[each.unit for each in sample.talks.values()] for sample in found] == [["u1", "v1"], ["u2", "v2"]]
    assert not found[0].same_question


def test_there_may_be_none():
    assert choose_samples({"control": talk("u1", "A"), "varied": {}}, 3) == []
    assert choose_samples({"control": talk("u1", "A"), "varied": talk("v1", "A")}, 0) == []
    assert choose_samples({"control": talk("u1", "A", ""), "varied": talk("v1", "A")}, 3) == []
