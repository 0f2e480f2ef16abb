import gzip
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError, read_records
from hfdiv.data.conversations import Logs, Rejected, Reply, import_logs
from hfdiv.data.conversations.feedback import feedback
from hfdiv.data.conversations.turns import replies_in, turns_of
from tests.data.rows import assistant, user


HOSTILE = [
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "+1",
    "@x",
    "a\0b",
    "é👩\u200d👧 你好",
    'q"\n\r\n,;\t',
    "a\u2028b\x85",
    "  s ",
]


def chat(*texts):
    """Messages of a user and the assistant in turn."""
    return [message for place, text in enumerate(texts) for message in (user, assistant)[place % 2](text)]


def imported(folder):
    return [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().decode().split("\n")[:-1]]


def read(path, **columns):
    return [found for row in Logs([path], **columns) for found in (row if isinstance(row, list) else [row])]


def test_each_reply_has_what_was_said_before(jsonl, tmp_path):
    talk = [{"role": "developer", "content": "Be kind."}, *chat("Hi", "Hello!", "在吗？", "在的 👋")]
    import_logs([jsonl([{"messages": talk, "id": "7"}])], tmp_path / "out")
    system = {"role": "system", "content": "Be kind."}
    assert imported(tmp_path / "out") == [
        {"history": [], "prompt": [system, *talk[1:2]], "response": "Hello!", "id": "7"},
        {"history": ["Hello!"], "prompt": [system, *talk[1:4]], "response": "在的 👋", "id": "7"},
    ]


def test_sharegpt_and_openai_say_the_same(jsonl):
    names = {"user": "human", "assistant": "gpt"}
    talk = chat("Hi", "Hello!", "Bye", "Bye-bye")
    shared = [{"from": names[turn["role"]], "value": turn["content"]} for turn in talk]
    blocks = [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in talk]
    expected = read(jsonl([{"messages": talk}]))
    assert len(expected) == 2
    assert read(jsonl([{"conversations": shared}])) == expected
    assert read(jsonl([{"conversation": blocks}])) == expected


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.sampled_from(["", " ", "a", "b c"]))))
def test_replies_hold_all_that_was_said(said):
    turns = turns_of([{"role": role, "content": text} for role, text in said]) if said else []
    replies = list(replies_in(turns))
    spoken = [(role, text) for role, text in said if text.strip()]
    first_user = next((place for place, (role, _) in enumerate(spoken) if role == "user"), len(spoken))
    runs = [
        place
        for place in range(first_user, len(spoken))
        if spoken[place][0] == "assistant" and (place == 0 or spoken[place - 1][0] != "assistant")
    ]
    assert len(replies) == len(runs)
    for reply, start in zip(replies, runs, strict=True):
        assert "\n".join(turn["content"] for turn in reply.prompt) == "\n".join(text for _, text in spoken[:start])
        assert reply.history == [turn["content"] for turn in reply.prompt if turn["role"] == "assistant"]


def test_messages_of_one_speaker_are_one_reply_and_a_greeting_is_history():
    talk = [*assistant("Welcome!"), *user("Hi"), *assistant("Hello!"), *assistant("How are you?")]
    (reply,) = replies_in(turns_of(talk))
    assert reply == Reply(["Welcome!"], talk[:2], "Hello!\nHow are you?", {})


def test_tables_have_a_reply_or_a_list_of_them_a_row(jsonl):
    rows = [
        {"step": 3, "prompt": "Hi", "completion": "Hello", "reward": 0.5},
        {"prompt": user("Hi"), "completion": assistant("Hello"), "history": ["Welcome"]},
        {"prompt": "Hi", "responses": ["Hello", "Hey"], "finished": [True, False], "model": "m"},
        {"prompt": chat("Hi", "Hello", "And?"), "response": "That is all."},
    ]
    assert read(jsonl(rows)) == [
        Reply([], "Hi", "Hello", {"step": 3, "reward": 0.5}),
        Reply(["Welcome"], user("Hi"), "Hello", {}),
        Reply([], "Hi", "Hello", {"finished": True, "model": "m"}),
        Reply([], "Hi", "Hey", {"finished": False, "model": "m"}),
        Reply(["Hello"], chat("Hi", "Hello", "And?"), "That is all.", {}),
    ]


