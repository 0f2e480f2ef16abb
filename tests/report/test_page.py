"""Tests of hfdiv/report/page.py: one page, escaped, that loads and runs nothing."""

import base64
import re
from html.parser import HTMLParser

import pytest

from hfdiv.data import Records
from hfdiv.report import compare
from hfdiv.report.comparison import Comparison, Row, Sample
from hfdiv.report.page import collapse, decimals, format_estimate, render, summarise
from hfdiv.report.significance import Estimate
from tests.report.files import monotone, varied


NASTY = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</details></body><style>*{display:none}</style>",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; & &amp;",
    "您好，<世界>",
    "مرحبا \u202e<b>",
    "👍🏽 <3",
    "'; DROP",
]


class Page(HTMLParser):
    """What a browser would make of it: tags, attributes, and the text between."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def nasty_comparison(text):
    value = Estimate(0.5, 0.4, 0.6)
    row = Row("quality", text, "response", value, value, Estimate(0.0, -0.1, 0.1), 9, f"column:{text}")
    return Comparison(
        (text, text),
        [row],
        [text],
        [Sample(text, [text, text], [text])],
        {},
        {"where": text, "n_resamples": 1, "seed": 0, "version": "1", "tokenizer": text},
    )


@pytest.fixture(scope="module")
def comparison():
    before = monotone(varied(reward=0.2))
    return compare(before, varied(seed=1, reward=0.9), names=("old", "new"), n_resamples=50)


@pytest.mark.parametrize("text", NASTY)
def test_text_stays_text(text):
    harmless, found = Page(render(nasty_comparison("x"), {})), Page(render(nasty_comparison(text), {}))
    assert found.tags == harmless.tags
    assert [attribute[:2] for attribute in found.attributes] == [attribute[:2] for attribute in harmless.attributes]
    assert found.open == []
    # names (heading, table, samples), row, note, prompt, replies, selection: all there, to the letter
    assert sum(piece.strip() == text for piece in found.texts) == sum(piece.strip() == "x" for piece in harmless.texts)
    assert sum(piece.strip() == text for piece in found.texts) >= 9


def test_the_page_loads_nothing_and_runs_nothing(comparison):
    page = Page(render(comparison, {"diversity": b"image"}))
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    sources = [value for _, name, value in page.attributes if name in ("src", "href", "srcset", "action")]
    assert sources == ["data:image/png;base64," + base64.b64encode(b"image").decode()]
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert ("meta", "charset", "utf-8") in page.attributes
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert ("meta", "content", policy) in page.attributes
    assert "url(" not in render(comparison, {})


def test_the_page_is_well_formed(comparison):
    assert Page(render(comparison, {"prompts": b""})).open == []


def test_every_row_is_shown_with_numbers_verdict_and_signature(comparison):
    page = render(comparison, {})
    cells = [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    for row in comparison.rows:
        (line,) = [cell for cell in cells if row.signature in cell]
        places = decimals(row)
        for estimate, signed in ((row.before, False), (row.after, False), (row.difference, True)):
            assert " ".join(format_estimate(estimate, places, signed)) in line
        assert line.endswith(f"{row.change} {row.n_counted}")


def test_arrows_follow_variety_and_not_the_number(comparison):
    change = {row.name: row for row in comparison.rows}["self_bleu_4"]
    assert (change.verdict, change.change) == ("down", "more varied")
    page = render(comparison, {})
    assert "↑ more varied" in page
    assert "↓ less varied" not in page


def test_no_change_is_claimed_where_there_is_none():
    records = varied(reward=0.5)
    page = render(compare(records, records, n_resamples=20), {})
    table = page[page.index("<table") : page.index("</table")]
    assert "no clear change" in table
    assert not re.search(r"[↑↓]|> *(more varied|less varied|higher|lower) *<", table)


def test_equal_replies_are_shown_once_with_their_number():
    prompts = [f"p{i}" for i in range(3)]
    before = Records(prompts, [["same", "same", "other"]] * 3)
    page = render(compare(before, before, n_resamples=5, n_samples=1), {})
    assert page.count(">same<") == 2
    assert page.count("×2") == 2
    assert "×1" not in page


def test_collapse_keeps_every_reply():
    assert collapse(["b", "a", "b", "b"]) == [("b", 3), ("a", 1)]


def test_the_summary_counts_every_row_once(comparison):
    words = ("more varied", "less varied", "no clear change", "too few prompts to tell", "undefined")
    rows = comparison.rows_of("diversity")
    counts = [int(number) for number in re.findall(r"\d+", summarise(rows, words))]
    assert sum(counts) == len(rows)


@pytest.mark.parametrize(
    ("estimate", "places", "signed", "expected"),
    [
        (Estimate(0.12345, 0.1, 0.2), 3, False, ("0.123", "[0.100, 0.200]")),
        (Estimate(-0.5, -1.0, 0.0), 1, True, ("−0.5", "[−1.0, 0.0]")),
        (Estimate(0.004, 0.00001, 0.01), 3, True, ("+0.004", "[+1e−05, +0.010]")),
        (Estimate(float("nan")), 3, True, ("–", "")),
        (Estimate(2.5e12), 0, False, ("2.5e+12", "")),
        (Estimate(0.0, 0.0, 0.0), 2, True, ("0.00", "[0.00, 0.00]")),
    ],
)
def test_numbers_are_shown_with_the_digits_that_mean_something(estimate, places, signed, expected):
    assert format_estimate(estimate, places, signed) == expected


def test_decimals_follow_the_margin():
    def row(low, high):
        return Row("quality", "x", "response", Estimate(50.0), Estimate(50.0), Estimate(0.0, low, high), 9, "")

    assert [decimals(row(-margin, margin)) for margin in (30, 3, 0.3, 0.03, 1e-20)] == [0, 1, 2, 3, 8]
    assert decimals(row(0, 0)) == 1
    assert decimals(Row("quality", "x", "response", *[Estimate(float("nan"))] * 3, 0, "")) == 1
