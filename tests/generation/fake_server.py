"""A server with OpenAI's API on this machine, in a thread, that answers properly or misbehaves as it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer(request, n=None, **changes):
    """A proper answer to a request: texts that depend on the prompt, the seed and the place, and log-probabilities."""
    n = request["n"] if n is None else n
    chat = "messages" in request
    asked = request["messages"][-1]["content"] if chat else request["prompt"]
    choices = []
    for place in range(n):
        text = f"{asked} reply {request['seed']} {place}"
        choice = {"index": place, "finish_reason": "stop", "logprobs": None}
        if chat:
            choice["message"] = {"role": "assistant", "content": text}
            if request.get("logprobs"):
                choice["logprobs"] = {"content": [{"token": word, "logprob": -0.5} for word in text.split()]}
        else:
            choice["text"] = text
            if request.get("logprobs") is not None:
                choice["logprobs"] = {"token_logprobs": [-0.5] * len(text.split())}
        choices.append({**choice, **changes})
    return {"id": "x", "object": "chat.completion", "model": request["model"], "choices": choices}


def proper(handler, request):
    handler.send_json(answer(request))


def with_changes(change):
    """Answer properly, but for what `change(answer)` makes of it."""

    def behave(handler, request):
        body = answer(request)
        changed = change(body)
        handler.send_json(body if changed is None else changed)

    return behave


def status(number, message="it is broken", headers=(), **more):
    """Answer with an error as OpenAI has them."""

    def behave(handler, request):
        handler.send_json({"error": {"message": message, **more}}, number, headers)

    return behave


def page(code=502, text="<html><body>Bad gateway</body></html>"):
    """Answer with a page, as a proxy in front does."""

    def behave(handler, request):
        handler.send_text(text, code, "text/html")

    return behave


def hanging(seconds=30.0):
    """Say nothing for a long time."""

    def behave(handler, request):
        handler.server.stopping.wait(seconds)

    return behave


def trickling(every=0.05):
    """Send a byte now and then, so that no read ever times out."""

    def behave(handler, request):
        handler.start(200, 10_000)
        while not handler.server.stopping.wait(every):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return behave


def cut_off(handler, request):
    """Close the connection in the middle of the answer."""
    body = json.dumps(answer(request)).encode()
    handler.start(200, len(body))
    handler.wfile.write(body[: len(body) // 2])


def closed(handler, request):
    """Close the connection without a word."""
    handler.close_connection = True


class _QuietServer(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, *_):
        """Say nothing of clients that hang up."""


class FakeServer:
    """Runs while the block does; remembers what it was asked.

    Args:
        behave: How each request is answered: a function of the handler and the request, or a list of them, one a
            request, after which requests are answered properly.
        delay: Seconds that each answer takes.
    """

    def __init__(self, behave=proper, delay=0.0):
        self.behave = behave
        self.delay = delay
        self.requests = []
        self.headers = []
        self.paths = []
        self.times = []
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def __enter__(self):
        self._http = _QuietServer(("127.0.0.1", 0), _handler(self))
        self._http.stopping = threading.Event()
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def noted(self, path, headers, request):
        with self._lock:
            self.paths.append(path)
            self.headers.append({name.lower(): value for name, value in headers.items()})
            self.requests.append(request)
            self.times.append(time.monotonic())
            number = len(self.requests) - 1
        if callable(self.behave):
            return self.behave
        return self.behave[number] if number < len(self.behave) else proper

    def count(self, by):
        with self._lock:
            self.at_once += by
            self.most_at_once = max(self.most_at_once, self.at_once)


def _handler(fake):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # a head and a body in one packet, or each answer waits for the other side's acknowledgement

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            fake.count(1)
            try:
                behave = fake.noted(self.path, self.headers, request)
                time.sleep(fake.delay)
                behave(self, request)
                self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                fake.count(-1)
            if behave in (cut_off, closed):
                self.close_connection = True

        def send_json(self, value, code=200, headers=()):
            self.send_text(json.dumps(value), code, "application/json", headers)

        def send_text(self, text, code=200, kind="application/json", headers=()):
            body = text.encode()
            self.start(code, len(body), kind, headers)
            self.wfile.write(body)

        def start(self, code, length, kind="application/json", headers=()):
            self.send_response(code)
            for name, value in (("Content-Type", kind), ("Content-Length", str(length)), *headers):
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler
