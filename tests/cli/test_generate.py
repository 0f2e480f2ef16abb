import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields

import pytest


torch = pytest.importorskip("torch", reason="generating needs the extra `generation`")
tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

from hfdiv.cli import main  # noqa: E402
from hfdiv.data import read_records  # noqa: E402
from hfdiv.data.resume import GrowingReplies  # noqa: E402
from hfdiv.diversity import measure  # noqa: E402
from hfdiv.generation import DecodingConfig, generate_replies  # noqa: E402


TEMPLATE = "{% for m in messages %}{{ m['content'] }} {% endfor %}please"
TEXTS = ["one", "two red", "three four yes", "no", "order late please", "we now", "green"]


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hfdiv", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _run


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model, tokenizer = tiny.tiny_model(), tiny.tiny_tokenizer()
    model.generation_config.suppress_tokens = [0, 2]
    tokenizer.chat_template = TEMPLATE
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in TEXTS), encoding="utf-8")
    return path


@pytest.fixture
def command(model, prompts, tmp_path):
    base = {"--model": model, "--prompts": prompts, "--output-dir": tmp_path / "out", "--max-new-tokens": 8}
    base["--device"] = "cpu"  # in fp32, as what these replies are compared with

    def _command(*switches, **options):
        given = {**base, **{f"--{name.replace('_', '-')}": value for name, value in options.items()}}
        pairs = [part for name, value in given.items() if value is not None for part in (name, str(value))]
        return ["generate", *pairs, *switches]

    return _command


def rows(folder):
    return [json.loads(line) for line in (folder / "replies.jsonl").read_text(encoding="utf-8").splitlines()]


def test_replies_are_written_for_eval(run, command, tmp_path, model):
    code, out, err = run(*command("--siblings", num_return_sequences=3, batch_size=6, seed=4))
    assert (code, out) == (0, "")
    assert "21 replies to 7 prompts" in err
    config = DecodingConfig(max_new_tokens=8, num_return_sequences=3, sibling_multiplier=0.8, seed=4)
    asked = [[{"role": "user", "content": text}] for text in TEXTS]
    loaded = tiny.LlamaForCausalLM.from_pretrained(model).eval()
    tokenizer = tiny.PreTrainedTokenizerFast.from_pretrained(model)
    expected = list(generate_replies(loaded, tokenizer, asked, config, batch_size=6))
    assert rows(tmp_path / "out") == [
        {"prompt": text, "responses": replies.responses, "finished": replies.finished}
        for text, replies in zip(TEXTS, expected, strict=True)
    ]
    n_cut = sum(replies.finished.count(False) for replies in expected)
    assert f"{n_cut} of them cut off at 8 tokens" in err
    code, out, _ = run("eval", tmp_path / "out" / "replies.jsonl", "--json", "--where", "finished")
    done = read_records(tmp_path / "out" / "replies.jsonl").where("finished")
    assert code == 0
    assert json.loads(out) == {name: score.to_dict() for name, score in measure(done.groups).items()}


def test_the_settings_stand_beside_the_replies(run, command, tmp_path, model):
    assert run(*command(temperature=0.7))[0] == 0
    about = json.loads((tmp_path / "out" / "generate.json").read_text(encoding="utf-8"))
    assert about["settings"]["decoding"]["temperature"] == 0.7
    assert about["settings"]["model"] == str(model)
    assert (about["settings"]["device"], about["settings"]["dtype"]) == ("cpu", "float32")
    assert {"hfdiv", "torch", "transformers", "python"} == set(about["versions"])


