"""Tests of hfdiv/data/annotation/page.py and its page: what is written, and what Chromium makes of it."""

import base64
import hashlib
import json
import re
import sys
from html.parser import HTMLParser

import pytest

from hfdiv.data import Records
from hfdiv.data.annotation import pairwise_tasks, rating_tasks, read_answers, unblind, write_tasks
from hfdiv.data.annotation.page import page
from tests.data.annotation_browser import CHROMIUM, Browser
from tests.data.annotation_texts import HOSTILE


PAIRS = pairwise_tasks(
    [Records(HOSTILE, [[text + "1", text] for text in HOSTILE])], ["f"], question="Which is </script><b>fresher</b>?"
)
RATINGS = rating_tasks([Records(["p"], [["a", "b", "c"]])], ["f"], scale=4)


class Elements(HTMLParser):
    """Each element's attributes and text, by tag."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.is_open = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))
        self.is_open = True

    def handle_endtag(self, tag):
        self.is_open = False

    def handle_data(self, data):
        if self.is_open:
            self.found[-1][2].append(data)

    def of(self, tag):
        return [(attributes, "".join(text)) for name, attributes, text in self.found if name == tag]


@pytest.mark.parametrize("tasks", [PAIRS, RATINGS])
def test_the_page_holds_every_text_as_data(tasks):
    html = page(tasks)
    elements = Elements(html)
    (data, script) = elements.of("script")
    content = json.loads(data[1])
    assert content["tasks"] == [task.shown for task in tasks.tasks]
    assert content["question"] == tasks.question
    assert data[0]["type"] == "application/json"
    assert not set("<>&\u2028\u2029") & set(data[1])
    assert not re.search("\\{\\{[A-Z]+\\}\\}", html.replace(data[1], ""))
    assert script[0] == {}


def test_the_policy_allows_this_script_and_style_and_no_request():
    elements = Elements(page(PAIRS))
    policy = next(
        attributes["content"]
        for attributes, _ in elements.of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for kind, (_, text) in (("script-src", elements.of("script")[1]), ("style-src", elements.of("style")[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert directives.pop(kind) == f"'sha256-{digest}'"
    assert directives == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    assert not {"src", "href", "style", "onclick"} & {name for _, attrs, _ in elements.found for name in attrs}


def test_the_script_never_makes_html_of_text():
    script = Elements(page(PAIRS)).of("script")[1][1]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|fetch\(|http", script)


pytestmark_browser = pytest.mark.skipif(
    CHROMIUM is None or sys.platform == "win32", reason="needs chromium on the PATH, and POSIX pipes"
)


@pytest.fixture
def browser(tmp_path):
    with Browser(tmp_path) as opened:
        yield opened


def clean(browser):
    """Whether the page asked for nothing but itself, and complained about nothing."""
    requests = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    errors = [
        event
        for event in browser.events
        if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    ]
    return bool(requests) and all(re.match("(file|blob):", url) for url in requests) and not errors


@pytestmark_browser
def test_in_chromium_hostile_text_is_text_and_keys_give_answers(browser, tmp_path):
    paths = write_tasks(PAIRS, tmp_path / "tasks")
    browser.open(paths["page"])
    assert browser.text("question") == PAIRS.question
    n_elements = browser.run("document.querySelectorAll('*').length")
    presses = [("1", "left"), ("2", "right"), ("0", "tie"), ("ArrowLeft", "left"), ("ArrowRight", "right")]
    expected = {}
    for place, task in enumerate(PAIRS.tasks):
        assert browser.text("progress") == f"{place} of {len(PAIRS.tasks)} answered"
        shown = {
            name: browser.text({"prompt": name}.get(name, f"text-{name}")) for name in ("prompt", "left", "right")
        }
        assert shown == {name: text for name, text in task.shown.items() if name != "task"}
        assert browser.run("document.querySelectorAll('*').length") == n_elements
        key, expected[task.id] = presses[place % len(presses)]
        browser.press(key)
    assert "All tasks are answered" in browser.text("message")
    assert browser.run("typeof window.pwned") == "undefined"

    answers = read_answers(browser.save(), PAIRS)
    assert {answer.task: answer.value for answer in answers} == expected
    assert {answer.annotator for answer in answers} == {"answers"}
    for row, task in zip(unblind(PAIRS, answers), PAIRS.tasks, strict=True):
        chosen = {"a": row["response_a"], "b": row["response_b"], "tie": None}[row["preference"]]
        assert chosen == (None if expected[task.id] == "tie" else task.shown[expected[task.id]])
    assert clean(browser)


@pytestmark_browser
def test_in_chromium_undo_and_an_interruption_and_a_saved_file(browser, tmp_path):
    paths = write_tasks(RATINGS, tmp_path / "tasks")
    first, second, third = (task.id for task in RATINGS.tasks)
    browser.open(paths["page"])
    browser.run("document.getElementById('annotator').focus()")
    for key in "Zo1":  # a digit in a name is no answer
        browser.press(key)
    browser.run("document.activeElement.blur()")
    assert browser.text("progress").startswith("0 of 3")
    for key in ("9", "0", "x", "4", "1", "u", "2"):  # 9, 0 and x mean nothing; 1 is taken back
        browser.press(key)
    assert browser.text("progress") == "2 of 3 answered"
    half = browser.save()
    assert half.name == "answers-Zo1.json"
    half = half.rename(tmp_path / "half.json")  # or the next one takes its place
    assert {a.task: a.value for a in read_answers(half, RATINGS)} == {first: "4", second: "2"}

    browser.press("3")
    browser.open(paths["page"])  # leaves the page, which asks first, and opens it again: nothing is lost
    assert browser.dialogs == ["beforeunload"]
    assert browser.text("progress") == "3 of 3 answered"
    assert browser.run("document.getElementById('annotator').value") == "Zo1"
    kept = read_answers(browser.save(), RATINGS)
    assert {answer.task: answer.value for answer in kept} == {first: "4", second: "2", third: "3"}

    browser.run("localStorage.clear()")
    browser.open(paths["page"])
    assert browser.text("progress") == "0 of 3 answered"
    browser.load(half)
    assert browser.text("progress") == "2 of 3 answered"
    assert browser.text("text-reply") == RATINGS.tasks[2].replies[0].text
    assert clean(browser)


@pytestmark_browser
def test_in_chromium_a_file_of_other_tasks_is_refused(browser, tmp_path):
    browser.open(write_tasks(RATINGS, tmp_path / "tasks")["page"])
    for content, message in (
        ("{", "The file was not loaded"),
        ("null", "holds no answers that this page saved"),
        (json.dumps({"format": "hfdiv-annotations-1", "set": PAIRS.id, "answers": []}), "other tasks than those"),
        (
            json.dumps(
                {"format": "hfdiv-annotations-1", "set": RATINGS.id, "answers": [{"task": "x", "answer": "1"}]}
            ),
            "an answer that does not belong here",
        ),
    ):
        path = tmp_path / "other.json"
        path.write_text(content)
        browser.run("document.getElementById('message').textContent = ''")
        browser.load(path)
        assert message in browser.text("message")
        assert browser.text("progress") == "0 of 3 answered"
