import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import get_args

import pytest


pytest.importorskip("openai", reason="servers need the extra `openai`")

from hfdiv.cli import main, server_job  # noqa: E402
from hfdiv.cli.generate import generate  # noqa: E402
from hfdiv.data import read_records  # noqa: E402
from hfdiv.data.resume import GrowingReplies  # noqa: E402
from hfdiv.generation.backends import ENGINES  # noqa: E402
from hfdiv.generation.backends import client as client_module  # noqa: E402
from tests.generation.fake_server import (  # noqa: E402
    FakeServer,
    answer,
    closed,
    cut_off,
    hanging,
    page,
    proper,
    status,
    with_changes,
)


PROMPTS = [
    "one",
    "two red",
    [{"role": "system", "content": "S"}, {"role": "user", "content": "three 你好 👋"}],
    "no",
    "one",
]


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.01)


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


def write_prompts(path, prompts=PROMPTS):
    path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts), encoding="utf-8")
    return path


@pytest.fixture
def command(tmp_path):
    prompts = write_prompts(tmp_path / "prompts.jsonl")

    def _command(server, *switches, **options):
        base = {"backend": "openai", "model": "m", "prompts": prompts, "output_dir": tmp_path / "out", "retries": 1}
        if server is not None:
            base["base_url"] = server.url
        given = {f"--{name.replace('_', '-')}": value for name, value in {**base, **options}.items()}
        return [
            "generate",
            *[part for name, value in given.items() if value is not None for part in (name, str(value))],
            *switches,
        ]

    return _command


