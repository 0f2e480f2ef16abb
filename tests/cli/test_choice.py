"""`--best-of` with a judge and with an eye on earlier replies, with replies of a model in this process."""

import json
import sys

import pytest


tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny model needs the extra `trainer`")

from hfdiv.cli import main  # noqa: E402
from hfdiv.cli.choice import Choice  # noqa: E402
from hfdiv.data import DataError  # noqa: E402
from hfdiv.data.prompts import Prompts  # noqa: E402
from hfdiv.generation import Replies  # noqa: E402
from hfdiv.selection import select  # noqa: E402


TEXTS = ["Yes, of course. Anything else?", "Yes, of course. Anything more?", "Which size do you wear?", "", "您好👋。"]
GIVEN = Prompts(["Hi", "And?"], [[], ["I am sorry. Anything else?"]])


def replies(place=0, finished=(True,) * 5, numbers=(-0.1, -0.5, -0.3, -0.2, -0.4)):
    return Replies(place, TEXTS, list(finished), list(numbers))


@pytest.mark.parametrize("method", ["mmr", "max_min", "dpp"])
def test_by_default_it_is_the_selection_of_likely_ones(method):
    for k in range(1, 6):
        expected = select(TEXTS, k, method, quality=replies().log_probabilities)
        assert Choice(GIVEN, k, method)(replies()) == expected


def test_faults_come_in_order_cut_off_ones_after_stale_ones():
    choice = Choice(GIVEN, 5, "max_min", quality="none", stale_above=0.8)
    finished = (False, True, False, True, True)
    order = choice(replies(1, finished))
    stale_and_cut, fresh_and_cut = order.index(0), order.index(2)
    assert {1, 3, 4} == set(order[:3])
    assert fresh_and_cut < stale_and_cut


def test_a_reply_whose_end_cannot_be_compared_is_not_stale():
    assert 3 in Choice(GIVEN, 4, "mmr", stale_above=0.0)(replies(1))  # the empty one


def test_a_reply_without_a_score_has_the_lowest(tmp_path):
    judge = tmp_path / "judge.py"
    judge.write_text("def known(response, history):\n    return None if not response else float(len(history))\n")
    assert Choice(GIVEN, 4, "mmr", f"{judge}:known")(replies(1))
    judge_of_none = tmp_path / "none.py"
    judge_of_none.write_text("def none(response, history):\n    return None\n")
    assert Choice(GIVEN, 2, "mmr", f"{judge_of_none}:none")(replies()) == select(TEXTS, 2, "mmr")


def test_an_asynchronous_judge_is_refused(tmp_path):
    judge = tmp_path / "judge.py"
    judge.write_text("async def slow(prompts, completions, **columns):\n    return [1.0] * len(prompts)\n")
    with pytest.raises(DataError, match="is asynchronous: give a plain function"):
        Choice(GIVEN, 2, "mmr", f"{judge}:slow")


def test_the_command_takes_a_judge_for_a_model_in_this_process(tmp_path, monkeypatch, capsys):
    model, tokenizer = tiny.tiny_model(), tiny.tiny_tokenizer()
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    (tmp_path / "judge.py").write_text("def reds(response, history):\n    return float(response.count('red'))\n")
    rows = [{"prompt": "one"}, {"prompt": "two", "history": ["red green"]}]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judge = f"{tmp_path / 'judge.py'}:reds"
    arguments = ["--model", tmp_path / "model", "--prompts", tmp_path / "prompts.jsonl", "--max-new-tokens", 8]
    choice = ["--best-of", 4, "--quality", judge, "--stale-above", 0.9]
    command = ["hfdiv", "generate", *arguments, *choice, "--output-dir", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    main_code = 0
    try:
        main()
    except SystemExit as stop:
        main_code = stop.code
    assert main_code in (0, None), capsys.readouterr().err
    about = json.loads((tmp_path / "out" / "generate.json").read_text())["settings"]
    assert (about["selection"], about["quality"], about["stale_above"]) == ("mmr", judge, 0.9)
    assert len((tmp_path / "out" / "replies.jsonl").read_text().splitlines()) == 2