def test_an_import_can_be_imported_again_and_measured(jsonl, tmp_path):
    import_logs([jsonl([{"messages": chat("Hi", "Hello!", "Bye", "Bye"), "rating": 4}])], tmp_path / "a")
    import_logs([tmp_path / "a" / "rows.jsonl"], tmp_path / "b")
    assert imported(tmp_path / "a") == imported(tmp_path / "b")
    assert read_records(tmp_path / "a" / "rows.jsonl").groups == [["Hello!"], ["Bye"]]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_cells_are_text_but_for_feedback_and_lists(tmp_path, suffix):
    separator = {".csv": ",", ".tsv": "\t"}[suffix]
    talk = json.dumps(chat("Hi", "Hello")).replace('"', '""')
    lines = [["id", "messages", "stars", "click"], ["007", f'"{talk}"', "4", "yes"], ["8", f'"{talk}"', "", ""]]
    path = tmp_path / f"log{suffix}"
    path.write_text("\n".join(separator.join(cells) for cells in lines), encoding="utf-8-sig")
    assert [reply.columns for reply in read(path)] == [{"id": "007", "rating": 4.0, "click": True}, {"id": "8"}]


def test_columns_can_be_named(tmp_path):
    (tmp_path / "log.csv").write_text("frage,antwort,messages\nWo?,Hier.,x\n", encoding="utf-8")
    (reply,) = read(tmp_path / "log.csv", prompt_column="frage", response_column="antwort")[:1]
    assert isinstance(reply, Rejected)  # a column of this name must be a list
    (tmp_path / "log.csv").write_text("frage,antwort,n\nWo?,Hier.,x\n", encoding="utf-8")
    (reply,) = read(tmp_path / "log.csv", prompt_column="frage", response_column="antwort")
    assert reply == Reply([], "Wo?", "Hier.", {"n": "x"})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"stars": "4.5"}, {"rating": 4.5}),
        ({"rating": 0}, {"rating": 0.0}),
        ({"thumb": "👎"}, {"thumbs": -1}),
        ({"thumbs": True, "clicked": "0"}, {"thumbs": 1, "click": False}),
        ({"feedback": "thumbs_up"}, {"thumbs": 1}),
        ({"feedback": {"rating": 2, "note": "meh"}, "dwell": 3}, {"dwell_time": 3.0, "rating": 2.0, "note": "meh"}),
        ({"rating": None, "click": "", "dwell_time": math.nan, "abandoned": 1}, {"abandoned": True}),
        ({"thumbs": "0", "other": [1]}, {"thumbs": 0, "other": [1]}),
    ],
)
def test_feedback_goes_by_its_usual_name(given, kept):
    assert feedback(given) == kept


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rating": "good"}, "`rating` must be a number, got str 'good'"),
        ({"rating": math.inf}, "`rating` must be a number"),
        ({"rating": True}, "`rating` must be a number"),
        ({"thumbs": 5}, "up or down"),
        ({"dwell_time": -1}, "at least 0, got -1"),
        ({"click": "maybe"}, "true or false"),
        ({"rating": 4, "stars": 5}, "both 4.0 and 5.0"),
    ],
)
def test_feedback_that_says_nothing_clear_is_refused(given, message):
    with pytest.raises(DataError, match=message):
        feedback(given)


