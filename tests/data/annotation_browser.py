"""A headless Chromium, driven through its debugging pipe: real key presses on a page as it was written."""

import base64
import json
import os
import select
import shutil
import subprocess
import time


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1100,800 --remote-debugging-pipe"
).split()
_KEYS = {"ArrowLeft": 37, "ArrowRight": 39}
_SECONDS = 20


class Browser:
    """One tab. Use it as a context."""

    def __init__(self, folder):
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        self.events = []
        self.dialogs = []
        self._profile = folder / "profile"
        self._number = 0
        self._buffer = b""
        self._session = None

    def __enter__(self):
        from_us, self._out = os.pipe()
        self._in, to_us = os.pipe()

        def connect():  # the pipe is on descriptors 3 and 4, wherever ours lie
            one, two = os.dup(from_us), os.dup(to_us)
            os.dup2(one, 3)
            os.dup2(two, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            preexec_fn=connect,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(to_us)
        (target,) = [info for info in self.call("Target.getTargets")["targetInfos"] if info["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.call(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads), eventsEnabled=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            self._session = None
            self._send("Browser.close")
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            os.close(self._out)
            os.close(self._in)

    def call(self, method, **params):
        number = self._send(method, **params)
        while True:
            message = self._receive()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def wait(self, method, start):
        """Return the first event of this name after the `start` first events."""
        while True:
            found = [event["params"] for event in self.events[start:] if event.get("method") == method]
            if found:
                return found[0]
            self._note(self._receive())

    def open(self, path):
        start = len(self.events)
        self.call("Page.navigate", url=path.as_uri())
        self.wait("Page.loadEventFired", start)

    def run(self, expression):
        """Return the value of a JavaScript expression, evaluated from outside the page's policy."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, element):
        return self.run(f"document.getElementById({json.dumps(element)}).textContent")

    def press(self, key):
        code = _KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        event = {"key": key, "windowsVirtualKeyCode": code}
        if len(key) == 1:
            event["text"] = key
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def save(self):
        """Press S and return the file that was downloaded."""
        start = len(self.events)
        self.press("s")
        name = self.wait("Browser.downloadWillBegin", start)["suggestedFilename"]
        while self.wait("Browser.downloadProgress", start)["state"] == "inProgress":
            start += 1
        return self.downloads / name

    def load(self, path):
        """Choose a file in the page's file field."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)
        deadline = time.monotonic() + _SECONDS
        while "oaded" not in self.text("message"):
            assert time.monotonic() < deadline, "the page did not load the file"

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _note(self, message):
        """Keep an event; agree to a question that the page asks, which waits for that."""
        if "method" not in message:
            return
        self.events.append(message)
        if message["method"] == "Page.javascriptDialogOpening":
            self.dialogs.append(message["params"]["type"])
            self._send("Page.handleJavaScriptDialog", accept=True)

    def _send(self, method, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self):
        while b"\0" not in self._buffer:
            assert select.select([self._in], [], [], _SECONDS)[0], "Chromium says nothing"
            chunk = os.read(self._in, 1 << 16)
            assert chunk, "Chromium ended"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