def rows(folder):
    return [json.loads(line) for line in (folder / "replies.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def asked(request):
    return request["messages"][-1]["content"]


# As it should be


def test_replies_are_written_for_eval_in_the_order_of_the_prompts(run, command, tmp_path):
    def slower_at_first(handler, request):
        time.sleep(0.2 if asked(request) == "one" else 0.0)
        proper(handler, request)

    with FakeServer(slower_at_first) as server:
        code, out, err = run(*command(server, num_return_sequences=3, temperature=0.7))
        assert (code, out) == (0, "")
        assert len(server.requests) == 5
        assert {request["temperature"] for request in server.requests} == {0.7}
    assert "15 replies to 5 prompts: " in err
    done = rows(tmp_path / "out")
    assert [row["prompt"] for row in done] == PROMPTS
    assert [list(row) for row in done] == [["prompt", "responses", "finished"]] * 5
    assert all(len(set(row["responses"])) == 3 for row in done)
    assert done[0]["responses"] != done[4]["responses"]  # the same prompt again is another draw
    assert names(tmp_path / "out") == ["generate.json", "replies.jsonl"]
    assert run("eval", tmp_path / "out" / "replies.jsonl", "--json", "--where", "finished")[0] == 0


def test_the_settings_stand_beside_the_replies_and_no_key_does(run, command, tmp_path, monkeypatch):
    monkeypatch.setenv("MINE", "sk-secret")
    with FakeServer() as server:
        assert run(*command(server, api_key_env="MINE", concurrency=3))[0] == 0
        assert server.headers[0]["authorization"] == "Bearer sk-secret"
        about = json.loads((tmp_path / "out" / "generate.json").read_text(encoding="utf-8"))
        assert about["servers"] == {"m": server.url}
    assert about["settings"]["backend"] == "openai"
    assert about["settings"]["sources"][0]["model"] == "m"
    assert about["requests"] == {"concurrency": 3, "timeout": 600.0, "retries": 1}
    assert set(about["versions"]) == {"hfdiv", "openai", "python"}
    for path in (tmp_path / "out").iterdir():
        assert "sk-secret" not in path.read_text(encoding="utf-8")


def test_the_server_may_move_and_be_treated_otherwise(run, command, tmp_path):
    with FakeServer([proper, proper, *[status(400)] * 3]) as server:
        assert run(*command(server))[0] == 1
    with FakeServer() as server:
        assert run(*command(server, concurrency=1, timeout=9, retries=0))[0] == 0
        assert len(server.requests) == 3
    assert "error" not in "".join(map(str, rows(tmp_path / "out")))


def test_other_settings_are_refused(run, command, tmp_path):
    with FakeServer() as server:
        run(*command(server))
        before = (tmp_path / "out" / "replies.jsonl").read_bytes()
        code, _, err = run(*command(server, model="other", temperature=0.5))
        assert code == 2
        assert "`decoding.temperature` was 1.0 and is 0.5" in err
        assert (tmp_path / "out" / "replies.jsonl").read_bytes() == before
        assert run(*command(server, "--overwrite", temperature=0.5))[0] == 0
        assert {request["temperature"] for request in server.requests[5:]} == {0.5}


def test_a_finished_run_asks_for_nothing(run, command, tmp_path):
    with FakeServer() as server:
        run(*command(server))
        before = (tmp_path / "out" / "replies.jsonl").read_bytes()
        code, _, err = run(*command(server))
        assert code == 0
        assert len(server.requests) == 5
    assert "5 of 5 prompts" in err
    assert "nothing left to do" in err
    assert (tmp_path / "out" / "replies.jsonl").read_bytes() == before


def test_several_servers_share_the_replies_and_the_source_is_told(run, command, tmp_path):
    with FakeServer() as one, FakeServer() as other:
        code, _, err = run(*command(one, "--base-url", other.url, num_return_sequences=5))
        assert code == 0, err
        assert {request["n"] for request in one.requests} == {3}
        assert {request["n"] for request in other.requests} == {2}
    for row in rows(tmp_path / "out"):
        assert row["source"] == ["m#1"] * 3 + ["m#2"] * 2
        assert len(set(row["responses"])) == 5
    assert read_records(tmp_path / "out" / "replies.jsonl").columns.keys() == {"finished"}


def test_styles_come_from_a_file(run, command, tmp_path):
    with FakeServer() as one, FakeServer() as other:
        file = tmp_path / "sources.yaml"
        file.write_text(
            f"- {{base_url: '{one.url}', model: a, name: brief, system: Be brief., n: 1}}\n"
            f"- {{base_url: '{other.url}', model: b, engine: vllm, top_k: 7, temperature: 0.3, n: 2}}\n"
        )
        code, _, err = run(*command(None, sources=file, model=None))
        assert code == 0, err
        assert {request["messages"][0]["content"] for request in one.requests} == {"Be brief.", "S\n\nBe brief."}
        assert {(request["top_k"], request["temperature"], request["model"]) for request in other.requests} == {
            (7, 0.3, "b")
        }
    assert [row["source"] for row in rows(tmp_path / "out")] == [["brief", "b", "b"]] * 5


def test_raw_texts_are_gone_on_with(run, command, tmp_path):
    with FakeServer() as server:
        assert run(*command(server, "--raw", limit=2))[0] == 0
        assert server.paths == ["/v1/completions"] * 2
        assert sorted(request["prompt"] for request in server.requests) == ["one", "two red"]


def test_neither_torch_nor_transformers_is_needed(command, tmp_path):
    history = [{"prompt": "And?", "history": ["Anything else?"]}]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history))
    code = "import sys\nsys.modules.update(torch=None, transformers=None)\nfrom hfdiv.cli import main\nmain()"
    with FakeServer() as server:
        arguments = command(server, best_of=3, stale_above=0.8, quality="repetition_reward")
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "out")) == 1


# Choice


def with_texts(*texts, logprobs=(), reasons=()):
    """Answer with these texts, likely as they say."""

    def behave(handler, request):
        body = answer(request, n=len(texts))
        for place, (choice, text) in enumerate(zip(body["choices"], texts, strict=True)):
            choice["message"]["content"] = text
            choice["logprobs"] = {"content": [{"logprob": logprobs[place]}]} if logprobs else None
            choice["finish_reason"] = reasons[place] if reasons else "stop"
        handler.send_json(body)

    return behave


SORRY = "I am sorry about that. Anything else?"


def test_the_best_are_likely_and_differ(run, command, tmp_path):
    texts = ("I am so sorry about that.", "I am so sorry about this.", "Which size did you order?", "I am")
    reasons = ("stop", "stop", "stop", "length")
    with FakeServer(with_texts(*texts, logprobs=(-0.5, -0.4, -0.42, -0.1), reasons=reasons)) as server:
        code, _, err = run(*command(server, num_return_sequences=2, best_of=4, limit=1))
        assert code == 0, err
        assert server.requests[0]["logprobs"] is True
    (row,) = rows(tmp_path / "out")
    assert row["responses"] == [texts[1], texts[2]]
    assert row["log_probability"] == [-0.4, -0.42]