def test_a_user_leaves_after_the_last_reply(jsonl):
    talk = chat("a", "b", "c", "d")
    talk[1]["rating"] = 1
    replies = read(jsonl([{"messages": talk, "abandoned": True, "rating": 3}]))
    assert [reply.columns for reply in replies] == [
        {"abandoned": False, "rating": 1.0},
        {"abandoned": True, "rating": 3.0},
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1], "a row must be a JSON object"),
        ({"text": "x"}, "no prompt: a row needs `prompt`"),
        ({"prompt": "x"}, "no reply: a row needs `response`"),
        ({"prompt": "x", "response": " "}, "the reply is empty"),
        ({"prompt": "x", "response": 3}, "must be a string or a list of chat messages"),
        ({"prompt": "x", "response": "\ud83d"}, "surrogate"),
        ({"prompt": "x", "response": "y", "note": "\ud83d"}, "surrogate"),
        ({"messages": []}, "at least one message"),
        ({"messages": ["Hi"]}, "message 1 must be a JSON object"),
        ({"messages": user("Hi")}, "nobody answers"),
        ({"messages": [{"role": "user"}]}, "message 1 needs `role` and `content`"),
        ({"messages": [*user("Hi"), {"role": "tool", "content": "x"}]}, "message 2 is from 'tool'"),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [1]}]}, "message 1 calls a tool"),
        ({"messages": user([{"type": "image_url", "image_url": "x"}])}, "block of type 'image_url'"),
        ({"messages": user(3)}, "message 1 must say a text"),
        ({"prompt": "x", "response": "y", "history": [1]}, "`history` must be a list"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(jsonl, row, reason, tmp_path):
    good = {"prompt": "Hi", "response": "Hello"}
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in (good, row, good)), encoding="utf-8")
    with pytest.raises(DataError, match="log.jsonl, line 2: .*--skip-bad"):
        import_logs([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    done = import_logs([path], tmp_path / "out", skip_bad=True)
    assert (done.n_rows, done.n_replies, done.n_rejected) == (3, 2, 1)
    (rejected,) = map(json.loads, (tmp_path / "out" / "rejected.jsonl").read_text().splitlines())
    assert rejected["line"] == 2
    assert reason in rejected["reason"]
    assert rejected["row"] == row


@pytest.mark.parametrize("zipped", [False, True])
def test_broken_lines_are_rejected_and_the_rest_is_read(tmp_path, zipped):
    good = json.dumps({"prompt": "Hi", "response": "ok"}).encode()
    lines = [b"\xef\xbb\xbf" + good, b"", b'{"prompt": "\xff"}', b'{"half', b"[" * 100_000, good]
    path = tmp_path / ("log.jsonl.gz" if zipped else "log.jsonl")
    content = b"\n".join(lines)
    path.write_bytes(gzip.compress(content) if zipped else content)
    done = import_logs([path], tmp_path / "out", skip_bad=True)
    assert (done.n_replies, done.n_rejected) == (2, 3)
    rejected = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()]
    assert [row["line"] for row in rejected] == [3, 4, 5]
    assert rejected[0]["row"] == '{"prompt": "\\xff"}'


def test_bad_rows_of_a_table_are_rejected(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b'prompt,response\nHi,Hello\nHi\nHi,\xff\n"a\nb","c"x\nHi,"two\nlines"\n')
    done = import_logs([path], tmp_path / "out", skip_bad=True)
    assert [row["response"] for row in imported(tmp_path / "out")] == ["Hello", "two\nlines"]
    assert done.n_rejected == 3
    path.write_text('prompt,response\nHi,"open\n')
    with pytest.raises(DataError, match="is a quote open"):
        import_logs([path], tmp_path / "none", skip_bad=True)


def test_hostile_text_is_stored_as_text(jsonl, tmp_path):
    texts = [*HOSTILE, "x" * 1_000_000]
    done = import_logs([jsonl([{"messages": chat(text, text)} for text in texts])], tmp_path / "out")
    assert done.n_replies == len(texts)
    assert [row["response"] for row in imported(tmp_path / "out")] == texts
    assert [row["prompt"][0]["content"] for row in imported(tmp_path / "out")] == texts


def test_deep_nesting_beside_a_reply_does_no_harm(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"prompt": "a", "response": "b", "x": ' + "[" * 900 + "]" * 900 + "}\n" + '{"prompt": "a", "response": "c"}\n'
    )
    done = import_logs([path], tmp_path / "out", skip_bad=True)
    assert done.n_replies + done.n_rejected == 2
    assert imported(tmp_path / "out")[-1]["response"] == "c"


def test_a_dataset_saved_to_disk_is_a_log(tmp_path):
    datasets = pytest.importorskip("datasets", reason="a saved dataset needs the extra `trainer`")
    rows = [{"messages": chat("Hi", "Hello"), "rating": 5}, {"messages": chat("Bye", "Bye!"), "rating": None}]
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "log")
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "log.parquet")
    expected = [Reply([], user("Hi"), "Hello", {"rating": 5.0}), Reply([], user("Bye"), "Bye!", {})]
    assert read(tmp_path / "log") == expected
    assert read(tmp_path / "log.parquet") == expected


