import pickle

import pytest

from hfdiv.rewards.user_file import load_from_file


def test_a_file_is_run_once(tmp_path):
    path = tmp_path / "奖励.py"
    path.write_text("runs = []\nruns.append(1)\ndef reward(response, history): return len(runs)", encoding="utf-8")
    reward = load_from_file(path, "reward")
    assert load_from_file(str(path), "runs") == [1]
    assert reward("", []) == 1
    assert pickle.loads(pickle.dumps(reward)) is reward


def test_two_files_of_one_name_are_two(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.py").write_text(f"where = {folder!r}")
    assert [load_from_file(tmp_path / folder / "same.py", "where") for folder in "ab"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef (", r"bad\.py, line 2, could not be run: SyntaxError: "),
        ("x = 1\n\nx / 0", r"bad\.py, line 3, could not be run: ZeroDivisionError: division by zero"),
        ("import no_such_module", r"bad\.py, line 1, could not be run: ModuleNotFoundError: No module named 'no_such"),
        ("import json\njson.loads('')", r"bad\.py, line 2, could not be run: JSONDecodeError"),
    ],
)
def test_a_file_that_fails_says_where_and_can_be_mended(tmp_path, text, message):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(ImportError, match=message):
        load_from_file(path, "x")
    path.write_text("x = 'mended, and longer than before'")
    assert load_from_file(path, "x") == "mended, and longer than before"


def test_what_is_no_python_file_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("x = 1")
    with pytest.raises(ImportError, match="its name must end in .py"):
        load_from_file(tmp_path / "mine.txt", "x")
    with pytest.raises(ImportError, match="There is no file"):
        load_from_file(tmp_path, "x")
