import json
import sys

import pytest

from hfdiv.cli import main
from hfdiv.data.cache import CacheConfig, ResponseCache


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
    rows = [
        {"prompt": "Where is it?", "responses": ["On its way.", "Let me look."], "score": [0.2, 0.8]},
        {"prompt": [{"role": "user", "content": "你好"}], "responses": ["您好！👋", "您好！👋"], "score": [1, 1]},
    ]
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path, run, replies):
    path = tmp_path / "answers.db"
    code, out, err = run("cache", "warm", path, replies, "--namespace", '{"t": 0.7, "model": "m"}', "--k", 2)
    assert (code, err) == (0, "")
    assert f"4 replies; {path} holds 3 answers to 2 prompts now" in out
    assert "       2  it is the first\n" in out
    return path


def test_what_was_warmed_is_served(path):
    with ResponseCache(path, {"model": "m", "t": 0.7}, CacheConfig(k=2)) as cache:
        assert cache.get("Where is it?").text == "On its way."
        assert cache.get("你好", early=True).text == "您好！👋"


def test_quality_gates(run, tmp_path, replies):
    options = ("--quality-column", "score", "--min-quality", 0.5, "--namespace", "a")
    code, out, _ = run("cache", "warm", tmp_path / "new.db", replies, *options)
    assert code == 0
    assert "its quality is below 0.5\n" in out
    assert "holds 2 answers to 2 prompts" in out


def test_stats_as_text_and_as_json(run, path):
    with ResponseCache(path, {"model": "m", "t": 0.7}, CacheConfig(k=2)) as cache:
        cache.get("Where is it?")
        stats = cache.stats()
    code, out, err = run("cache", "stats", path)
    assert (code, err) == (0, "")
    assert out.startswith(
        '{"model":"m","t":0.7}\n'
        "  3 answers to 2 prompts, 0.0 MB\n"
        "  1 exact hits, 0 semantic hits, 0 misses: hit rate 1.000\n"
        f"  Distinct-2 of the answers to a prompt {stats.distinct_2.value:.3f}\n"
        f"  {stats.distinct_2.signature}\n"
    )
    code, out, _ = run("cache", "stats", path, "--json")
    (found,) = json.loads(out).values()
    assert (found["n_answers"], found["exact_hits"], found["distinct_2"]["value"]) == (3, 1, stats.distinct_2.value)


def test_stats_of_an_empty_namespace(run, tmp_path):
    ResponseCache(tmp_path / "new.db", "[b]none[/b]").close()
    code, out, _ = run("cache", "stats", tmp_path / "new.db")
    assert code == 0
    assert "[b]none[/b]" in out
    assert json.loads(run("cache", "stats", tmp_path / "new.db", "--json")[1])["[b]none[/b]"]["distinct_2"] is None


def test_an_export_is_measured_and_read_back(run, path, tmp_path):
    code, printed, _ = run("cache", "export", path)
    assert code == 0
    output = tmp_path / "answers.jsonl"
    assert run("cache", "export", path, "--output", output)[0] == 0
    assert output.read_text(encoding="utf-8") == printed
    assert json.loads(printed.splitlines()[1])["prompt"] == [{"role": "user", "content": "你好"}]
    assert run("eval", output)[0] == 0
    assert run("cache", "warm", tmp_path / "copy.db", output, "--namespace", '{"model":"m","t":0.7}')[0] == 0
    assert run("cache", "export", tmp_path / "copy.db")[1] == printed


def test_clearing_must_be_said(run, path):
    for arguments in ((), ("--all", "--ended"), ("--all", "--namespace", "a")):
        code, _, err = run("cache", "clear", path, *arguments)
        assert code == 2
        assert "Say what to delete: --namespace NAME, --all or --ended." in err
    assert run("cache", "clear", path, "--ended")[1] == "0 answers deleted\n"
    assert run("cache", "clear", path, "--namespace", '{"t": 0.7, "model": "m"}')[1] == "3 answers deleted\n"
    assert run("cache", "clear", path, "--all")[1] == "0 answers deleted\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stats", "{there}/no.db"), "There is no cache at"),
        (("stats", "{replies}"), "is no cache, or is damaged"),
        (("stats", "{path}", "--namespace", "b"), """has no namespace 'b'; there is ['{"model":"m","t":0.7}']."""),
        (("export", "{path}", "--namespace", "{{"), "`--namespace` begins like a JSON object and is none"),
        (("warm", "{path}", "{replies}", "--namespace", ""), "`namespace` must not be empty"),
        (("warm", "{path}", "{replies}", "--namespace", "a", "--k", "0"), "`k` must be at least 1, got 0."),
        (("warm", "{path}", "{there}/no.jsonl", "--namespace", "a"), "no.jsonl"),
        (("warm", "{path}", "{replies}", "--namespace", "a", "--min-quality", "1"), "each answer needs a `quality`"),
        (("warm", "{path}", "{replies}", "--namespace", "a", "--where", "done"), "No reply has a column 'done'"),
    ],
)
def test_bad_input_is_told(run, path, replies, tmp_path, arguments, words):
    names = {"there": tmp_path, "path": path, "replies": replies}
    code, _, err = run("cache", *(argument.format(**names) for argument in arguments))
    assert code == 2
    assert words in err.replace("\n", "")
    assert not (tmp_path / "no.db").exists()


def test_help_has_an_example(run):
    for command in ("warm", "stats", "export", "clear"):
        code, out, _ = run("cache", command, "--help")
        assert code == 0
        assert f"hfdiv cache {command} answers.db" in " ".join(out.split())
