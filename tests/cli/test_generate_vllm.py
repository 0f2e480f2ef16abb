"""`hfdiv generate --backend vllm`, with a stand-in of vLLM's published interface."""

import json
import sys

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

from hfdiv.cli import main, replies_file, vllm_job  # noqa: E402
from tests.generation.fake_vllm import fake_module  # noqa: E402


TEXTS = ["one", "two red", "three four yes", "no"]


@pytest.fixture
def vllm(monkeypatch):
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}please"
    module = fake_module(tokenizer)
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setattr(replies_file, "packages_distributions", lambda: {"vllm": ["torch"]})
    return module


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in TEXTS))

    def _run(*switches, model="tiny", **options):
        given = {"model": model, "prompts": prompts, "output_dir": tmp_path / "out", **options}
        pairs = [(f"--{name.replace('_', '-')}", value) for name, value in given.items() if value is not None]
        command = ["hfdiv", "generate", "--backend", "vllm", *[part for pair in pairs for part in pair], *switches]
        monkeypatch.setattr(sys, "argv", list(map(str, command)))
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        return code, capsys.readouterr().err

    return _run


def rows(tmp_path):
    return [json.loads(line) for line in (tmp_path / "out" / "replies.jsonl").read_text().splitlines()]


def test_replies_are_written_in_order(run, vllm, tmp_path):
    code, err = run(num_return_sequences=2, temperature=0.7)
    assert code == 0, err
    assert "8 replies to 4 prompts, 4 of them cut off at 256 tokens" in err
    (llm,) = vllm.made
    assert (llm.model, llm.dtype) == ("tiny", "auto")
    assert [row["prompt"] for row in rows(tmp_path)] == TEXTS
    assert all(row["finished"] == [True, False] for row in rows(tmp_path))
    about = json.loads((tmp_path / "out" / "generate.json").read_text())
    assert about["settings"]["backend"] == "vllm"
    assert about["versions"]["vllm"] == about["versions"]["torch"]  # as if the one brought the other


def test_texts_are_a_users_messages_unless_raw(run, vllm, tmp_path):
    run()
    run("--raw", output_dir=tmp_path / "raw")
    chat, raw = ([prompt["prompt_token_ids"] for prompt, _ in llm.calls[0]] for llm in vllm.made)
    assert [ids[:-1] for ids in chat] == raw


def test_an_interrupted_run_goes_on(run, vllm, tmp_path):
    run(num_return_sequences=2)
    path = tmp_path / "out" / "replies.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert run(num_return_sequences=2)[0] == 0
    assert path.read_bytes() == whole
    assert len(vllm.made[1].calls[0]) < 4
    assert "made otherwise: `dtype` was 'auto' and is 'float32'" in run(num_return_sequences=2, dtype="float32")[1]


def test_arguments_of_the_engine_come_from_a_file(run, vllm, tmp_path):
    (tmp_path / "vllm.yaml").write_text("max_model_len: 3\n")
    code, err = run(vllm_config=tmp_path / "vllm.yaml")
    assert code == 2
    assert "Prompt 1 cannot be replied to: it has 3 tokens, and vLLM reads 3 at most" in err
    (tmp_path / "vllm.yaml").write_text("max_model_len: 32\n")
    assert run(vllm_config=tmp_path / "vllm.yaml")[0] == 0
    assert json.loads((tmp_path / "out" / "generate.json").read_text())["settings"]["vllm"] == {"max_model_len": 32}


def test_the_best_are_chosen(run, vllm, tmp_path):
    assert run(num_return_sequences=2, best_of=5, selection="dpp", dry_multiplier=0.8)[0] == 0
    for row in rows(tmp_path):
        assert len(row["responses"]) == len(row["log_probability"]) == 2
        assert row["finished"] == [True, True]
    ((_, sampling), *_) = vllm.made[0].calls[0]
    assert (sampling.n, sampling.logprobs, sampling.extra_args) == (5, 0, {"dry_multiplier": 0.8})


def test_without_vllm_the_error_says_how_to_get_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr(vllm_job, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "vllm", None)
    code, err = run()
    assert code == 1
    assert 'pip install "hfdiv[vllm]"' in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("switches", "options", "message"),
    [
        ([], {"model": None}, "--backend vllm needs --model"),
        (["--contrastive-search"], {}, "`contrastive_search` needs the model in this process"),
        ([], {"device": "cpu"}, "--device goes with --backend transformers"),
        ([], {"vllm_config": "options.yaml"}, "options.yaml: give `dtype` as `--dtype` and `model` as `--model`."),
        ([], {"vllm_config": "list.yaml"}, "list.yaml: settings must be given by name"),
        ([], {"vllm_config": "none.yaml"}, "none.yaml"),
    ],
)
def test_bad_input_is_one_clear_line(run, vllm, tmp_path, monkeypatch, switches, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "options.yaml").write_text("model: a\ndtype: auto\n")
    (tmp_path / "list.yaml").write_text("- a\n")
    code, err = run(*switches, **options)
    assert code == (1 if options.get("vllm_config") == "none.yaml" else 2)
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()
    assert vllm.made == []
