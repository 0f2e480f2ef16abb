"""Tests of hfdiv/ab/page.py, plots.py and write.py: one page, escaped, that loads and runs nothing."""

import json
import re

import pytest

from hfdiv.ab import Settings, analyze, choose_metrics
from hfdiv.ab.page import percent, render
from hfdiv.ab.plots import draw
from hfdiv.ab.write import write_analysis
from hfdiv.report.plots import png
from tests.ab.logs import experiment_rows, row, write_log
from tests.ab.pages import NASTY, rows_with
from tests.report.test_page import Page


def analysis(folder, rows, primary="abandoned", guardrails=(), more=(), **options):
    settings = Settings(choose_metrics(primary, guardrails, more=more), **{"n_resamples": 50, **options})
    return analyze([write_log(folder / "log.jsonl", rows)], settings)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    rows = experiment_rows(300, arms=("control", "b", "c"), abandoned=(0.6, 0.2, 0.6))
    return analysis(tmp_path_factory.mktemp("log"), rows, guardrails=["dwell_time=5%", "click=0.01"])


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html[html.index("</style>") :]).split())


@pytest.mark.parametrize("text", NASTY)
def test_text_stays_text(tmp_path, text):
    pages = []
    for name in ("x", text):
        rows = [{**each, "experiment": name} for each in rows_with(name, arm=f"arm {name}")]
        pages.append(Page(render(analysis(tmp_path, rows, more=[f"{name}=mean"]), {})))
    harmless, hostile = pages
    assert hostile.tags == harmless.tags
    assert [attribute[:2] for attribute in hostile.attributes] == [attribute[:2] for attribute in harmless.attributes]
    assert hostile.open == []
    assert sum(text in piece for piece in hostile.texts) >= 19


def test_the_page_loads_nothing_and_runs_nothing(found):
    html = render(found, {"effects": b"image"})
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    sources = [value for _, name, value in page.attributes if name in ("src", "href", "srcset", "action")]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/png;base64,")
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert ("meta", "content", policy) in page.attributes
    assert "url(" not in html
    assert page.open == []


def test_the_page_says_what_was_found(found):
    text = text_of(render(found, {}))
    for decision in found.decisions:
        assert f"{decision.arm} : {decision.action}" in text
        for reason in decision.reasons:
            assert reason in text
    for effect in found.effects:
        assert percent(effect.relative)[0] in text
        assert percent(effect.relative)[1] in text
    for measure in found.variety:
        assert measure.signature in text
    assert "Sample ratio, chi-square: p 1" in text
    assert "right at all looks together" in text
    assert "Question" in text
    assert "not abandoned" in text


def test_a_broken_assignment_is_said_loudly(tmp_path):
    rows = [row(f"u{n}", "control" if n % 3 else "varied", abandoned=n % 2 == 0) for n in range(900)]
    assert "This is no chance (below 0.001)" in render(analysis(tmp_path, rows), {})


def test_a_single_look_is_described_as_such(tmp_path):
    text = text_of(render(analysis(tmp_path, experiment_rows(120), peeking=False), {}))
    assert "right at this look if it is the only one" in text
    assert "confidence sequences" not in text


def test_figures_are_images(found):
    figures = draw(found)
    assert sorted(figures) == ["effects", "looks"]
    assert all(png(figure).startswith(b"\x89PNG") for figure in figures.values())
    axes = figures["effects"].axes[0]
    labels = [label.get_text().split("\n")[0] for label in axes.get_yticklabels()]
    assert labels == ["abandoned", "dwell_time", "click", "turns", "conversations"]
    assert len(figures["looks"].axes) == 2


def test_figures_of_what_cannot_be_drawn(tmp_path):
    rows = [row("a", "control", abandoned=True), row("b", "变", abandoned=False)]
    assert all(png(figure) for figure in draw(analysis(tmp_path, rows)).values())
    many = experiment_rows(160, arms=("control", *(f"$arm_{n}$" for n in range(7))), abandoned=(0.3,) * 8)
    assert all(png(figure) for figure in draw(analysis(tmp_path, many)).values())


def test_files_are_written_and_replaced(found, tmp_path):
    paths = write_analysis(found, tmp_path / "a" / "b")
    assert sorted(path.name for path in paths.values()) == ["ab.json", "effects.png", "looks.png", "report.html"]
    assert json.loads(paths["json"].read_text(encoding="utf-8")) == json.loads(json.dumps(found.to_dict()))
    before = paths["html"].read_text(encoding="utf-8")
    write_analysis(found, tmp_path / "a" / "b")
    assert paths["html"].read_text(encoding="utf-8") == before
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file. Give a folder"):
        write_analysis(found, tmp_path / "file")
