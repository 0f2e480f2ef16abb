"""Tests of hfdiv/report/write.py: the files of a report."""

import json

import pytest

from hfdiv.data import read_records, write_records
from hfdiv.report import Comparison, compare, write_report
from tests.report.files import monotone, varied


@pytest.fixture(scope="module")
def comparison():
    return compare(monotone(varied(reward=0.5)), varied(reward=0.5), names=("老", "nouveau"), n_resamples=50)


@pytest.fixture(scope="module")
def paths(comparison, tmp_path_factory):
    return write_report(comparison, str(tmp_path_factory.mktemp("report") / "deep" / "below"))


def test_every_file_is_written_where_the_answer_says(paths):
    assert list(paths) == ["json", "html", "diversity", "quality", "prompts"]
    folder = paths["json"].parent.parent.parent
    assert sorted(paths.values()) == sorted(path for path in folder.rglob("*") if path.is_file())
    for name in ("diversity", "quality", "prompts"):
        assert paths[name].suffix == ".png"
        assert paths[name].read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_json_is_strict_and_says_what_the_comparison_says(comparison, paths):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = paths["json"].read_text("utf-8")
    assert json.loads(text, parse_constant=refuse) == comparison.to_dict()
    assert "老" in text


def test_the_page_holds_the_figures_and_names(paths):
    page = paths["html"].read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("data:image/png;base64,iVBOR") == 3
    assert "老" in page


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    for folder in ("taken", "taken/below"):
        with pytest.raises(NotADirectoryError, match="taken.*is a file. Give a folder"):
            write_report(Comparison(("a", "b"), [], [], [], {}), tmp_path / folder)


def test_half_a_character_in_a_column_name_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("hfdiv.report.write.draw", lambda comparison: {})
    records = varied(7)
    records.columns["\ud83d"] = [[1.0] * 4 for _ in records.groups]
    paths = write_report(compare(records, records, n_resamples=5), tmp_path)
    assert json.loads(paths["json"].read_text("utf-8"))["rows"][-1]["name"] == "\ud83d"
    assert paths["html"].read_bytes().decode("utf-8")


def test_two_files_in_one_report_out(tmp_path, monkeypatch):
    monkeypatch.setattr("hfdiv.report.write.draw", lambda comparison: {})
    for name, records in (("before", monotone(varied(reward=0.5))), ("after", varied(reward=0.5))):
        write_records(tmp_path / f"{name}.jsonl", records)
    sides = [read_records(tmp_path / f"{name}.jsonl") for name in ("before", "after")]
    paths = write_report(compare(*sides, n_resamples=50), tmp_path / "report")
    rows = {row["name"]: row for row in json.loads(paths["json"].read_text("utf-8"))["rows"]}
    assert rows["distinct_2"]["change"] == "more varied"
    assert rows["reward"]["change"] == "no clear change"


def test_a_second_report_replaces_the_first(paths):
    folder = paths["json"].parent
    again = write_report(Comparison(("a", "b"), [], [], [], {}), folder)
    assert again == paths
    assert json.loads(paths["json"].read_text("utf-8"))["rows"] == []
