"""Tests of hfdiv/cli/annotate.py: out and back by commands."""

import csv
import json

import pytest
from typer.testing import CliRunner

from hfdiv.cli.annotate import annotate
from hfdiv.data import DataError


pytest.importorskip("krippendorff")


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, reply in (("before.jsonl", "same old"), ("after.jsonl", "=fresh 您好")):
        rows = [{"prompt": f"q{i}", "responses": [f"{reply} {i}"], "reward": [i / 10]} for i in range(10)]
        paths.append(tmp_path / name)
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
    return paths


def run(*arguments):
    result = CliRunner().invoke(annotate, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def prefer(path, wanted, annotator):
    """Fill the sheet as one who always prefers the reply that begins with `wanted`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["preference"] = "left" if wanted in row["left"] else "right"
    filled = path.with_name(f"{annotator}.csv")
    with filled.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return filled


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_pairs_out_and_back(files, tmp_path):
    tasks, out = tmp_path / "tasks", tmp_path / "out"
    result = run("export", *files, "--output-dir", tasks)
    assert result.output.startswith("10 tasks: ")
    sheets = [prefer(tasks / "tasks.csv", "fresh", name) for name in ("Ann", "Bob")]
    result = run("import", tasks / "key.json", *sheets, "--output-dir", out, "--automatic", "reward")
    rows = lines(out / "preferences.jsonl")
    assert len(rows) == 20
    assert {row["preference"] for row in rows} == {"b"}
    assert {row["annotator"] for row in rows} == {"Ann", "Bob"}
    assert all(row["response_b"] == f"=fresh 您好 {row['prompt'][1:]}" for row in rows)
    summary = json.loads((out / "agreement.json").read_text())
    assert json.loads(result.output) == summary
    assert summary["win_rate"]["before.jsonl over after.jsonl"]["value"] == 0
    assert summary["hybrid"] == {"automatic": "reward", "human_weight": 0.7}
    assert [row["score"] for row in lines(out / "hybrid.jsonl")] == pytest.approx([0.3 * 0.5] * 10)


def test_ratings_out_and_back(files, tmp_path):
    tasks, out = tmp_path / "tasks", tmp_path / "out"
    run("export", *files, "--kind", "rating", "--scale", 3, "--limit", 4, "--output-dir", tasks)
    key = json.loads((tasks / "key.json").read_text(encoding="utf-8"))
    saved = {"format": "hfdiv-annotations-1", "set": key["set"], "annotator": "Ann"}
    saved["answers"] = [{"task": task["task"], "answer": "3"} for task in key["tasks"]]
    (tasks / "answers.json").write_text(json.dumps(saved))
    run("import", tasks / "key.json", tasks / "answers.json", "--output-dir", out)
    assert [(row["rating"], row["scale"], row["annotator"]) for row in lines(out / "ratings.jsonl")] == [
        (3, 3, "Ann")
    ] * 4
    assert not (out / "hybrid.jsonl").exists()


def test_a_later_answer_may_count(files, tmp_path):
    tasks, out = tmp_path / "tasks", tmp_path / "out"
    run("export", *files, "--output-dir", tasks)
    (tmp_path / "again").mkdir()
    one = prefer(tasks / "tasks.csv", "fresh", "Ann")
    two = prefer(tasks / "tasks.csv", "same", "Ann 2").rename(tmp_path / "again" / "Ann.csv")
    with pytest.raises(DataError, match="'Ann' answers task"):
        run("import", tasks / "key.json", one, two, "--output-dir", out)
    assert not out.exists()
    run("import", tasks / "key.json", one, two, "--output-dir", out, "--on-conflict", "last")
    assert {row["preference"] for row in lines(out / "preferences.jsonl")} == {"a"}


def test_an_interrupted_import_leaves_the_file_as_it_was(files, tmp_path, monkeypatch):
    tasks, out = tmp_path / "tasks", tmp_path / "out"
    run("export", *files, "--output-dir", tasks)
    run("import", tasks / "key.json", prefer(tasks / "tasks.csv", "fresh", "Ann"), "--output-dir", out)
    before = (out / "preferences.jsonl").read_bytes()

    def killed(self, target):
        raise MemoryError

    monkeypatch.setattr("pathlib.Path.replace", killed)
    with pytest.raises(MemoryError):
        run("import", tasks / "key.json", prefer(tasks / "tasks.csv", "same", "Ann"), "--output-dir", out)
    assert (out / "preferences.jsonl").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["agreement.json", "preferences.jsonl"]


def test_what_cannot_be_done_is_said(files, tmp_path):
    tasks = tmp_path / "tasks"
    with pytest.raises(DataError, match="within one file or between two, got 3"):
        run("export", *files, files[0], "--output-dir", tasks)
    run("export", *files, "--output-dir", tasks)
    with pytest.raises(DataError, match="The files hold no answer yet"):
        run("import", tasks / "key.json", tasks / "tasks.csv", "--output-dir", tmp_path / "out")
    with pytest.raises(DataError, match="key.json is the key of another export"):
        run("export", *files, "--output-dir", tasks, "--seed", 1)
    assert run("export", *files, "--output-dir", tasks, "--seed", 1, "--overwrite").exit_code == 0
    assert run("export", *files, "--output-dir", tasks, "--scale", 12).exit_code == 2


def test_files_of_one_name_are_told_apart_by_their_folders(files, tmp_path):
    (tmp_path / "run 2").mkdir()
    twin = files[1].rename(tmp_path / "run 2" / "before.jsonl")
    run("export", files[0], twin, "--output-dir", tmp_path / "tasks")
    key = json.loads((tmp_path / "tasks" / "key.json").read_text(encoding="utf-8"))
    assert {reply["source"] for task in key["tasks"] for reply in task["replies"]} == {str(files[0]), str(twin)}
