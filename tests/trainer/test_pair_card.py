import pytest

from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer.dpo import DiverseDPOConfig
from hfdiv.trainer.pair_card import weighting_in_words
from tests.trainer.preference_runs import build, config, pairs


def words(similarity=None, weights=None, **values):
    return weighting_in_words(config(DiverseDPOConfig, **values), similarity, weights)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pair_weighting": "none"}, "without weights of pairs."),
        ({"pair_weighting": "column", "pair_weight_column": "mine"}, "from the column `mine`."),
        ({"pair_weighting": "deviation"}, f"`{NgramSimilarity(2).signature}`."),
        ({"pair_weighting": "deviation", "pair_encoders": ["a", "b"]}, "cosine by `a`, `b`."),
        ({"pair_weighting": "deviation", "deviation_columns": ["style"]}, "as the columns `style` say."),
        ({"pair_weighting": "history", "history_threshold": 0.6}, "the last sentence of the chosen reply comes to be"),
        ({"pair_weighting": "history", "history_threshold": 0.6}, "more than 0.6 alike to an earlier reply's."),
    ],
)
def test_the_weighting_is_said_in_words(values, said):
    text = words(**values)
    assert said in text
    assert ("Similarity of replies" in text) == (
        values["pair_weighting"] in ("deviation", "history") and "deviation_columns" not in values
    )


def test_a_similarity_that_was_given_is_the_one_that_is_named():
    def mine(texts): ...

    assert "`custom." in words(mine, pair_weighting="deviation", pair_encoders=["a"])


def test_the_weights_are_counted():
    text = words(weights=[0.0, 0.5, 2.5], pair_weighting="column")
    assert "The 3 weights have a mean of 1.000 and lie between 0.000 and 2.500; 1 are 0." in text


@pytest.mark.parametrize("name", ["dpo", "cpo", "orpo"])
def test_the_card_says_it_once(name, tmp_path):
    trainer = build(name, output_dir=str(tmp_path))
    trainer.create_model_card(model_name="mine")
    card = (tmp_path / "README.md").read_text()
    assert card.count("## Diversity") == 1
    assert "with a weight for each preference pair, from the column `weight`. The 4 weights" in card


def test_without_weights_none_are_counted(tmp_path):
    trainer = build("dpo", train_dataset=pairs(None), pair_weighting="none", output_dir=str(tmp_path))
    trainer.create_model_card(model_name="mine")
    card = (tmp_path / "README.md").read_text()
    assert "without weights of pairs." in card
    assert "weights have a mean" not in card