def test_cut_off_ones_are_kept_for_want_of_others(run, command, tmp_path):
    reasons = ("length", "stop", "length")
    with FakeServer(with_texts("a b c", "d e f", "g h i", logprobs=(-0.1, -0.9, -0.2), reasons=reasons)) as server:
        run(*command(server, num_return_sequences=2, best_of=3, limit=1))
    assert rows(tmp_path / "out")[0]["finished"] == [True, False]


@pytest.mark.parametrize("selection", ["mmr", "max_min", "dpp"])
def test_a_reply_that_closes_as_an_earlier_one_did_is_kept_for_want_of_others(run, command, tmp_path, selection):
    history = [{"prompt": "And?", "history": [SORRY]}, {"prompt": "And?"}]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history))
    texts = ("It is on its way. Anything else?", "It will be there soon.", "Tomorrow. Anything else?")
    with FakeServer(with_texts(*texts, logprobs=(-0.1, -0.9, -0.2))) as server:
        options = {"best_of": 3, "selection": selection}
        assert run(*command(server, stale_above=0.8, **options))[0] == 0
        assert [row["responses"] for row in rows(tmp_path / "out")] == [[texts[1]], [texts[0]]]
        assert run(*command(server, output_dir=tmp_path / "plain", **options))[0] == 0
    assert rows(tmp_path / "plain")[0]["responses"] == [texts[0]]


def test_quality_may_be_a_reward_function(run, command, tmp_path):
    judge = tmp_path / "judge.py"
    judge.write_text("def short(response, history):\n    return None if response == 'a' else -len(response)\n")
    with FakeServer(with_texts("a", "dddd", "ccc")) as server:
        code, _, err = run(*command(server, best_of=3, quality=f"{judge}:short", limit=1))
        assert code == 0, err
        assert "logprobs" not in server.requests[0]
    (row,) = rows(tmp_path / "out")
    assert row == {"prompt": "one", "responses": ["ccc"], "finished": [True]}
    about = json.loads((tmp_path / "out" / "generate.json").read_text(encoding="utf-8"))["settings"]
    assert (about["selection"], about["quality"]) == ("mmr", f"{judge}:short")


def test_a_failing_reward_function_loses_no_reply(run, command, tmp_path):
    judge = tmp_path / "judge.py"
    judge.write_text("def bad(response, history):\n    raise ZeroDivisionError('oh')\n")
    with FakeServer(delay=0.02) as server:
        code, _, err = run(*command(server, best_of=3, quality=f"{judge}:bad"))
        assert code == 2
        assert "ZeroDivisionError: oh" in err
        assert "Traceback" not in err
        kept = (tmp_path / "out" / "unfinished.jsonl").read_bytes().count(b"\n")
        assert kept >= 1
        judge.write_text("def bad(response, history):\n    return 1.0\n")
        for name in [name for name in sys.modules if "judge" in name]:
            del sys.modules[name]
        n_before = len(server.requests)
        assert run(*command(server, best_of=3, quality=f"{judge}:bad"))[0] == 0
        assert len(server.requests) - n_before == 5 - kept
    assert names(tmp_path / "out") == ["generate.json", "replies.jsonl"]


def test_no_log_probabilities_is_said_before_a_folder_is_made(run, command, tmp_path):
    with FakeServer(with_texts("a", "b")) as server:
        code, _, err = run(*command(server, best_of=2))
        assert code == 2
        assert "m says no log-probabilities" in err
        assert "`--quality none`" in err
        assert not (tmp_path / "out").exists()
        assert run(*command(server, best_of=2, quality="none"))[0] == 0


# As it is


