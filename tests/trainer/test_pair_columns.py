import numpy as np
import pytest
from datasets import Dataset

from hfdiv.trainer.dpo import DiverseDPOConfig
from hfdiv.trainer.pair_columns import pair_weights
from hfdiv.trainer.pair_weights import deviation_weights
from tests.trainer.preference_runs import config, pairs


def settings(pair_weighting="deviation", **options):
    return config(DiverseDPOConfig, **{"pair_weighting": pair_weighting, "pair_ngram_size": 1, **options})


REPLIES = Dataset.from_dict(
    {
        "prompt": ["a", "a", "b", "a"],
        "chosen": ["red", "red blue", "one", "green"],
        "rejected": ["red blue", "green", "two", "red"],
    }
)


def test_deviation_is_the_mean_distance_to_the_other_different_replies_to_the_prompt():
    # of "red", "red blue", "green": distances 0.5 and 1, 0.5 and 1, 1 and 1; spread over [−1, 1]: −1, −1, 1
    assert pair_weights(REPLIES, settings()) == pytest.approx([0.0, 0.0, 1.0, 3.0])


def test_a_similarity_of_the_callers_own():
    def by_first_letter(texts):
        return np.array([[float(one[:1] == other[:1]) for other in texts] for one in texts])

    assert pair_weights(REPLIES, settings(), by_first_letter) == pytest.approx([0.0, 0.0, 1.0, 3.0])


def test_the_order_of_rows_does_not_matter():
    order = [3, 1, 0, 2]
    shuffled = pair_weights(REPLIES.select(order), settings())
    assert shuffled == pytest.approx(pair_weights(REPLIES, settings())[order])


def test_chat_messages_and_prompts_within_the_replies_are_the_same_pairs():
    def turn(role, text):
        return [{"role": role, "content": text}]

    rows = [
        {"prompt": turn("user", p), "chosen": turn("assistant", c), "rejected": turn("assistant", r)}
        for p, c, r in zip(*(REPLIES[name] for name in ("prompt", "chosen", "rejected")), strict=True)
    ]
    implicit = [{name: row["prompt"] + row[name] for name in ("chosen", "rejected")} for row in rows]
    expected = pair_weights(REPLIES, settings())
    assert pair_weights(Dataset.from_list(rows), settings()) == pytest.approx(expected)
    assert pair_weights(Dataset.from_list(implicit), settings()) == pytest.approx(expected)


def test_deviations_from_columns():
    dataset = REPLIES.add_column("style", [0.1, 0.2, 0.5, 0.5]).add_column("topic", [0.9, 0.3, 0.5, 0.6])
    prompts = list("aaba")
    expected = deviation_weights([dataset["style"][:], dataset["topic"][:]], prompts)
    assert len(set(expected)) > 2
    assert pair_weights(dataset, settings(deviation_columns=["style", "topic"])) == pytest.approx(expected)
    assert pair_weights(dataset, settings(deviation_columns="style")) == pytest.approx(
        deviation_weights(dataset["style"][:], prompts)
    )


def test_several_encoders(monkeypatch):
    spaces = {
        "style": {"red": [1, 0], "red blue": [0, 1], "green": [0, 1], "one": [1, 0], "two": [0, 1]},
        "topic": {"red": [1, 0], "red blue": [0, 1], "green": [0.6, 0.8], "one": [1, 0], "two": [1, 0]},
    }

    def load(name, device):
        return lambda texts: np.array([spaces[name][text] for text in texts], dtype=np.float32)

    monkeypatch.setattr("hfdiv.trainer.pair_columns.load_encoder", load)
    # style: distances (1, 1), (1, 0), (1, 0); topic: (1, 0.4), (1, 0.2), (0.4, 0.2); order red, red blue, green
    expected = deviation_weights([[1.0, 0.5, 0.5], [0.7, 0.6, 0.3]], ["a"] * 3)
    found = pair_weights(REPLIES, settings(pair_encoders=["style", "topic"]))
    assert found == pytest.approx([expected[0], expected[1], 1.0, expected[2]], abs=1e-6)
    assert expected[0] > 1


def test_history_from_a_column_and_from_the_prompt():
    said = "We are on it. Anything else I can do?"
    replies = ["Done. Anything else I can do?", "Done.", "完了。还需要什么？", "🙂"]
    column = Dataset.from_dict(
        {"prompt": ["And?"] * 4, "chosen": replies, "rejected": ["no"] * 4, "history": [[said], [said], [], None]}
    )
    assert pair_weights(column, settings("history")).tolist() == [0.0, 1.0, 1.0, 1.0]
    chat = [{"role": "assistant", "content": said}, {"role": "user", "content": "And?"}]
    prompts = Dataset.from_dict({"prompt": [chat] * 4, "chosen": replies, "rejected": ["no"] * 4})
    assert pair_weights(prompts, settings("history")).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert pair_weights(column, settings("history", history_scope="response")).tolist() == [1.0] * 4


def test_history_falls_evenly_above_the_threshold():
    dataset = Dataset.from_dict(
        {"prompt": ["And?"], "chosen": ["a b c d"], "rejected": ["no"], "history": [["a b c e"]]}
    )
    # three of five different words are shared
    assert pair_weights(dataset, settings("history", history_threshold=0.2)) == pytest.approx([1 - 0.4 / 0.8])


def test_the_column_as_it_is():
    assert pair_weights(pairs([3.0, 0.0, 1.5, 1.0]), settings("column")).tolist() == [3.0, 0.0, 1.5, 1.0]
    renamed = pairs([3.0, 0.0, 1.5, 1.0]).rename_column("weight", "w")
    assert pair_weights(renamed, settings("column", pair_weight_column="w")).tolist() == [3.0, 0.0, 1.5, 1.0]


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"pair_weighting": "column"}, "no column 'weight'; there are"),
        ({"deviation_columns": ["style"]}, "no column 'style'; there are"),
        ({"pair_weighting": "history"}, "no column 'history' and its prompts are not conversational"),
    ],
)
def test_a_missing_column_is_named(options, missing):
    with pytest.raises(ValueError, match=missing):
        pair_weights(REPLIES, settings(**options))


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), None])
def test_a_weight_that_is_none(value):
    with pytest.raises(ValueError, match="in row 2 of the column 'weight'"):
        pair_weights(pairs([1.0, 1.0, value, 1.0]), settings("column"))
