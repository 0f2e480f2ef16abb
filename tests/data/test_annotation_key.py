"""Tests of hfdiv/data/annotation/key.py and write.py."""

import json
import os

import pytest

from hfdiv.data import DataError, Records
from hfdiv.data.annotation import pairwise_tasks, rating_tasks, read_key, write_tasks
from tests.data.annotation_texts import HOSTILE


ONE = pairwise_tasks([Records(HOSTILE, [[text, text + "!"] for text in HOSTILE])], ["f"], seed=1)
OTHER = rating_tasks([Records(["p"], [["a"]], {"reward": [[0.5]]})], ["f"])


def test_a_folder_has_every_file_and_the_key_reads_back(tmp_path):
    paths = write_tasks(ONE, tmp_path / "new" / "tasks")
    assert sorted(os.listdir(tmp_path / "new" / "tasks")) == sorted(
        ["annotate.html", "key.json", "labeling.xml", "tasks.csv", "tasks.json"]
    )
    assert read_key(paths["key"]) == ONE
    assert paths["csv"].read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_same_export_again_is_welcome_and_another_is_not(tmp_path):
    write_tasks(ONE, tmp_path)
    write_tasks(ONE, tmp_path)
    with pytest.raises(DataError, match="key.json is the key of another export"):
        write_tasks(OTHER, tmp_path)
    assert read_key(tmp_path / "key.json") == ONE
    write_tasks(OTHER, tmp_path, overwrite=True)
    assert read_key(tmp_path / "key.json") == OTHER


def test_an_interrupted_export_leaves_the_old_key(tmp_path, monkeypatch):
    write_tasks(ONE, tmp_path)

    def killed(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_tasks(OTHER, tmp_path, overwrite=True)
    assert read_key(tmp_path / "key.json") == ONE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda key: key.update(format="x"), "is not a key that `hfdiv annotate export` wrote"),
        (lambda key: key.pop("tasks"), "the key is damaged"),
        (lambda key: key["tasks"].append(3), "the key is damaged"),
        (lambda key: key["tasks"][0].update(replies=[]), "the key is damaged"),
        (lambda key: key["tasks"].pop(), "the key was changed"),
        (lambda key: key.update(scale=3), "the key was changed"),
        (lambda key: key.update(kind="pairwise"), "the key was changed"),
        (lambda key: key["tasks"][0].update(prompt="other"), "the key was changed"),
        (lambda key: key["tasks"][0]["replies"][0].update(text="other"), "the key was changed"),
    ],
)
def test_a_changed_key_is_refused(tmp_path, change, message):
    path = write_tasks(OTHER, tmp_path)["key"]
    key = json.loads(path.read_text())
    change(key)
    path.write_text(json.dumps(key))
    with pytest.raises(DataError, match=message):
        read_key(path)


def test_swapped_sides_are_noticed(tmp_path):
    path = write_tasks(ONE, tmp_path)["key"]
    key = json.loads(path.read_text(encoding="utf-8"))
    key["tasks"][0]["swapped"] ^= True
    path.write_text(json.dumps(key))
    with pytest.raises(DataError, match="the key was changed"):
        read_key(path)


def test_a_missing_key_is_refused(tmp_path):
    with pytest.raises(DataError, match="Cannot read .*key.json: No such file"):
        read_key(tmp_path / "key.json")