def test_what_fails_has_a_line_that_says_why_and_is_asked_for_again_alone(run, command, tmp_path):
    def two_fail(handler, request):
        if asked(request) == "two red":
            return status(400, "too [long]")(handler, request)
        return status(500)(handler, request) if asked(request) == "no" else proper(handler, request)

    with FakeServer(two_fail) as server:
        code, _, err = run(*command(server, num_return_sequences=2))
        assert code == 1
        assert "6 replies to 3 prompts" in err
        assert "2 of 5 prompts lack replies" in err
        assert "1 × m: status 400: too [long]" in err
        assert "1 × m: status 500: it is broken (tried 2 times)" in err
    done = rows(tmp_path / "out")
    assert [row["prompt"] for row in done] == PROMPTS
    assert done[1] == {"prompt": "two red", "responses": [], "finished": [], "error": "m: status 400: too [long]"}
    assert run("eval", tmp_path / "out" / "replies.jsonl", "--json")[0] == 0
    assert run("eval", tmp_path / "out" / "replies.jsonl", "--where", "finished")[0] == 0
    with FakeServer() as server:
        code, _, err = run(*command(server, num_return_sequences=2))
        assert code == 0
        assert "3 of 5 prompts in" in err
        assert sorted(map(asked, server.requests)) == ["no", "two red"]
    with FakeServer() as server:
        run(*command(server, num_return_sequences=2, output_dir=tmp_path / "whole"))
    assert rows(tmp_path / "out") == rows(tmp_path / "whole")
    assert names(tmp_path / "out") == ["generate.json", "replies.jsonl"]


def test_replies_that_a_failed_prompt_has_are_kept(run, command, tmp_path):
    def two(handler, request):
        handler.send_json(answer(request, n=2))

    with FakeServer(lambda handler, request: (two if request["n"] == 3 else status(500))(handler, request)) as server:
        assert run(*command(server, num_return_sequences=3, limit=1))[0] == 1
    (row,) = rows(tmp_path / "out")
    assert len(row["responses"]) == 2
    with FakeServer() as server:
        assert run(*command(server, num_return_sequences=3, limit=1))[0] == 0
        assert [request["n"] for request in server.requests] == [1]
    (after,) = rows(tmp_path / "out")
    assert after["responses"][:2] == row["responses"]
    assert len(after["responses"]) == 3


def test_what_fails_for_good_does_not_stand_before_what_may_pass(run, command, tmp_path):
    write_prompts(tmp_path / "prompts.jsonl", [f"p{place}" for place in range(9)])

    def refused(handler, request):
        return (proper if asked(request) in ("p0", "p8") else status(400))(handler, request)

    with FakeServer(
        lambda handler, request: (refused if asked(request) != "p8" else status(500))(handler, request)
    ) as s:
        assert run(*command(s, concurrency=1))[0] == 1
    with FakeServer(refused) as server:
        code, _, err = run(*command(server, concurrency=1))
        assert code == 1
        assert "7 of 9 prompts lack replies" in err
        assert len(server.requests) == 8
    assert rows(tmp_path / "out")[8]["responses"]


def test_a_failed_prompt_has_its_row_also_where_the_best_are_chosen(run, command, tmp_path):
    options = {"best_of": 3, "num_return_sequences": 2, "limit": 3}
    with FakeServer([status(400)]) as server:
        assert run(*command(server, concurrency=1, **options))[0] == 1
    assert [len(row["responses"]) for row in rows(tmp_path / "out")] == [0, 2, 2]
    with FakeServer() as server:
        assert run(*command(server, **options))[0] == 0
    assert [len(row["log_probability"]) for row in rows(tmp_path / "out")] == [2, 2, 2]


def test_the_first_row_may_be_a_failed_one(run, command, tmp_path):
    with FakeServer([status(400)]) as server:
        assert run(*command(server, concurrency=1))[0] == 1
    assert rows(tmp_path / "out")[0]["responses"] == []
    assert run("eval", tmp_path / "out" / "replies.jsonl", "--json")[0] == 0


TROUBLE = [status(500), page(), page(200), cut_off, closed, status(429), with_changes(lambda body: {"choices": 3})]


def test_every_kind_of_trouble_once_leaves_the_file_as_it_would_be(run, command, tmp_path):
    write_prompts(tmp_path / "prompts.jsonl", [f"p{place}" for place in range(12)])
    with FakeServer(TROUBLE) as server:
        assert run(*command(server, retries=7))[0] == 0
        assert len(server.requests) == 12 + len(TROUBLE)
    with FakeServer() as server:
        assert run(*command(server, retries=7, output_dir=tmp_path / "whole"))[0] == 0
    assert (tmp_path / "out" / "replies.jsonl").read_bytes() == (tmp_path / "whole" / "replies.jsonl").read_bytes()