GPU = pytest.param(True, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"))


@pytest.mark.parametrize("there", [False, GPU])
def test_a_gpu_is_used_where_there_is_one_and_nothing_else_was_asked_for(run, command, tmp_path, monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    code, _, err = run(*command(device=None, limit=1))
    assert code == 0, err
    about = json.loads((tmp_path / "out" / "generate.json").read_text(encoding="utf-8"))["settings"]
    assert (about["device"], about["dtype"]) == (("cuda", "bfloat16") if there else ("cpu", "float32"))


LONG = {"max_new_tokens": 20, "num_return_sequences": 2, "batch_size": 4, "seed": 1, "xtc_probability": 0.5}


@pytest.fixture
def uninterrupted(run, command, tmp_path):
    """The bytes of a run that nothing interrupts, by file."""
    folder = tmp_path / "whole"
    assert run(*command("--siblings", **LONG, output_dir=folder))[0] == 0
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_run_goes_on_to_the_same_file(run, command, tmp_path, prompts):
    prompts.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in TEXTS * 4), encoding="utf-8")
    killed = subprocess.Popen(
        [sys.executable, "-c", "from hfdiv.cli import main; main()", *command("--siblings", **LONG)],
        stderr=subprocess.DEVNULL,
    )
    path = tmp_path / "out" / "replies.jsonl"
    while killed.poll() is None and not (path.exists() and path.read_bytes().count(b"\n") >= 3):
        time.sleep(0.005)
    killed.kill()
    killed.wait(timeout=60)
    n_done = path.read_bytes().count(b"\n")
    assert 3 <= n_done < 28
    code, _, err = run(*command("--siblings", **LONG))
    assert code == 0
    assert f"{n_done} of 28 prompts in" in err
    assert run(*command("--siblings", **LONG, output_dir=tmp_path / "whole"))[0] == 0
    for name in ("replies.jsonl", "generate.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("n_done", [1, 2, 5])
def test_an_interrupted_run_keeps_what_is_finished(run, command, tmp_path, monkeypatch, uninterrupted, how, n_done):
    real = GrowingReplies.add

    def add(self, row):
        real(self, row)
        if self.n_done == n_done:
            os.kill(os.getpid(), how)

    with monkeypatch.context() as patch:
        patch.setattr(GrowingReplies, "add", add)
        code, _, err = run(*command("--siblings", **LONG))
    assert code == 130
    assert f"Interrupted: {n_done} of 7 prompts are done" in err
    assert "Traceback" not in err
    assert run(*command("--siblings", **LONG))[0] == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == uninterrupted


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.77, 0.99])
def test_a_half_written_line_is_written_anew(run, command, tmp_path, share):
    options = {"num_return_sequences": 2, "batch_size": 4}
    run(*command(**options))
    path = tmp_path / "out" / "replies.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert run(*command(**options))[0] == 0
    assert path.read_bytes() == whole


def test_a_finished_run_is_left_as_it_is(run, command, tmp_path, monkeypatch):
    run(*command())
    before = (tmp_path / "out" / "replies.jsonl").read_bytes()
    monkeypatch.setattr("hfdiv.cli.replies_file.load", None)  # no model is loaded for nothing
    code, _, err = run(*command())
    assert code == 0
    assert "7 of 7 prompts" in err
    assert "nothing left to do" in err
    assert (tmp_path / "out" / "replies.jsonl").read_bytes() == before


def test_other_settings_and_other_prompts_are_refused(run, command, tmp_path, prompts):
    run(*command())
    before = (tmp_path / "out" / "replies.jsonl").read_bytes()
    code, _, err = run(*command(temperature=0.7, batch_size=3))
    assert code == 2
    assert "`decoding.temperature` was 1.0 and is 0.7" in err
    assert "`batch_size` was 8 and is 3" in err
    assert "`--overwrite`" in err
    prompts.write_text(json.dumps({"prompt": "red"}) + "\n")
    code, _, err = run(*command())
    assert code == 2
    assert "`n_prompts` was 7 and is 1; `prompts_sha256` was" in err
    assert (tmp_path / "out" / "replies.jsonl").read_bytes() == before
    assert run(*command("--overwrite"))[0] == 0
    assert [row["prompt"] for row in rows(tmp_path / "out")] == ["red"]


def test_replies_are_overwritten_only_when_there_are_new_ones(run, command, tmp_path):
    run(*command())
    before = (tmp_path / "out" / "replies.jsonl").read_bytes()
    code, _, err = run(*command("--overwrite", model="./no-such-model"))
    assert code == 2
    assert "There is no model at ./no-such-model" in err
    assert (tmp_path / "out" / "replies.jsonl").read_bytes() == before


def test_options_stand_in_place_of_the_file(run, command, tmp_path):
    config = tmp_path / "decoding.yaml"
    config.write_text("top_p: 0.9\ntemperature: 0.5\nmax_new_tokens: 3\nsibling_multiplier: 2\n")
    run(*command("--siblings", "--no-do-sample", config=config, limit=1, num_return_sequences=2, dry_multiplier=1))
    code, _, err = run(*command("--siblings", config=config, temperature=0.7, num_return_sequences=2, limit=2))
    assert code == 0, err
    about = json.loads((tmp_path / "out" / "generate.json").read_text(encoding="utf-8"))["settings"]["decoding"]
    assert (about["top_p"], about["temperature"], about["max_new_tokens"]) == (0.9, 0.7, 8)
    assert (about["sibling_multiplier"], about["sibling_allowed_length"]) == (2, 2)  # a switch leaves what is on


