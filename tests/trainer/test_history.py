import pytest
from datasets import Dataset

from hfdiv import DiverseGRPOTrainer
from hfdiv.similarity import NgramSimilarity
from hfdiv.trainer.history import HistoryPenalty
from tests.trainer.runs import logged, run
from tests.trainer.tiny import prompts, settings, tiny_tokenizer


EARLIER = "Your parcel is late. Anything else I can do?"
REPLIES = [
    "We refund you now. Anything else I can do?",  # ends like the earlier one
    "We refund you now.",
    "",
]


def penalty(similarity=None, **options):
    return HistoryPenalty(settings(history_weight=1.0, diversity_ngram_size=1, **options), similarity)


def test_the_last_sentence_tells_what_the_whole_reply_does_not():
    asked = {"prompts": ["And?"] * 3, "completions": REPLIES, "history": [[EARLIER]] * 3}
    assert penalty()(**asked) == [-1.0, 0.0, None]
    assert penalty(history_scope="response")(**asked) == [0.0, 0.0, None]


def test_it_grows_from_nothing_at_the_threshold_to_one_for_a_copy():
    shares = {"copy": 1.0, "above": 0.9, "at": 0.8, "below": 0.3}

    def similarity(texts):
        import numpy as np

        return np.array([[shares.get(text, 1.0)] * len(texts) for text in texts])

    asked = {"prompts": [""] * 4, "completions": list(shares), "history": [["earlier"]] * 4}
    assert penalty(similarity)(**asked) == pytest.approx([-1.0, -0.5, 0.0, 0.0])
    assert penalty(similarity, history_threshold=0.0)(**asked) == pytest.approx([-1.0, -0.9, -0.8, -0.3])


def test_the_history_is_a_column_or_the_assistants_turns():
    chat = [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": EARLIER},
        {"role": "user", "content": "And now?"},
    ]
    reply = [{"role": "assistant", "content": REPLIES[0]}]
    assert penalty()(prompts=[chat], completions=[reply]) == [-1.0]
    assert penalty(history_column="before")(prompts=["x"], completions=[REPLIES[0]], before=[chat]) == [-1.0]
    assert penalty()(prompts=["x"], completions=[REPLIES[0]], history=[None]) == [None]


def test_a_missing_history_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="no column 'before' and its prompts are not conversational"):
        penalty(history_column="before")(prompts=["x"], completions=["y"], question=["z"])
    with pytest.raises(ValueError, match="no column 'history'"):
        run(DiverseGRPOTrainer, settings(history_weight=0.5))


def test_a_trainer_takes_it_off_the_reward():
    dataset = prompts().map(lambda row: {"history": ["red green", "soon we"]})
    similarity = NgramSimilarity(1, kind="overlap")
    options = {"history_weight": 0.5, "history_scope": "response", "history_threshold": 0.0, "diversity_weight": 0.0}
    trainer = run(DiverseGRPOTrainer, settings(max_steps=1, **options), train_dataset=dataset, similarity=similarity)
    (total,), (quality,) = logged(trainer, "reward"), logged(trainer, "quality")
    (taken,) = logged(trainer, "rewards/history/mean")
    assert -1 < taken < 0
    assert total == pytest.approx(quality + 0.5 * taken, abs=1e-5)


def test_in_a_chat_the_first_turn_has_no_history():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    first = [{"role": "user", "content": "order red"}]
    later = [*first, {"role": "assistant", "content": "red green"}, {"role": "user", "content": "order"}]
    dataset = Dataset.from_dict({"prompt": [first, later] * 4})
    trainer = run(
        DiverseGRPOTrainer,
        settings(max_steps=2, history_weight=0.5, history_scope="response", diversity_ngram_size=1),
        reward_funcs=lambda completions, **_: [float(len(c[0]["content"])) for c in completions],
        train_dataset=dataset,
        processing_class=tokenizer,
    )
    assert trainer.reward_func_names[1:] == ["diversity", "history"]
    assert trainer.state.global_step == 2