def test_a_slow_server_fails_in_time(run, command, tmp_path):
    with FakeServer([hanging()]) as server:
        start = time.monotonic()
        code, _, err = run(*command(server, timeout=0.3, retries=0, limit=2))
        assert time.monotonic() - start < 10
    assert code == 1
    assert "no answer within 0.3 seconds" in err


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (status(404, "The model `m` does not exist."), "status 404: The model `m` does not exist."),
        (status(401, "Incorrect API key"), "status 401: Incorrect API key"),
    ],
)
def test_a_wrong_model_or_key_ends_the_job_at_once(run, command, tmp_path, trouble, message):
    with FakeServer(trouble) as server:
        code, _, err = run(*command(server, concurrency=1))
        assert len(server.requests) == 1
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_what_was_finished_before_the_model_went_is_kept(run, command, tmp_path):
    with FakeServer([proper, proper, status(404, "gone")]) as server:
        assert run(*command(server, concurrency=1))[0] == 1
    assert len(rows(tmp_path / "out")) == 2
    with FakeServer() as server:
        assert run(*command(server))[0] == 0
        assert len(server.requests) == 3


def test_a_server_that_is_not_there(run, command, tmp_path):
    with FakeServer() as server:
        pass
    code, _, err = run(*command(server, retries=0, limit=3))
    assert code == 1
    assert "3 of 3 prompts failed. The same command asks for them again." in err
    assert re.search(r"3 × m: http://.* cannot be reached", err)
    assert not (tmp_path / "out").exists()


# Interrupted


@pytest.fixture
def many(tmp_path):
    write_prompts(tmp_path / "prompts.jsonl", [f"p{place}" for place in range(24)])


def by_turns(handler, request):
    """Slow for every third prompt, so that answers come out of order."""
    time.sleep(0.2 if int(asked(request)[1:]) % 3 == 0 else 0.02)
    proper(handler, request)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_is_stopped_goes_on_without_asking_again(run, command, tmp_path, many, how):
    out = tmp_path / "out"
    with FakeServer(by_turns) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", "from hfdiv.cli import main; main()", *command(server, num_return_sequences=2)],
            stderr=subprocess.PIPE,
        )
        journal = out / "unfinished.jsonl"
        while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") >= 4):
            time.sleep(0.005)
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
        assert process.returncode == (-9 if how == signal.SIGKILL else 130)
        assert b"Traceback" not in err
        in_file = [row["prompt"] for row in rows(out)] if (out / "replies.jsonl").exists() else []
        ahead = [json.loads(line)["prompt"] for line in journal.read_bytes().split(b"\n")[:-1]]
        kept = {*in_file, *(f"p{place}" for place in ahead)}
        assert 4 <= len(kept) < 24
        assert len(kept) > len(in_file)  # some came before their turn
    with FakeServer() as server:
        assert run(*command(server, num_return_sequences=2))[0] == 0
        assert sorted(map(asked, server.requests)) == sorted({f"p{place}" for place in range(24)} - kept)
        assert run(*command(server, num_return_sequences=2, output_dir=tmp_path / "whole"))[0] == 0
    assert (out / "replies.jsonl").read_bytes() == (tmp_path / "whole" / "replies.jsonl").read_bytes()
    assert names(out) == ["generate.json", "replies.jsonl"]


def test_an_interrupt_while_a_row_is_written_keeps_all(run, command, tmp_path, many, monkeypatch):
    real = GrowingReplies.add

    def add(self, row):
        real(self, row)
        if self.n_done == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with FakeServer() as server:
        with monkeypatch.context() as patch:
            patch.setattr(GrowingReplies, "add", add)
            code, _, err = run(*command(server))
        assert code == 130
        assert "The same command goes on from there." in err
        assert run(*command(server))[0] == 0
    assert [row["prompt"] for row in rows(tmp_path / "out")] == [f"p{place}" for place in range(24)]


# Bad input