def test_switches_are_short_for_several_settings(run, command, tmp_path):
    code, _, err = run(*command("--siblings", num_return_sequences=2, limit=1, sibling_base=3))
    assert code == 0, err
    about = json.loads((tmp_path / "out" / "generate.json").read_text(encoding="utf-8"))["settings"]["decoding"]
    set_ = [about[f"sibling_{name}"] for name in ("multiplier", "allowed_length", "base")]
    assert set_ == [2, 1, 3]


def test_earlier_replies_are_told_from_the_messages_and_the_column(run, command, prompts, tmp_path):
    chat = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "two"},
    ]
    lines = [{"prompt": chat}, {"prompt": "two", "history": ["red green blue"]}]
    prompts.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, _, err = run(*command("--history"))
    assert code == 0, err
    assert [row["prompt"] for row in rows(tmp_path / "out")] == [chat, "two"]
    assert run("eval", tmp_path / "out" / "replies.jsonl", "--json")[0] == 0


def test_best_of_keeps_the_log_probability(run, command, tmp_path):
    assert run(*command(num_return_sequences=2, best_of=5, selection="dpp", limit=3))[0] == 0
    for row in rows(tmp_path / "out"):
        assert list(row) == ["prompt", "responses", "finished", "log_probability"]
        assert [len(row[name]) for name in list(row)[1:]] == [2, 2, 2]
    assert "log_probability" in read_records(tmp_path / "out" / "replies.jsonl").columns


def test_raw_prompts_are_continued(run, command, tmp_path, model):
    run(*command("--raw", "--no-do-sample", limit=2))
    loaded = tiny.LlamaForCausalLM.from_pretrained(model).eval()
    tokenizer = tiny.PreTrainedTokenizerFast.from_pretrained(model)
    config = DecodingConfig(max_new_tokens=8, do_sample=False)
    expected = [replies.responses for replies in generate_replies(loaded, tokenizer, TEXTS[:2], config)]
    assert [row["responses"] for row in rows(tmp_path / "out")] == expected


