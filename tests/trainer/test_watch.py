import json
import logging

import pytest
import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from hfdiv.data import read_records
from hfdiv.diversity import measure
from hfdiv.generation.sampling import Sampled
from hfdiv.trainer import watch
from hfdiv.trainer.watch import PREFIX, DiversityCallback
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


HELD_OUT = ["order red now", "refund two please"]


class Reporter(TrainerCallback):
    """What a run reports, as TensorBoard or Trackio would get it."""

    def __init__(self):
        self.logs = []

    def on_log(self, args, state, control, logs=None, **_):
        self.logs.append({**logs, "step": state.global_step})


def new_trainer(tmp_path, reporter=None, tokenizer=None, eval_dataset=None, **overrides):
    values = {"output_dir": str(tmp_path), "max_steps": 4, "num_generations": 4, "per_device_train_batch_size": 4}
    return GRPOTrainer(
        tiny_model(),
        reward_funcs=wants_thanks,
        args=settings(GRPOConfig, **{**values, **overrides}),
        train_dataset=prompts(),
        eval_dataset=eval_dataset,
        processing_class=tokenizer or tiny_tokenizer(),
        callbacks=None if reporter is None else [reporter],
    )


def watched(trainer, every_steps=2, held_out=HELD_OUT, **options):
    values = {"num_return_sequences": 3, "max_new_tokens": 6, "finished_only": False}
    trainer.add_callback(DiversityCallback(trainer, held_out, every_steps, **{**values, **options}))
    return trainer


def ours(logs):
    return [entry for entry in logs if PREFIX + "finished" in entry]


def weights(trainer):
    return torch.cat([parameter.detach().flatten() for parameter in trainer.model.parameters()])


@pytest.fixture
def scripted(monkeypatch):
    """Replies that are given, not sampled: one list of groups for each measurement."""

    def use(*measurements):
        queue = list(measurements)

        def give(model, tokenizer, texts, **_):
            groups = queue.pop(0)
            return [Sampled(group, [bool(text) for text in group]) for group in groups]

        monkeypatch.setattr(watch, "sample", give)

    return use


def test_the_suite_is_logged_before_during_and_after_training(tmp_path):
    reporter = Reporter()
    trainer = watched(new_trainer(tmp_path, reporter, max_steps=5))
    trainer.train()
    entries = ours(reporter.logs)
    assert [entry["step"] for entry in entries] == [0, 2, 4, 5]
    assert ours(trainer.state.log_history) == entries
    for entry in entries:
        file = tmp_path / "held_out" / f"step_{entry['step']:06d}.jsonl"
        records = read_records(file)
        assert records.prompts == HELD_OUT
        assert [len(group) for group in records.groups] == [3, 3]
        scores = measure(records.groups, level="group")
        expected = {name: score.value for name, score in scores.items() if score.value == score.value}
        assert len(expected) > 12
        assert {name: entry[PREFIX + name] for name in expected} == pytest.approx(expected, abs=0)
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        flags = [flag for row in rows for flag in row["finished"]]
        assert entry[PREFIX + "finished"] == sum(flags) / len(flags)


def test_training_is_the_same_with_and_without_the_callback(tmp_path):
    without, with_it = Reporter(), Reporter()
    plain = new_trainer(tmp_path / "a", without)
    plain.train()
    seen = watched(new_trainer(tmp_path / "b", with_it), every_steps=1)
    seen.train()
    assert len(ours(with_it.logs)) == 5
    assert torch.equal(weights(plain), weights(seen))
    assert not torch.equal(weights(plain), torch.cat([p.detach().flatten() for p in tiny_model().parameters()]))
    losses = [
        [(entry["step"], entry["loss"], entry["reward"]) for entry in reporter.logs if "loss" in entry]
        for reporter in (without, with_it)
    ]
    assert losses[0] == losses[1]
    assert [step for step, *_ in losses[0]] == [1, 2, 3, 4]


def test_without_a_number_of_steps_it_measures_at_saves_and_evaluations_once_a_step(tmp_path):
    both = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps", "eval_steps": 2}
    trainer = new_trainer(tmp_path, eval_dataset=prompts(4), per_device_eval_batch_size=4, **both)
    watched(trainer, every_steps=None).train()
    assert [entry["step"] for entry in ours(trainer.state.log_history)] == [0, 2, 4]


def test_a_resumed_run_keeps_the_first_measurement(tmp_path):
    first = watched(new_trainer(tmp_path, save_strategy="steps", save_steps=2), every_steps=4)
    first.train()
    begun = ours(first.state.log_history)
    resumed = watched(new_trainer(tmp_path, save_strategy="steps", save_steps=2), every_steps=4)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert [entry["step"] for entry in begun] == [0, 4]
    assert ours(resumed.state.log_history) == begun
    assert torch.equal(weights(first), weights(resumed))


VARIED, SAME = ["red green blue", "one two three", "yes no please"], ["red green blue"] * 3


def test_a_collapse_is_warned_of_against_the_first_measurement(tmp_path, scripted, caplog):
    scripted([VARIED, VARIED], [VARIED, SAME], [SAME, SAME])
    trainer = watched(new_trainer(tmp_path))
    with caplog.at_level(logging.WARNING, logger="hfdiv"):
        trainer.train()
    # distinct-2: 1, then (1 + 1/3) / 2 = 0.67, then 0.33: only the last is below half of the first
    assert [entry[PREFIX + "distinct_2"] for entry in ours(trainer.state.log_history)] == pytest.approx(
        [1, 2 / 3, 1 / 3]
    )
    (record,) = (record for record in caplog.records if "collapsed" in record.getMessage())
    assert "distinct_2 is 0.333 at step 4, below 0.5 times the 1.000" in record.getMessage()
    assert trainer.state.global_step == 4