@pytest.mark.parametrize(
    ("switches", "options", "message"),
    [
        ([], {"base_url": None}, "--backend openai needs --base-url"),
        ([], {"model": None}, "--backend openai needs --base-url, such as"),
        ([], {"base_url": "localhost:8000"}, "`base_url` must be such as http://localhost:8000/v1"),
        ([], {"base_url": "http://me:secret@a/v1"}, "`base_url` must not hold a user, a password"),
        ([], {"backend": None}, "--base-url goes with --backend openai, not with --backend transformers"),
        ([], {"backend": "vllm"}, "--base-url goes with --backend openai, not with --backend vllm"),
        ([], {"device": "cpu"}, "--device goes with --backend transformers, not with --backend openai"),
        ([], {"dtype": "float32"}, "--dtype goes with --backend transformers or --backend vllm, not with"),
        ([], {"batch_size": 4}, "--batch-size goes with --backend transformers"),
        (["--streaming"], {}, "--streaming goes with --backend transformers"),
        ([], {"vllm_config": "x.yaml"}, "--vllm-config goes with --backend vllm"),
        (["--siblings"], {"num_return_sequences": 2}, "`sibling_"),
        ([], {"dry_multiplier": 0.8}, "`dry_multiplier` is no setting of OpenAI's API"),
        ([], {"top_k": 4, "engine": "openai"}, "`top_k` is no setting of OpenAI's API"),
        ([], {"quality": "none"}, "--quality has a say in which replies are kept: give --best-of, too."),
        ([], {"stale_above": 0.8}, "--stale-above has a say in which replies are kept"),
        ([], {"stale_above": 0.8, "best_of": 2}, "the prompts hold none"),
        ([], {"best_of": 2, "num_return_sequences": 2}, "`best_of` must be more than the 2 replies to keep"),
        ([], {"best_of": 2, "quality": "nonsense"}, "There is no reward named 'nonsense'"),
        ([], {"timeout": 0}, "`timeout` must be a number of seconds above 0"),
        ([], {"api_key_env": "NOT_SET_ANYWHERE"}, "the environment variable NOT_SET_ANYWHERE is to hold the API key"),
        ([], {"sources": "no.yaml"}, "cannot be used with --sources"),
        ([], {"prompts": None, "output_dir": None}, "--backend cannot be used in a chat"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(run, command, tmp_path, monkeypatch, switches, options, message):
    monkeypatch.chdir(tmp_path)
    with FakeServer() as server:
        code, out, err = run(*command(server, *switches, **options))
        assert code == 2
        assert message in err
        assert "secret" not in err
        assert "Traceback" not in err
        assert out == ""
        assert server.requests == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "- {base_url: 'http://a/v1', model: a, n: 2}",
            {"best_of": 4},
            "write 2 replies to a prompt, and --best-of is 4",
        ),
        (
            "- {base_url: 'http://a/v1', model: a, n: 4}",
            {"num_return_sequences": 2},
            "give --best-of 4 to keep 2 of them",
        ),
        ("- {base_url: 'http://a/v1', model: a, system: x}", {"raw": True}, "a `system` message needs a chat"),
        ("- {base_url: 'http://a/v1'}", {}, "source 1: there is no `model`"),
    ],
)
def test_a_file_of_sources_that_does_not_fit(run, command, tmp_path, text, options, message):
    (tmp_path / "sources.yaml").write_text(text)
    raw = ["--raw"] if options.pop("raw", False) else []
    code, _, err = run(*command(None, *raw, sources=tmp_path / "sources.yaml", model=None, **options))
    assert code == 2
    assert message in err


@pytest.mark.parametrize("prompt", [[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]])
def test_a_prompt_that_cannot_be_replied_to_is_named_before_anything_is_asked(run, command, tmp_path, prompt):
    write_prompts(tmp_path / "prompts.jsonl", ["one", prompt])
    with FakeServer() as server:
        code, _, err = run(*command(server))
        assert code == 2
        assert "Prompt 1 cannot be replied to: its last message is the assistant's" in err
        assert server.requests == []


def test_every_engine_can_be_named():
    (option,) = get_args(inspect.signature(generate, eval_str=True).parameters["engine"].annotation)[:1]
    assert set(get_args(get_args(option)[0])) == set(ENGINES)


def test_without_openai_the_error_says_how_to_get_it(run, command, tmp_path, monkeypatch):
    monkeypatch.setattr(server_job, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "openai", None)
    with FakeServer() as server:
        code, _, err = run(*command(server))
    assert code == 1
    assert 'pip install "hfdiv[openai]"' in err