def test_a_folder_with_other_files_is_never_replaced(jsonl, tmp_path):
    log = jsonl([{"prompt": "Hi", "response": "Hello"}])
    import_logs([log], tmp_path / "out")
    with pytest.raises(DataError, match="--overwrite"):
        import_logs([log], tmp_path / "out")
    import_logs([log], tmp_path / "out", overwrite=True)
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"thesis\.txt"):
        import_logs([log], tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_an_import_that_fails_leaves_what_was_there(jsonl, tmp_path):
    log = jsonl([{"prompt": "Hi", "response": "Hello"}])
    import_logs([log], tmp_path / "out")
    before = imported(tmp_path / "out")

    def interrupt(*_):
        raise KeyboardInterrupt

    many = jsonl([{"prompt": "Hi", "response": f"r{i}"} for i in range(500)], "many.jsonl")
    with pytest.raises(KeyboardInterrupt):
        import_logs([many], tmp_path / "out", overwrite=True, progress=interrupt)
    assert imported(tmp_path / "out") == before
    assert {path.name for path in tmp_path.iterdir()} == {"out", "replies.jsonl", "many.jsonl"}


def test_the_report_counts_columns(jsonl, tmp_path):
    rows = [{"prompt": "a", "response": "b", "rating": 5}, {"prompt": "a", "response": "c", "rating": 1, "id": 1}]
    import_logs([jsonl(rows)], tmp_path / "out")
    report = json.loads((tmp_path / "out" / "import.json").read_text())
    assert report["columns"] == {"rating": 2, "id": 1}
    assert (report["n_rows"], report["n_replies"], report["n_rejected"]) == (2, 2, 0)
    with pytest.raises(DataError, match="no reply to import"):
        import_logs([jsonl([{"prompt": "a"}])], tmp_path / "none", skip_bad=True)


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_real_dialogues(language, tmp_path, jsonl):
    corpus = pytest.importorskip("chatterbot_corpus.corpus", reason="real dialogues need chatterbot-corpus")
    yaml = pytest.importorskip("yaml", reason="the corpus is YAML")
    from pathlib import Path

    talks = [
        [str(line) for line in talk]
        for file in sorted(Path(corpus.DATA_DIRECTORY, language).glob("*.yml"))
        for talk in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["conversations"]
        if len(talk) > 1 and all(str(line).strip() for line in talk)
    ][:400]
    assert len(talks) > 100
    import_logs([jsonl([{"messages": chat(*talk)} for talk in talks])], tmp_path / "out")
    rows = imported(tmp_path / "out")
    assert [row["response"] for row in rows] == [line for talk in talks for line in talk[1::2]]
    assert [row["prompt"][-1]["content"] for row in rows] == [
        talk[i - 1] for talk in talks for i in range(1, len(talk), 2)
    ]
