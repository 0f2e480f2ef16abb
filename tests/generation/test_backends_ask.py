import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest


pytest.importorskip("openai", reason="servers need the extra `openai`")

from hfdiv.generation import DecodingConfig  # noqa: E402
from hfdiv.generation.backends import Answer, Asked, Failure, Limits, Source, SourceError, Wanted, ask  # noqa: E402
from hfdiv.generation.backends import client as client_module  # noqa: E402
from hfdiv.generation.backends.request import seed_of  # noqa: E402
from hfdiv.generation.serving import wish_of  # noqa: E402
from tests.generation.fake_server import (  # noqa: E402
    FakeServer,
    answer,
    closed,
    cut_off,
    hanging,
    page,
    proper,
    status,
    trickling,
    with_changes,
)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.01)


def source(server, n=2, **arguments):
    return Source(server.url, "m", DecodingConfig(num_return_sequences=n, max_new_tokens=9), **arguments)


def asked_of(server, prompts=("Hi",), n=2, keep=None, sources=None, wanted=None, seed=0, raw=False, **limits):
    sources = sources or [source(server, n)]
    wanted = wanted or [Wanted(place, number) for place in range(len(prompts)) for number in range(len(sources))]
    given = [Asked(prompt, raw) for prompt in prompts]
    return list(ask(sources, given, wanted, seed, Limits(**{"timeout": 5.0, "retries": 2, **limits}), keep))


def texts(items):
    """The replies by prompt and source, in the order of arrival."""
    found = {}
    for item in items:
        assert isinstance(item, Answer), item
        found.setdefault((item.place, item.source), []).extend(item.choices.responses)
    return found


# As it should be


def test_every_prompt_gets_its_replies():
    with FakeServer() as server:
        got = texts(asked_of(server, [f"p{place}" for place in range(30)], n=3))
        assert len(server.requests) == 30
        assert set(server.paths) == {"/v1/chat/completions"}
    for place in range(30):
        assert got[place, 0] == [f"p{place} reply {seed_of(0, place, 0, 0)} {k}" for k in range(3)]


def test_raw_texts_go_to_completions():
    with FakeServer() as server:
        got = texts(asked_of(server, ["Once", [{"role": "user", "content": "Hi"}]], n=1, raw=True))
        assert sorted(server.paths) == ["/v1/chat/completions", "/v1/completions"]
    assert (got[0, 0][0].split()[0], got[1, 0][0].split()[0]) == ("Once", "Hi")


def test_several_sources_are_asked_alike():
    with FakeServer() as one, FakeServer() as other:
        sources = [source(one, 2), source(other, 1), source(one, 3, system="Be brief.")]
        got = texts(asked_of(None, ["a", "b"], sources=sources))
        assert {key: len(replies) for key, replies in got.items()} == {
            (place, number): n for place in (0, 1) for number, n in enumerate((2, 1, 3))
        }
        assert (len(one.requests), len(other.requests)) == (4, 2)
        with_style = [request for request in one.requests if request["messages"][0]["role"] == "system"]
        assert len(with_style) == 2


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_server_is_asked_more_at_once_than_it_may(concurrency):
    with FakeServer(delay=0.02) as one, FakeServer(delay=0.02) as other:
        sources = [source(one), source(one), source(other)]
        asked_of(None, [f"p{place}" for place in range(8)], sources=sources, concurrency=concurrency)
        assert (one.most_at_once, other.most_at_once) == (concurrency, concurrency)


def test_only_what_is_wanted_is_asked_for():
    with FakeServer() as server:
        got = texts(asked_of(server, ["a", "b", "c"], n=3, wanted=[Wanted(2, 0, n_had=1), Wanted(0, 0)]))
        assert {key: len(replies) for key, replies in got.items()} == {(2, 0): 2, (0, 0): 3}
        assert sorted((request["n"], request["seed"]) for request in server.requests) == sorted(
            [(2, seed_of(0, 2, 0, 1)), (3, seed_of(0, 0, 0, 0))]
        )


