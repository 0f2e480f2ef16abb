import json
import subprocess
import sys

import pytest

from hfdiv import distinct_n, self_bleu
from hfdiv.cli import main


GROUPS = [["How can I help you?", "How can I help you?", "Hi! 👋"], ["好的，马上处理。", "好的！", ""]]


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hfdiv", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return _run


@pytest.fixture
def replies(tmp_path):
    path = tmp_path / "replies.jsonl"
    rows = [
        {"prompt": f"question {i}", "responses": group, "finished": [True, True, False]}
        for i, group in enumerate(GROUPS)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("tokenizer", ["mixed", "whitespace"])
def test_eval_prints_one_json_object_of_scores(run, replies, tokenizer):
    code, out, err = run("eval", replies, "--tokenizer", tokenizer, "--json")
    assert (code, err) == (0, "")
    scores = json.loads(out)
    for name, expected in (
        ("distinct_1", distinct_n(GROUPS, 1, tokenizer)),
        ("distinct_2", distinct_n(GROUPS, 2, tokenizer)),
        ("self_bleu_4", self_bleu(GROUPS, 4, tokenizer)),
    ):
        assert scores[name] == expected.to_dict()
        assert {"value", "level", "n_counted", "signature"} <= scores[name].keys()
    assert all("version:" in score["signature"] for score in scores.values())


def test_eval_prints_a_table_and_takes_a_level_and_a_selection(run, replies):
    code, out, _ = run("eval", replies)
    assert code == 0
    assert "6 replies to 2 prompts" in out
    assert f"{distinct_n(GROUPS, 2).value:.3f}" in out
    _, out, _ = run("eval", replies, "--level", "corpus", "--where", "finished", "--json")
    finished = [group[:2] for group in GROUPS]
    assert json.loads(out)["distinct_2"]["value"] == distinct_n(finished, 2, level="corpus").value


def test_eval_says_null_where_nothing_can_be_measured(run, tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"prompt": "Hi", "response": "Hello"}\n')
    code, out, _ = run("eval", path, "--json")
    scores = json.loads(out)
    assert code == 0
    assert scores["self_bleu_4"]["value"] is None
    assert scores["self_bleu_4"]["n_counted"] == 0
    assert scores["distinct_1"]["value"] == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "holds no rows"),
        (b'{"prompt": "Hi", "responses": ["a"]}\n{"prompt": "Hi"}\n', "line 2: no reply"),
        (b'{"prompt": "Hi", "responses": ["a", 3]}\n', "line 1"),
        (b'{"prompt": "Hi", "response": "caf\xe9"}\n', "not UTF-8"),
        (b"Hello\n", "line 1: not a JSON object"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(run, tmp_path, content, message):
    path = tmp_path / "bad.jsonl"
    if content is not None:
        path.write_bytes(content)
    for command in (["eval", path], ["compare", path, path]):
        code, out, err = run(*command)
        assert code == 2
        assert message in err
        assert "Traceback" not in err
        assert err.strip().count("\n") == 0
        assert out == ""


def test_a_megabyte_reply_is_measured(run, tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_text(json.dumps({"prompt": "Hi", "responses": ["word " * 200_000, "短い。" * 1000]}), encoding="utf-8")
    code, out, _ = run("eval", path, "--json")
    assert code == 0
    assert json.loads(out)["seq_rep_2"]["value"] > 0.99


def test_compare_writes_the_report(run, replies, tmp_path):
    pytest.importorskip("scipy", reason="compare needs the extra `report`")
    pytest.importorskip("matplotlib", reason="the report needs the extra `report`")
    after = tmp_path / "after.jsonl"
    after.write_text(replies.read_text(encoding="utf-8").replace("Hi!", "<b>Hey</b>"), encoding="utf-8")
    folder = tmp_path / "out"
    code, out, _ = run("compare", replies, after, "--output-dir", folder, "--yardstick", replies, "--resamples", 100)
    assert code == 0
    assert "distinct_2" in out
    assert (folder / "report.html").is_file()
    assert list((folder / "figures").glob("*.png"))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    code, out, _ = run("compare", replies, after, "--json", "--yardstick", replies, "--resamples", 100)
    assert json.loads(out) == report


def test_an_interrupted_demo_says_what_was_finished(run, tmp_path, monkeypatch):
    stages = pytest.importorskip("hfdiv.demo.run", reason="the demo needs the extra `demo`")

    def interrupted(output_dir, *_, **__):
        (output_dir / "before.jsonl").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "run_demo", interrupted)
    code, out, _ = run("demo", "--output-dir", tmp_path)
    assert code == 130
    assert "Finished so far" in out
    assert "before.jsonl" in out


def test_a_missing_package_is_named_with_its_extra(run, tmp_path, monkeypatch):
    monkeypatch.setattr("hfdiv.cli.demo.NEEDED", ("no_such_package",))
    code, _, err = run("demo", "--output-dir", tmp_path)
    assert code == 1
    assert 'pip install "hfdiv[demo]"' in err


def test_help_shows_an_example_for_every_command(run):
    for command in ("eval", "compare", "generate", "train", "demo"):
        code, out, _ = run(command, "--help")
        assert code == 0
        assert f"Example: `hfdiv {command}" in " ".join(out.split())


def test_help_and_eval_load_nothing_heavy(replies):
    heavy = "torch transformers trl evaluate datasets scipy matplotlib pandas sentence_transformers jinja2"
    for arguments in (["--help"], ["eval", str(replies)]):
        code = (
            "import sys\nfrom hfdiv.cli import main\n"
            f"sys.argv = ['hfdiv', *{arguments!r}]\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {heavy.split()!r} if name in sys.modules])"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.splitlines()[-1] == "[]"
