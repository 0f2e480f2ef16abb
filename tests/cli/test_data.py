import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hfdiv.cli import main
from hfdiv.data.conversations import import_logs
from hfdiv.data.pairs import DivPO, Judge, Votes, build_pairs


pytest.importorskip("pyarrow", reason="pairs are written as Parquet, with the extra `data`")

MINE = """
def words(completions, **columns):
    return [len(text if isinstance(text, str) else text[0]["content"]) for text in completions]

def polite(prompts, completions, **columns):
    return [0.0 if "damn" in str(text) else 1.0 for text in completions]

def broken(**columns):
    raise KeyError("oh")
"""


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hfdiv", "data", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return _run


def lines(path, *rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def table(folder):
    import pyarrow.parquet

    return pyarrow.parquet.read_table(folder / "pairs.parquet").to_pylist()


@pytest.fixture
def log(tmp_path):
    """Four replies to each of three prompts, the last of which is rude."""
    replies = ["order late", "order late now", "red green blue please", "damn soon"]
    rows = [
        {"prompt": f"order {color}", "response": text, "rating": rating, "thumbs": "up"}
        for color in ("red", "green", "blue")
        for rating, text in enumerate(replies, start=1)
    ]
    return lines(tmp_path / "log.jsonl", *rows)


def test_a_log_is_imported(run, log, tmp_path):
    code, out, err = run("import", log, "--output-dir", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "12 replies from 12 rows" in out
    import_logs([log], tmp_path / "same")
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == (tmp_path / "same" / "rows.jsonl").read_bytes()


def test_bad_rows_stop_an_import_or_are_counted(run, tmp_path):
    log = lines(tmp_path / "log.jsonl", {"prompt": "a", "response": "[b]b[/b]"}, {"prompt": "a"})
    code, out, err = run("import", log, "--output-dir", tmp_path / "out")
    assert (code, out) == (2, "")
    assert "log.jsonl, line 2: no reply" in err
    code, out, _ = run("import", log, "--output-dir", tmp_path / "out", "--skip-bad")
    assert code == 0
    assert "1 rows rejected: " in out
    assert run("import", log, "--output-dir", tmp_path / "out", "--skip-bad")[0] == 2
    assert run("import", log, "--output-dir", tmp_path / "out", "--skip-bad", "--overwrite")[0] == 0


def test_duplicates_are_left_out(run, tmp_path):
    pytest.importorskip("datasketch", reason="near-duplicates need the extra `data`")
    log = lines(tmp_path / "log.jsonl", *[{"prompt": "a", "response": "one two three"}] * 3)
    code, out, _ = run("import", log, "--output-dir", tmp_path / "out", "--dedup", 0.9)
    assert code == 0
    assert "1 replies from 3 rows" in out
    assert "2 near-duplicate rows left out" in out
    code, _, err = run("import", log, "--output-dir", tmp_path / "none", "--dedup", 2)
    assert code == 2
    assert "`threshold` must be from 0.1 to 1, got 2" in err


def test_pairs_are_those_of_the_functions_below(run, log, tmp_path):
    code, out, err = run(
        *("pairs", log, "--method", "divpo", "--quality-column", "rating", "--rho", 0.5, "--min-quality", 2),
        *("--ngram", 1, "--sft", 1, "--output-dir", tmp_path / "out"),
    )
    assert (code, err) == (0, "")
    from hfdiv.similarity import NgramSimilarity

    method = DivPO(rho=0.5, similarity=NgramSimilarity(1))
    done = build_pairs(log, tmp_path / "same", method, Judge("rating", 2), sft=1)
    assert table(tmp_path / "out") == table(tmp_path / "same")
    assert "3 pairs from 12 replies to 3 prompts" in out
    assert "3 rows for fine-tuning" in out
    assert "dropped, quality below 2: 3" in out
    assert done.signature in out
    settings = json.loads((tmp_path / "out" / "pairs.json").read_text())["settings"]
    assert settings["min_quality"] == 2
    assert settings["method"] == "divpo"


def test_gates_come_from_a_file_of_the_user(run, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    pairs = ("pairs", log, "--method", "ratings", "--output-dir", "out", "--overwrite")
    assert run(*pairs)[0] == 0
    assert {row["chosen"] for row in table(tmp_path / "out")} == {"damn soon"}
    code, out, _ = run(*pairs, "--safety", "mine.py:polite")
    assert code == 0
    assert {row["chosen"] for row in table(tmp_path / "out")} == {"red green blue please"}
    assert "dropped, safety below 0.5: 3" in out
    assert run(*pairs, "--quality", "mine.py:words")[0] == 0
    assert {row["chosen_quality"] for row in table(tmp_path / "out")} == {21.0}
    code, _, err = run(*pairs, "--safety", "mine.py:broken")
    assert code == 2
    assert "'broken' raised KeyError" in err
    assert run(*pairs, "--safety", "mine.py:nothing")[0] == 1


def test_a_classifier_is_a_gate(run, log, tmp_path):
    torch = pytest.importorskip("torch", reason="a classifier needs the extra `rewards`")
    tiny = pytest.importorskip("tests.trainer.tiny", reason="the tiny tokenizer needs the extra `trainer`")
    from transformers import LlamaConfig, LlamaForSequenceClassification

    torch.manual_seed(0)
    labels = {"id2label": {0: "fine", 1: "toxic"}, "label2id": {"fine": 0, "toxic": 1}}
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = LlamaConfig(vocab_size=len(tiny.WORDS), pad_token_id=0, num_labels=2, **sizes, **labels)
    model = LlamaForSequenceClassification(config)
    folder = tmp_path / "model"
    model.save_pretrained(folder)
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.save_pretrained(folder)
    from hfdiv.data.pairs import ClassifierScore

    texts = ["order late", "red green blue please"]
    ids = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
    with torch.no_grad():
        toxic = [float(model(each).logits.softmax(-1)[0, 1]) for each in ids]
    score = ClassifierScore(str(folder), "toxic", unless=True)
    both = [texts[0], [{"role": "assistant", "content": texts[1]}]]
    assert score(["?", "?"], both) == pytest.approx([1 - share for share in toxic], abs=1e-5)
    pairs = ("pairs", log, "--method", "ratings", "--safety-model", folder, "--output-dir", tmp_path / "out")
    code, _, err = run(*pairs, "--unsafe-label", "rude")
    assert code == 2
    assert "has no label 'rude', only ['fine', 'toxic']" in err
    assert run(*pairs, "--unsafe-label", "toxic", "--min-safety", 0)[0] == 0
    assert "not toxic>=0" in json.loads((tmp_path / "out" / "pairs.json").read_text())["signature"]
    code, _, err = run(*pairs, "--unsafe-label", "toxic", "--min-safety", 1, "--overwrite")
    assert code == 2
    assert "safety below 1: 12" in err


def test_annotations_are_pairs(run, tmp_path):
    vote = {"prompt": "?", "response_a": "x", "response_b": "y", "preference": "b", "annotator": "An"}
    votes = lines(tmp_path / "votes.jsonl", vote, {**vote, "annotator": "Bo"})
    code, out, _ = run("pairs", votes, "--method", "annotations", "--min-votes", 2, "--output-dir", tmp_path / "out")
    assert code == 0
    build_pairs(votes, tmp_path / "same", Votes(min_votes=2))
    assert table(tmp_path / "out") == table(tmp_path / "same")
    assert table(tmp_path / "out")[0]["chosen"] == "y"
    assert "1 pairs from 2 replies" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("divpo", "Give the quality of replies: --quality-column, --quality or --quality-model"),
        ("divpo --quality-column none", "No pair comes of"),
        ("divpo --quality-column rating --min-gap 1", "--min-gap cannot be used with --method divpo"),
        ("divpo --quality-column rating --rho 0.7", "`rho` must be above 0"),
        ("divpo --quality-column rating --rho 0.2 --good 3", "--rho and --good cannot be used together"),
        ("ratings --quality-column rating --quality x", "give the quality one way"),
        ("ratings --safety-model m", "--safety-model and --unsafe-label go together"),
        ("ratings --safety f --safety-model m", "--safety and --safety-model cannot be used together"),
        ("annotations --quality-column rating", "--quality-column cannot be used with annotations"),
        ("annotations", "a vote needs"),
        ("fresh --quality-column rating --tokenizer none", "none"),
    ],
)
def test_options_that_do_not_go_are_refused(run, log, tmp_path, options, message):
    code, out, err = run("pairs", log, "--output-dir", tmp_path / "out", "--method", *options.split())
    assert (code, out) == (2, "")
    assert message in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [["import"], ["pairs", "--method", "ratings"]])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path, how, command):
    """The rows come from a pipe that never ends, so the run is surely in the middle when it is interrupted."""
    pipe = tmp_path / "log.jsonl"
    os.mkfifo(pipe)
    start = [sys.executable, "-c", "from hfdiv.cli import main; main()", "data"]
    process = subprocess.Popen(
        [*start, command[0], str(pipe), *command[1:], "--output-dir", str(tmp_path / "out")],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with pipe.open("w") as file:
        for i in range(3000):
            file.write(json.dumps({"prompt": f"q{i}", "responses": ["a b", "c d"], "rating": [1, 5]}) + "\n")
        file.flush()
        time.sleep(0.3)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_logs_to_pairs_to_training(run, log, tmp_path):
    tiny = pytest.importorskip("tests.trainer.tiny", reason="training needs the extra `trainer`")
    from datasets import load_dataset
    from trl import DPOConfig, DPOTrainer

    assert run("import", log, "--output-dir", tmp_path / "log")[0] == 0
    rows = tmp_path / "log" / "rows.jsonl"
    assert run("pairs", rows, "--method", "ratings", "--max-pairs", 2, "--output-dir", tmp_path / "pairs")[0] == 0
    dataset = load_dataset(str(tmp_path / "pairs"), split="train", cache_dir=str(tmp_path / "cache"))
    assert [(row["prompt"], row["chosen"]) for row in dataset][:2] == [
        ("order red", "damn soon"),
        ("order red", "red green blue please"),
    ]
    trainer = DPOTrainer(
        tiny.tiny_model(),
        args=DPOConfig(
            str(tmp_path / "run"), max_steps=1, per_device_train_batch_size=2, report_to=[], use_cpu=True, bf16=False
        ),
        train_dataset=dataset,
        processing_class=tiny.tiny_tokenizer(),
    )
    trainer.train()
    (logged,) = [row for row in trainer.state.log_history if "train_loss" in row]
    assert logged["train_loss"] == pytest.approx(0.6931, abs=0.05)