def test_streaming_shows_each_reply(run, command, tmp_path):
    code, out, _ = run(*command("--streaming", limit=3))
    assert code == 0
    assert out.split() == " ".join(row["responses"][0] for row in rows(tmp_path / "out")).split()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_contrastive_search_in_either_dtype(run, command, tmp_path, dtype):
    code, _, err = run(*command("--contrastive-search", dtype=dtype, limit=2))
    assert code == 0, err
    assert len(rows(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("switches", "options", "message"),
    [
        (["--contrastive-search"], {"temperature": 0.5}, "this is contrastive search"),
        (["--siblings"], {}, "there is one"),
        (["--history"], {}, "holds no earlier replies"),
        (["--streaming"], {"num_return_sequences": 2}, "`--streaming` shows one reply at a time"),
        (["--streaming"], {"num_beams": 2, "prompts": None, "output_dir": None}, "`--streaming` shows one reply"),
        (
            [],
            {"num_return_sequences": 2, "prompts": None, "output_dir": None},
            "--num-return-sequences cannot be used",
        ),
        ([], {"top_p": 2}, "`top_p` must be above 0 and at most 1, got 2.0"),
        ([], {"output_dir": None}, "`--prompts` needs `--output-dir`"),
        ([], {"prompts": "no-such-file.jsonl"}, "Cannot read no-such-file.jsonl"),
        ([], {"prompt_column": "promt"}, "Did you mean 'prompt'?"),
        ([], {"config": "bad.yaml"}, "bad.yaml: There is no setting 'temprature'. Did you mean 'temperature'?"),
        ([], {"best_of": 2, "num_return_sequences": 2}, "`best_of` must be more than the 2 replies to keep"),
        ([], {"device": "cuda:99"}, "`--device cuda:99` cannot be used here"),
        ([], {"prompts": None}, "--output-dir cannot be used in a chat"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(run, command, tmp_path, monkeypatch, switches, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("temprature: 0.7\n")
    code, out, err = run(*command(*switches, **options))
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "out").exists()


# Chat


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def talk(run, model, monkeypatch):
    def _talk(lines, *switches, stdin=io.StringIO, **options):
        monkeypatch.setattr(sys, "stdin", stdin("".join(line + "\n" for line in lines)))
        pairs = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        return run("generate", "--model", model, "--device", "cpu", "--max-new-tokens", 6, *pairs, *switches)

    return _talk


@pytest.mark.parametrize("streaming", ["--streaming", "--no-streaming"])
def test_a_chat_goes_on_in_view_of_what_was_said(talk, model, streaming):
    code, out, _ = talk(["one", "", "three", "/reset", "three", "/exit", "red"], "--no-do-sample", streaming)
    loaded = tiny.LlamaForCausalLM.from_pretrained(model).eval()
    tokenizer = tiny.PreTrainedTokenizerFast.from_pretrained(model)
    config = DecodingConfig(max_new_tokens=6, do_sample=False)

    def reply(messages):
        (replies,) = generate_replies(loaded, tokenizer, [messages], config)
        return replies.responses[0]

    first = [{"role": "user", "content": "one"}]
    said = reply(first)
    second = [*first, {"role": "assistant", "content": said}, {"role": "user", "content": "three"}]
    alone = reply([second[-1]])
    assert code == 0
    assert out.split("\n") == [said, reply(second), alone, ""]
    assert alone != reply(second)


def test_the_history_penalty_sees_earlier_turns(talk):
    loud = ["--no-do-sample", "--history-multiplier", "50", "--history-allowed-length", "1"]
    _, plain, _ = talk(["one", "/reset", "one"], "--no-do-sample")
    _, same, _ = talk(["one", "/reset", "one"], *loud)
    assert same == plain  # a new conversation has no earlier turns
    _, plain, _ = talk(["one", "one", "one"], "--no-do-sample")
    _, other, _ = talk(["one", "one", "one"], *loud)
    assert other.split("\n")[0] == plain.split("\n")[0]
    assert other != plain


def test_each_turn_is_drawn_anew_and_a_seed_fixes_them(talk):
    lines = ["one", "/reset"] * 5
    _, out, err = talk(lines, seed=3)
    assert len(set(out.strip().split("\n"))) > 2
    assert talk(lines, seed=3)[1] == out
    assert talk(lines, seed=4)[1] != out
    assert "(cut off at 6 tokens: --max-new-tokens)" in err


def test_a_conversation_that_is_too_long_can_be_begun_anew(talk):
    code, out, err = talk(["one " * 70, "/reset", "one"], "--no-do-sample")
    assert code == 0
    assert "the model reads 64 at most" in err
    assert "/reset" in err
    assert len(out.strip().split("\n")) == 1


def test_ctrl_c_ends_a_chat_that_is_piped_in(talk, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("hfdiv.generation.replies.generate_replies", interrupted)
    assert talk(["one"])[0] == 130


def test_ctrl_c_at_a_terminal_stops_the_reply_and_forgets_the_turn(talk, model, monkeypatch):
    asked = []

    def interrupted_at_first(model, tokenizer, prompts, *_, streamer, **__):
        asked.append([message["content"] for message in prompts[0]])
        if len(asked) == 1:
            streamer.put(torch.tensor([5]))  # the prompt
            streamer.put(torch.tensor([6]))
            raise KeyboardInterrupt
        config = DecodingConfig(max_new_tokens=6, do_sample=False)
        return generate_replies(model, tokenizer, prompts, config, batch_size=1, streamer=streamer)

    monkeypatch.setattr("hfdiv.generation.replies.generate_replies", interrupted_at_first)
    code, out, _ = talk(["one", "green"], stdin=Terminal)
    assert code == 0
    assert out.startswith("/reset begins a new conversation")
    assert "(stopped; this turn is forgotten)" in out
    assert asked == [["one"], ["green"]]
    reply = talk(["green"], "--no-do-sample")[1].strip()
    assert len(reply) > 3
    assert f"\n> {reply}\n" in out  # the tokens of the stopped one, and the prompt, are not in front of it


def test_a_model_without_a_chat_template_cannot_chat(run, tmp_path, monkeypatch):
    tiny.tiny_model().save_pretrained(tmp_path)
    tiny.tiny_tokenizer().save_pretrained(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\n"))
    code, _, err = run("generate", "--model", tmp_path)
    assert code == 2
    assert "has no chat template" in err


# Help


def test_every_setting_is_an_option(run):
    code, out, _ = run("generate", "--help")
    assert code == 0
    for setting in fields(DecodingConfig):
        assert f"--{setting.name.replace('_', '-')} " in out, setting.name
    assert "Example: `hfdiv generate" in " ".join(out.split())


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom hfdiv.cli import main\nsys.argv = ['hfdiv', 'generate', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'transformers', 'trl', 'yaml', 'numpy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert run.stdout.splitlines()[-1] == "[]"