def test_a_collapse_stops_training_where_that_is_asked_for(tmp_path, scripted):
    scripted([VARIED, VARIED], [SAME, SAME])
    trainer = watched(new_trainer(tmp_path), stop_on_collapse=True)
    trainer.train()
    assert trainer.state.global_step == 2


def test_the_first_measurement_that_is_defined_is_the_yardstick(tmp_path, scripted, caplog):
    scripted([["red", "", ""], ["", "", ""]], [VARIED, VARIED], [SAME, SAME])
    trainer = watched(new_trainer(tmp_path), finished_only=True)
    with caplog.at_level(logging.WARNING, logger="hfdiv"):
        trainer.train()
    messages = [record.getMessage() for record in caplog.records]
    assert any("No prompt has two replies that ended within 6 tokens" in message for message in messages)
    assert any("collapsed" in message for message in messages)
    assert [PREFIX + "distinct_2" in entry for entry in ours(trainer.state.log_history)] == [False, True, True]
    assert ours(trainer.state.log_history)[0][PREFIX + "finished"] == 1 / 6


def test_only_finished_replies_are_measured(tmp_path, scripted):
    scripted([[*VARIED[:2], ""], VARIED], [VARIED, VARIED], [VARIED, VARIED])
    trainer = watched(new_trainer(tmp_path), finished_only=True)
    trainer.train()
    first = ours(trainer.state.log_history)[0]
    assert first[PREFIX + "response_length"] == 3
    assert first[PREFIX + "finished"] == 5 / 6
    assert read_records(tmp_path / "held_out" / "step_000000.jsonl").groups[0] == [*VARIED[:2], ""]


@pytest.mark.parametrize("bos", [False, True])
def test_chat_prompts_go_through_the_template_with_one_bos(tmp_path, monkeypatch, bos):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %} {{ m['role'] }} {{ m['content'] }}{% endfor %}"
        "{% if add_generation_prompt %} now{% endif %}"
    )
    tokenizer.bos_token = "<unk>"
    if bos:
        from tokenizers.processors import TemplateProcessing

        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<unk> $A", special_tokens=[("<unk>", 2)]
        )
    asked = []

    def keep(model, tokenizer, texts, **_):
        asked.extend(tokenizer(texts)["input_ids"])
        return [Sampled(VARIED, [True] * 3)] * len(texts)

    monkeypatch.setattr(watch, "sample", keep)
    trainer = new_trainer(tmp_path, tokenizer=tokenizer, max_steps=1)
    watched(trainer, held_out=Dataset.from_dict({"prompt": [[{"role": "user", "content": "order red"}]]})).train()
    words = tokenizer.convert_ids_to_tokens(asked[0])
    assert words == ["<unk>", "<unk>", "order", "red", "now"]  # the first is <bos>, the second the word `user`
    assert read_records(tmp_path / "held_out" / "step_000000.jsonl").prompts == ["user: order red"]


def test_tensorboard_gets_the_measures(tmp_path):
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    trainer = watched(new_trainer(tmp_path, report_to="tensorboard"))
    trainer.train()
    (folder,) = {file.parent for file in tmp_path.rglob("events.out.tfevents.*")}
    events = EventAccumulator(str(folder))
    events.Reload()
    points = events.Scalars(f"train/{PREFIX}distinct_1")
    assert [point.step for point in points] == [0, 2, 4]
    logged = [entry[PREFIX + "distinct_1"] for entry in ours(trainer.state.log_history)]
    assert [point.value for point in points] == pytest.approx(logged)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([],), {}, ValueError, "`prompts` is empty"),
        (("one prompt",), {}, TypeError, "a list of prompts"),
        (([3],), {}, TypeError, "prompt"),
        ((Dataset.from_dict({"text": ["a"]}),), {}, ValueError, "column `prompt`, it has"),
        ((HELD_OUT, 0), {}, ValueError, "`every_steps` must be at least 1"),
        ((HELD_OUT,), {"max_new_tokens": 0}, ValueError, "`max_new_tokens` must be at least 1"),
        ((HELD_OUT,), {"num_return_sequences": 1}, ValueError, "`num_return_sequences` must be at least 2"),
        ((HELD_OUT,), {"temperature": 0.0}, ValueError, "`temperature` must be > 0"),
        ((HELD_OUT,), {"collapse_ratio": 1.5}, ValueError, "`collapse_ratio` must lie between 0 and 1"),
        ((HELD_OUT,), {"collapse_measure": "self_bleu_4"}, ValueError, "higher for a more varied set"),
        ((HELD_OUT,), {"collapse_measure": "mtld"}, ValueError, "'distinct_2'"),
        ((HELD_OUT,), {"measures": ["distinct"]}, ValueError, "Did you mean 'distinct_n'"),
    ],
)
def test_bad_input(tmp_path, arguments, options, error, message):
    with pytest.raises(error, match=message):
        DiversityCallback(new_trainer(tmp_path), *arguments, **options)
