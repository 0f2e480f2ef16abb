"""`vllm serve` with the processor that its entry point brings, asked by OpenAI's client over HTTP."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.serving_vllm.wishes import DRAWN, PROMPTS, WISHES


START_S = 600


@pytest.fixture(scope="module")
def client(model_folder, tmp_path_factory):
    openai = pytest.importorskip("openai")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    command = [*serve(), model_folder, "--served-model-name", "smollm2"]
    command += ["--dtype", "float32", "--enforce-eager", "--max-model-len", "512", "--max-num-seqs", "8"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ})
        try:
            _wait(server, f"http://127.0.0.1:{port}/health", log)
            yield openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", timeout=300, max_retries=0)
        finally:
            server.terminate()
            server.wait(60)


def serve():
    """`vllm serve`; the build for the CPU has another name, and its command falls over asking for its version."""
    try:
        version("vllm")
    except PackageNotFoundError:
        return [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model"]
    return [str(Path(sys.executable).with_name("vllm")), "serve"]


def _wait(server, url, log):
    started = time.monotonic()
    while time.monotonic() - started < START_S:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(2)
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


def reply(client, wish=None, prompt=PROMPTS[0], **options):
    options = {"temperature": 0.0, "max_tokens": 16, **options}
    extra = None if wish is None else {"vllm_xargs": wish}
    return client.completions.create(model="smollm2", prompt=prompt, extra_body=extra, **options).choices[0].text


def test_each_penalty_changes_what_the_server_writes(client):
    plain = reply(client)
    assert plain == reply(client)
    for name in ("dry", "lz", "window"):
        assert reply(client, WISHES[name]) != plain, name
    about_the_sea = reply(client, prompt=PROMPTS[1])
    for name in ("history", "endings"):
        own = {**WISHES[name], "history_allowed_length": 1, "history": [about_the_sea]}
        assert reply(client, own, prompt=PROMPTS[1]) != about_the_sea, name


def test_requests_at_the_same_time_do_not_leak_into_each_other(client):
    wishes = [None, *WISHES.values(), None, *WISHES.values()]
    prompts = [PROMPTS[place % 3] for place in range(len(wishes))]
    alone = [reply(client, wish, prompt) for wish, prompt in zip(wishes, prompts, strict=True)]
    with ThreadPoolExecutor(len(wishes)) as pool:
        together = list(pool.map(lambda pair: reply(client, *pair), zip(wishes, prompts, strict=True)))
    assert together == alone
    assert len(set(alone)) > 6


def test_chat_takes_them_and_draws_from_its_seed(client):
    def chat(wish):
        message = {"role": "user", "content": "Say something about the sea."}
        answer = client.chat.completions.create(
            model="smollm2",
            messages=[message],
            temperature=1.0,
            seed=3,
            max_tokens=12,
            n=2,
            extra_body={"vllm_xargs": wish},
        )
        return [choice.message.content for choice in answer.choices]

    for wish in DRAWN.values():
        first = chat(wish)
        assert first == chat(wish)
        assert first[0] != first[1]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"dry_multiplyer": 1}, "Did you mean 'dry_multiplier'?"),
        ({"dry_base": 0.5, "dry_multiplier": 1.0}, "`dry_base` must be at least 1"),
        ({"history": ["Hi."]}, "`history` would do nothing"),
    ],
)
def test_wrong_parameters_are_http_400_with_the_reason(client, wish, message):
    import openai

    with pytest.raises(openai.BadRequestError) as refused:
        reply(client, wish)
    assert refused.value.status_code == 400
    assert message in str(refused.value)
    assert reply(client)  # and the server lives on
