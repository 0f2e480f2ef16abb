import pytest

from hfdiv import __version__
from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer.grpo import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.trainer.model_card import diversity_section, objective_in_words
from hfdiv.trainer.watch import PREFIX, DiversityCallback
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


BIGRAMS = NgramSimilarity(2)


def section(similarity=BIGRAMS, log=(), **values):
    return diversity_section(objective_in_words(settings(DiverseGRPOConfig, **values), similarity), log)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"diversity_weight": 0.5}, "of the form `additive` and a weight of 0.5."),
        ({"diversity_weight": 0.0}, "without a diversity term (weight 0)"),
        ({"diversity_form": "adjustment", "diversity_adjustment": "log_det"}, "`adjustment (log_det)`"),
        (
            {"diversity_form": "advantage", "diversity_target": 0.35},
            "whose weight follows a target: `distinct_2` = 0.35",
        ),
        ({"quality_gate": "running"}, "Quality gate: running."),
        ({"quality_gate": 0.5}, "Quality gate: 0.5."),
        ({"history_weight": 0.25}, "Penalty of weight 0.25 for a last sentence more than 0.8 alike"),
        ({}, "Only completions that ended by themselves counted."),
    ],
)
def test_the_objective_is_said_in_words(values, said):
    text = section(**values)
    assert text.startswith(f"## Diversity\n\nTrained with hfdiv {__version__} with")
    assert said in text
    assert "Penalty" not in text or "history_weight" in values
    assert "|" not in text.replace(BIGRAMS.signature, "")


def test_the_similarity_is_the_one_that_was_used():
    def mine(texts): ...

    assert f"Similarity of completions: `{BIGRAMS.signature}`." in section()
    assert "`custom." in section(mine)
    assert "the policy's hidden states" in section(None, diversity_similarity="policy")


def test_before_and_after_are_a_table_with_gaps_where_nothing_was_measured():
    log = [
        {"loss": 1.0, "step": 1},
        {PREFIX + "finished": 0.5, "step": 0},
        {PREFIX + "finished": 0.5, PREFIX + "distinct_2": 0.4, "step": 5},
        {PREFIX + "finished": 1.0, PREFIX + "distinct_2": 0.45678, PREFIX + "self_bleu_4": 0.3, "step": 10},
    ]
    lines = section(log=log).splitlines()
    assert lines[-5:] == [
        "| measure | step 0 | step 10 |",
        "|---|---:|---:|",
        "| finished | 0.500 | 1.000 |",
        "| distinct_2 | - | 0.457 |",
        "| self_bleu_4 | - | 0.300 |",
    ]
    assert "Lower is more varied for `self_bleu_4`." in lines[-7]


def test_the_card_of_every_checkpoint_has_the_section_once(tmp_path):
    trainer = DiverseGRPOTrainer(
        tiny_model(),
        reward_funcs=wants_thanks,
        args=settings(output_dir=str(tmp_path), max_steps=4, save_strategy="steps", save_steps=2),
        train_dataset=prompts(),
        processing_class=tiny_tokenizer(),
    )
    trainer.add_callback(DiversityCallback(trainer, ["order red"], 2, num_return_sequences=2, finished_only=False))
    trainer.train()
    trainer.create_model_card(model_name="mine")
    card = (tmp_path / "README.md").read_text()
    assert card.count("## Diversity") == 1
    assert card.count("### Framework versions") == 1
    assert "| measure | step 0 | step 4 |" in card
    first, last = (entry for entry in trainer.state.log_history if PREFIX + "finished" in entry and entry["step"] != 2)
    assert f"| distinct_2 | {first[PREFIX + 'distinct_2']:.3f} | {last[PREFIX + 'distinct_2']:.3f} |" in card
