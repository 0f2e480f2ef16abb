import pytest

from hfdiv import DiverseGRPOTrainer
from hfdiv.generation.config import DecodingConfig
from hfdiv.trainer import DiverseRLOOConfig, DiverseRLOOTrainer
from hfdiv.trainer.decoding import RolloutDecoding
from tests.trainer.runs import build, run
from tests.trainer.tiny import prompts, settings


class Said:
    """A reward function that keeps what was said."""

    __name__ = "said"

    def __init__(self):
        self.completions = []

    def __call__(self, completions, **_):
        self.completions += completions
        return [float(len(completion) % 5) for completion in completions]


def said(trainer_class, config, **kwargs):
    reward = Said()
    trainer = run(trainer_class, config, reward_funcs=[reward], **kwargs)
    assert "generate" not in vars(trainer.model)
    return trainer, [completion.split() for completion in reward.completions]


def bigrams(words):
    return set(zip(words, words[1:], strict=False))


@pytest.mark.parametrize(
    ("trainer_class", "args"), [(DiverseGRPOTrainer, []), (DiverseRLOOTrainer, [DiverseRLOOConfig])]
)
def test_the_processors_are_in_force_in_training(trainer_class, args):
    config = settings(*args, max_steps=1, max_completion_length=24, diversity_weight=0.0)
    _, plain = said(trainer_class, config)
    assert any(len(bigrams(words)) < len(words) - 1 for words in plain)
    _, penalized = said(trainer_class, config, decoding=DecodingConfig(no_repeat_ngram_size=2))
    assert all(len(bigrams(words)) == len(words) - 1 for words in penalized if words)


def test_siblings_and_histories_reach_their_processors():
    dataset = prompts().map(lambda row: {"history": ["red green red green"]})
    decoding = DecodingConfig(
        num_return_sequences=4,
        sibling_multiplier=1000.0,
        sibling_allowed_length=1,
        history_multiplier=1000.0,
        history_allowed_length=1,
    )
    options = {"max_steps": 1, "max_completion_length": 5, "diversity_similarity": "policy", "diversity_weight": 0.0}
    _, replies = said(DiverseGRPOTrainer, settings(**options), train_dataset=dataset, decoding=decoding)
    for start in (0, 4):
        group = [bigrams(words) for words in replies[start : start + 4]]
        assert sum(map(len, group)) == len(set.union(*group))
        assert ("red", "green") not in set.union(*group)


def test_evaluation_is_plain_sampling():
    class Never(DecodingConfig):
        def processors(self, *args, **kwargs):
            raise AssertionError("asked in evaluation")

    config = settings(per_device_eval_batch_size=4)
    trainer = build(DiverseGRPOTrainer, config, decoding=Never(dry_multiplier=0.8), eval_dataset=prompts(2))
    assert "eval_loss" in trainer.evaluate()
    with pytest.raises(AssertionError, match="asked in evaluation"):
        trainer.train()
    assert "generate" not in vars(trainer.model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.7}, "cannot set `temperature`, got 0.7: set it in the trainer's config"),
        ({"max_new_tokens": 32}, "cannot set `max_new_tokens`, got 32"),
        ({"contrastive_search": True}, "cannot set `contrastive_search`, got True: rollouts are sampled"),
        ({"sibling_multiplier": 0.8, "num_return_sequences": 2}, "`num_generations`, 4, got 2"),
    ],
)
def test_what_cannot_be_set_here(options, message):
    with pytest.raises(ValueError, match=message):
        RolloutDecoding(DecodingConfig(**options), group_size=4)


def test_it_is_refused_where_another_engine_writes():
    config = settings(use_transformers_continuous_batching=True)
    with pytest.raises(ValueError, match="`decoding` acts inside `generate`, which `use_transformers_continuous"):
        build(DiverseGRPOTrainer, config, decoding=DecodingConfig(dry_multiplier=0.8))


def test_a_history_penalty_without_a_history():
    decoding = DecodingConfig(history_multiplier=0.8)
    with pytest.raises(ValueError, match="`history_multiplier` is above 0, but the dataset has no column 'history'"):
        run(DiverseGRPOTrainer, settings(max_steps=1), decoding=decoding)


def test_half_a_group_has_not_all_its_siblings():
    decoding = RolloutDecoding(DecodingConfig(num_return_sequences=4, sibling_multiplier=0.8), group_size=4)
    with (
        pytest.raises(ValueError, match="whole groups of 4 on each process, got 6"),
        decoding.writing(None, None, [[]] * 6, []),
    ):
        pass