def test_a_seed_fixes_what_is_drawn():
    with FakeServer() as server:
        first, again, other = (texts(asked_of(server, ["a", "b"], seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_replies_are_asked_for_a_few_at_a_time_where_a_server_refuses_more():
    with FakeServer() as server:
        got = texts(asked_of(server, sources=[source(server, 5, n_per_request=2)]))
        assert [request["n"] for request in server.requests] == [2, 2, 1]
    assert len(set(got[0, 0])) == 5  # each request draws by another seed


def test_what_is_kept_is_kept_before_it_is_handed_over():
    kept = []
    with FakeServer() as server:
        sources, prompts = [source(server)], [Asked(str(place)) for place in range(5)]
        wanted = [Wanted(place, 0) for place in range(5)]
        for item in ask(sources, prompts, wanted, keep=lambda answer: kept.append(answer)):
            assert item in kept
    assert len(kept) == 5


def test_an_error_of_keeping_ends_the_work():
    def full(answer):
        raise OSError("no space left on device")

    with FakeServer() as server, pytest.raises(OSError, match="no space left"):
        asked_of(server, ["a"] * 50, keep=full)


def test_leaving_off_stops_the_requests():
    with FakeServer(delay=0.05) as server:
        before = threading.active_count()
        items = ask([source(server)], [Asked(str(place)) for place in range(500)], [Wanted(p, 0) for p in range(500)])
        next(items)
        items.close()
        n_asked = len(server.requests)
        assert n_asked < 50
        time.sleep(0.2)
        assert len(server.requests) <= n_asked + 8
        assert threading.active_count() <= before + 8  # those of the server


def test_it_works_inside_an_event_loop():
    import asyncio

    async def cell_of_a_notebook(server):
        return asked_of(server)

    with FakeServer() as server:
        assert len(texts(asyncio.run(cell_of_a_notebook(server)))[0, 0]) == 2


# As it is


PASSING = {
    "500": status(500),
    "503": status(503),
    "429": status(429, "slow down"),
    "408": status(408),
    "a page": page(),
    "a page with status 200": page(200),
    "cut off": cut_off,
    "closed": closed,
    "wrong JSON": with_changes(lambda body: [body]),
    "no choices": with_changes(lambda body: {"choices": []}),
    "an error with status 200": with_changes(lambda body: {"error": {"message": "overloaded"}}),
    "null": with_changes(lambda body: [choice["message"].update(content=None) for choice in body["choices"]] and body),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(trouble):
    with FakeServer([trouble, trouble]) as server:
        assert len(texts(asked_of(server, retries=2))[0, 0]) == 2
        assert len(server.requests) == 3
        assert server.requests[0] == server.requests[2]


REASONS = {
    "500": (status(500, "it is broken"), "status 500: it is broken"),
    "a page": (page(502), "status 502: <html><body>Bad gateway</body></html>"),
    "a page with status 200": (page(200), "the answer is no JSON: '<html><body>Bad gateway"),
    "cut off": (cut_off, "peer closed connection without sending complete message body"),
    "closed": (closed, "Server disconnected without sending a response"),
    "no choices": (PASSING["no choices"], "the answer holds no choices"),
    "null": (PASSING["null"], "no choice of the answer has a text (finish_reason: stop)"),
    "an error with status 200": (PASSING["an error with status 200"], "overloaded"),
    "hanging": (hanging(), "no answer within 0.2 seconds"),
    "trickling": (trickling(), "no answer within 0.2 seconds"),
}


@pytest.mark.parametrize(("trouble", "reason"), REASONS.values(), ids=REASONS)
def test_what_does_not_pass_is_one_prompts_failure(trouble, reason):
    with FakeServer([trouble, trouble]) as server:
        items = asked_of(server, ["a", "b"], retries=1, timeout=0.2, concurrency=1)
        assert len(server.requests) == 3
    failure, answer = items
    assert isinstance(failure, Failure)
    assert (failure.place, failure.source, answer.place) == (0, 0, 1)
    assert reason in failure.reason
    assert failure.reason.endswith("(tried 2 times)")


@pytest.mark.parametrize("code", [400, 403, 413, 422])
def test_a_prompt_that_is_refused_is_not_asked_again(code):
    with FakeServer([status(code, "this prompt is too long")]) as server:
        failure, answer = asked_of(server, ["a", "b"], concurrency=1)
        assert len(server.requests) == 2
    assert failure == Failure(0, 0, f"status {code}: this prompt is too long")
    assert answer.place == 1


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (
            status(404, "The model `m` does not exist."),
            "answers status 404: The model `m` does not exist..*name right",
        ),
        (page(404, "not found"), "answers status 404: not found"),
        (status(401, "Incorrect API key"), "answers status 401: Incorrect API key"),
        (status(402, "Insufficient balance"), "answers status 402: Insufficient balance"),
        (status(429, "You exceeded your quota", code="insufficient_quota"), "answers status 429: You exceeded"),
    ],
)
def test_a_wrong_model_or_key_ends_all_at_once(trouble, message):
    with FakeServer(trouble) as server:
        with pytest.raises(SourceError, match=message):
            asked_of(server, ["a"] * 100, concurrency=2)
        assert len(server.requests) <= 3


def test_a_source_that_answers_nothing_ends_all():
    with FakeServer(status(400, "unknown field")) as server:
        with pytest.raises(
            SourceError, match=r"failed for the first 5 prompts, the last time with: status 400: unknown"
        ):
            asked_of(server, ["a"] * 100, concurrency=1)
        assert len(server.requests) == 5


def test_a_source_that_answered_in_an_earlier_run_may_fail_at_first():
    with FakeServer([status(400)] * 9) as server:
        wanted = [Wanted(place, 0) for place in range(10)]
        items = list(ask([source(server)], [Asked("a")] * 10, wanted, limits=Limits(1), proven=True))
    assert [type(item) for item in items] == [*[Failure] * 9, Answer]


def test_a_source_that_has_answered_may_fail_often():
    with FakeServer([proper, *[status(400)] * 20]) as server:
        items = asked_of(server, ["a"] * 22, concurrency=1)
    assert [type(item) for item in items] == [Answer, *[Failure] * 20, Answer]


def test_a_server_that_is_not_there_says_so():
    with FakeServer() as server:
        url = server.url
    (failure,) = ask([Source(url, "m")], [Asked("a")], [Wanted(0, 0)], limits=Limits(retries=0))
    assert url in failure.reason
    assert "cannot be reached" in failure.reason


def test_fewer_replies_than_asked_for_are_made_up_for():
    def two_at_most(handler, request):
        handler.send_json(answer(request, n=min(request["n"], 2)))

    with FakeServer(two_at_most) as server:
        got = texts(asked_of(server, n=5))
        assert [request["n"] for request in server.requests] == [5, 3, 1]
    assert len(set(got[0, 0])) == 5


def test_replies_that_came_before_a_failure_are_handed_over():
    def one(handler, request):
        handler.send_json(answer(request, n=1))

    with FakeServer([one, status(500), status(500)]) as server:
        first, failure = asked_of(server, n=3, retries=1)
    assert (len(first.choices), failure.reason) == (1, "status 500: it is broken (tried 2 times)")


def test_choices_in_a_wrong_order_and_cut_off_ones():
    change = with_changes(lambda body: body["choices"].reverse() or body["choices"][0].update(finish_reason="length"))
    with FakeServer(change) as server:
        (answer,) = asked_of(server, n=3)
    assert [text[-1] for text in answer.choices.responses] == ["0", "1", "2"]
    assert answer.choices.finished == [True, True, False]


# Waiting


def waits(server):
    return [after - before for before, after in zip(server.times, server.times[1:], strict=False)]


@pytest.mark.parametrize("as_date", [False, True])
def test_a_server_is_left_alone_for_as_long_as_it_asks(as_date):
    when = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True) if as_date else "0.4"
    with FakeServer([status(429, headers=[("Retry-After", when)])]) as server:
        asked_of(server)
        (wait,) = waits(server)
    assert wait >= (0.5 if as_date else 0.4)


@pytest.mark.parametrize("value", ["soon", "nan", "inf", "0", "-3", ""])
def test_a_senseless_wait_is_the_usual_one(value):
    with FakeServer([status(503, headers=[("Retry-After", value)])]) as server:
        assert len(asked_of(server)) == 1


def test_a_server_that_asks_for_an_hour_fails_the_prompt_at_once():
    with FakeServer([status(429, "tomorrow", headers=[("Retry-After", "3600")])]) as server:
        failure, _ = asked_of(server, ["a", "b"], concurrency=1)
        assert len(server.requests) == 2
    assert failure.reason == "status 429: tomorrow (and to come back in 3600 seconds)"


def test_waits_grow(monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.05)
    with FakeServer([status(500)] * 3) as server:
        asked_of(server, retries=3)
        first, second, third = waits(server)
    assert first >= 0.05
    assert second >= 0.1
    assert third >= 0.2


# hfdiv's processors in the server


def with_processors(handler, request):
    """A vLLM with hfdiv in it: wrong settings are refused."""
    try:
        wish_of(request.get("vllm_xargs"))
    except ValueError as error:
        status(400, str(error))(handler, request)
    else:
        proper(handler, request)


def penalized(server):
    return Source(server.url, "m", DecodingConfig(dry_multiplier=0.8), "vllm")


def test_a_server_with_hfdivs_processors_is_told_from_one_without():
    with FakeServer(with_processors) as server:
        got = texts(asked_of(server, [f"p{place}" for place in range(12)], sources=[penalized(server)]))
        assert len(got) == 12
        assert len(server.requests) == 13  # one to find out
        assert {request["vllm_xargs"]["dry_multiplier"] for request in server.requests[1:]} == {0.8}
        assert server.requests[0]["max_tokens"] == 1
    with FakeServer() as server:
        with pytest.raises(SourceError, match="does not have hfdiv's logits processors, which `dry_multiplier` needs"):
            asked_of(server, ["a"] * 12, sources=[penalized(server)])
        assert {request["max_tokens"] for request in server.requests} == {1}  # no reply was asked for


def test_trouble_while_finding_out_is_one_prompts_failure():
    with FakeServer([status(400, "too long"), status(500), with_processors]) as server:
        server.behave += [with_processors] * 2
        items = asked_of(server, ["a", "b"], sources=[penalized(server)], concurrency=1)
    assert items[0] == Failure(0, 0, "status 400: too long")
    assert isinstance(items[1], Answer)


# Secrets


def test_a_key_is_sent_and_shows_up_nowhere_else(monkeypatch, caplog):
    monkeypatch.setenv("MINE", "sk-very-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    caplog.set_level("DEBUG")
    with FakeServer([status(500, "Bad key sk-very-secret"), status(400, "\x1b[31msk-very-secret\n!")]) as server:
        items = asked_of(server, ["a", "b"], retries=0, sources=[source(server, api_key_env="MINE")], concurrency=1)
        assert {headers["authorization"] for headers in server.headers} == {"Bearer sk-very-secret"}
    assert [item.reason for item in items] == ["status 500: Bad key [key]", "status 400: [31m[key] !"]
    assert "sk-" not in caplog.text


def test_no_key_is_sent_to_a_server_that_was_given_none(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    with FakeServer() as server:
        asked_of(server)
        assert "sk-" not in str(server.headers)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"concurrency": 0}, "`concurrency` must be at least 1, got 0"),
        ({"retries": -1}, "`retries` must be at least 0, got -1"),
        ({"timeout": 0}, "`timeout` must be a number of seconds above 0, got 0"),
        ({"timeout": float("nan")}, "`timeout` must be a number of seconds above 0"),
    ],
)
def test_limits_have_their_ranges(limits, message):
    with pytest.raises(ValueError, match=message):
        Limits(**limits)
