import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.data import DataError
from hfdiv.data.conversations import Reply, import_logs
from hfdiv.data.pairs import Candidate, DivPO, Fresh, Judge, Rated, Votes, build_pairs, fresh
from hfdiv.data.pairs.grouping import GROUP_LIMIT, together
from hfdiv.data.pairs.pair import Dropped, Pair
from hfdiv.similarity import NgramSimilarity
from tests.data.rows import assistant, user


pytest.importorskip("pyarrow", reason="pairs are written as Parquet, with the extra `data`")

NOVELTYBENCH = Path(__file__).parents[3] / "shared" / "data" / "noveltybench_generations.jsonl"


def candidates(*texts_and_qualities, history=(), refused=()):
    return [
        Candidate(Reply(list(history), "?", text, {}), quality, "no" if text in refused else "")
        for text, quality in texts_and_qualities
    ]


def table(folder, name="pairs.parquet"):
    import pyarrow.parquet

    return pyarrow.parquet.read_table(folder / name).to_pylist()


def dropped(folder):
    return [json.loads(line) for line in (folder / "dropped.jsonl").read_text(encoding="utf-8").splitlines()]


# --- DivPO

FAMILIES = ("a b c", 1), ("a b c", 5), ("a b d", 5), ("x y z", 4), ("x y w", 0)


def test_divpo_takes_the_most_diverse_good_and_the_least_diverse_bad():
    # by shared words: "a b c" twice (mean distance (0 + .5 + 1 + 1) / 4), "a b d" (.5 + .5 + 1 + 1) / 4,
    # "x y z" and "x y w" (1 + 1 + 1 + .5) / 4
    (pair,) = DivPO(good=4, similarity=NgramSimilarity(1))(candidates(*FAMILIES))
    assert (pair.chosen, pair.rejected) == ("x y z", "a b c")
    assert pair.numbers == {
        "chosen_quality": 4,
        "rejected_quality": 1,
        "chosen_diversity": 0.875,
        "rejected_diversity": 0.625,
    }


@given(
    st.lists(st.tuples(st.text("abc ", min_size=1), st.integers(0, 4)), min_size=2, max_size=9),
    st.sampled_from([0.1, 0.25, 0.5]),
)
def test_divpo_is_the_definition(group, rho):
    def distance(left, right):
        a, b = set(left.split()), set(right.split())
        return 1 - len(a & b) / len(a | b)

    spoken = [(text, quality) for text, quality in group if text.split()]
    found = DivPO(rho=rho, similarity=NgramSimilarity(1, "whitespace"))(candidates(*group))
    if len(spoken) < 2:
        assert isinstance(found, str)
        return
    diversity = [
        np.mean([distance(text, other) for j, (other, _) in enumerate(spoken) if j != i])
        for i, (text, _) in enumerate(spoken)
    ]
    size = max(math.floor(rho * len(spoken)), 1)
    ordered = sorted(range(len(spoken)), key=lambda place: -spoken[place][1])
    below = {
        above: [
            diversity[other]
            for other in ordered[-size:]
            if spoken[other][1] < spoken[above][1] and spoken[other][0] != spoken[above][0]
        ]
        for above in ordered[:size]
    }
    below = {above: others for above, others in below.items() if others}
    if not below:
        assert found == "no difference in quality"
        return
    (pair,) = found
    most = max(diversity[above] for above in below)
    assert pair.numbers["chosen_diversity"] == pytest.approx(most)
    least = {min(others) for above, others in below.items() if diversity[above] == pytest.approx(most)}
    assert any(pair.numbers["rejected_diversity"] == pytest.approx(value) for value in least)
    assert pair.numbers["chosen_quality"] > pair.numbers["rejected_quality"]


@pytest.mark.parametrize(
    ("method", "group", "reason"),
    [
        (DivPO(), [("a b", 1)], "one reply only"),
        (DivPO(), [("a b", 1), ("c d", math.nan)], "fewer than two replies of known quality"),
        (DivPO(), [("a b", 1), ("c", 2)], "fewer than two replies of known quality that can be compared"),
        (DivPO(), [("a b", 1), ("c d", 1)], "no difference in quality"),
        (DivPO(good=3), [("a b", 1), ("c d", 1)], "no good reply"),
        (DivPO(good=3), [("a b", 4), ("c d", 5)], "no bad reply"),
        (DivPO(good=3), [("a b", 4), ("a b", 1)], "no difference in quality"),
        (Rated(), [("a b", 4)], "one reply only"),
        (Rated(), [("a b", 4), ("c d", math.nan)], "fewer than two rated replies"),
        (Rated(), [("a b", 4), ("c d", 3.5)], "no rating is far enough above another"),
        (Rated(), [("a b", 4), ("a b", 1)], "no rating is far enough above another"),
        (Fresh(), [("a b", 4), ("c d", 1)], "no history"),
    ],
)
def test_a_prompt_without_a_pair_says_why(method, group, reason):
    assert reason in method(candidates(*group))


def test_between_two_thresholds_replies_are_in_no_pool():
    (pair,) = DivPO(good=4, bad=2)(candidates(("a b", 4), ("c d", 3), ("e f", 2), ("g h", 1)))
    assert (pair.chosen, pair.rejected) == ("a b", "g h")


def test_more_pairs_take_the_next_of_both_pools():
    group = candidates(("a b c", 5), ("x y z", 5), ("a b d", 1), ("a b e", 2), ("q r s", 0))
    pairs = DivPO(good=5, max_pairs=2, similarity=NgramSimilarity(1))(group)
    assert [(pair.chosen, pair.rejected) for pair in pairs] == [("x y z", "a b d"), ("a b c", "a b e")]


def test_a_refused_reply_is_never_chosen_and_may_be_rejected():
    group = candidates(("new one here", 5), ("old text", 4), ("old texts", 1), refused=["new one here"])
    (pair,) = DivPO(good=4)(group)
    assert (pair.chosen, pair.rejected) == ("old text", "old texts")
    (pair,) = Rated()(group)
    assert (pair.chosen, pair.rejected) == ("old text", "old texts")
    assert DivPO(good=5)(group) == "no good reply"
    assert Rated()(candidates(("a b", 5), ("c d", 1), refused=["a b", "c d"])) == "no good reply"


# --- ratings


def test_ratings_pair_the_best_with_the_worst_while_the_gap_is_wide():
    group = candidates(("a b", 5), ("c d", 4), ("e f", 3), ("g h", 1))
    assert [(p.chosen, p.rejected) for p in Rated(max_pairs=9)(group)] == [("a b", "g h"), ("c d", "e f")]
    assert [(p.chosen, p.rejected) for p in Rated(2, max_pairs=9)(group)] == [("a b", "g h")]


def test_two_ratings_of_one_text_are_no_pair():
    (pair,) = Rated()(candidates(("a b", 5), ("c d", 3), ("a b", 1)))
    assert (pair.chosen, pair.rejected) == ("a b", "c d")


def test_of_equal_ratings_the_diverse_one_is_the_better():
    group = candidates(("a b c", 5), ("x y z", 5), ("a b c", 1), ("u v w", 1))
    (pair,) = Rated()(group)
    assert (pair.chosen, pair.rejected) == ("x y z", "a b c")


# --- fresh against stale

HISTORY = ["It is on its way. Anything else?"]


def test_a_stale_reply_is_rejected_against_a_fresh_one_that_is_as_good():
    group = candidates(
        ("Done. Anything else?", 3),
        ("Done. Bye now.", 2),
        ("It ships today.", 3),
        ("Good day to you.", 5),
        history=HISTORY,
    )
    (pair,) = Fresh()(group)
    assert (pair.chosen, pair.rejected, pair.history) == ("Good day to you.", "Done. Anything else?", HISTORY)
    assert pair.numbers["rejected_history_similarity"] == 1.0
    assert pair.numbers["chosen_history_similarity"] == 0.0


def test_a_worse_a_stale_and_an_unjudged_reply_are_not_preferred():
    stale = ("Done. Anything else?", 3)
    others = [("So. Anything else?", 5), ("Bye now.", 2), ("No idea.", math.nan), ("Refused it is.", 5)]
    group = candidates(stale, *others, history=HISTORY, refused=["Refused it is."])
    assert Fresh(max_pairs=9)(group) == "no fresh reply that is as good"
    assert Fresh()(candidates(others[1], history=HISTORY)) == "no stale reply"


def test_freshness_is_judged_in_the_conversation_of_the_stale_reply():
    group = [
        Candidate(Reply(["Sure. Bye!"], "?", "Of course. Bye!", {}), 1.0),
        Candidate(Reply([], "?", "Yes. Bye!", {}), 5.0),
        Candidate(Reply(["Yes. Take care."], "?", "It is. Take care.", {}), 2.0),
    ]
    pairs = Fresh()(group)
    assert [(pair.chosen, pair.rejected) for pair in pairs] == [
        ("It is. Take care.", "Of course. Bye!"),
        ("Yes. Bye!", "It is. Take care."),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a b", "a c", "d", "", "d e f"]), st.lists(st.text("abd ", max_size=4), max_size=3)
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([1, 2, 512]),
)
def test_staleness_is_the_similarity_to_the_nearest_earlier_reply(group, block):
    def alike(left, right):
        a, b = set(left.split()), set(right.split())
        return len(a & b) / len(a | b) if a and b else math.nan

    texts = [text for text, _ in group]
    histories = [tuple(history) for _, history in group]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fresh, "_BLOCK", block)
        near = fresh._nearest(texts, histories, NgramSimilarity(1, "whitespace"))
    for history in histories:
        for value, text in zip(near[history], texts, strict=True):
            values = [found for earlier in history if not math.isnan(found := alike(text, earlier))]
            assert value == pytest.approx(max(values, default=math.nan), nan_ok=True)


def test_the_scope_decides_what_is_compared():
    group = candidates(("All new words. Anything else?", 1), ("All other. Good.", 1), history=HISTORY)
    assert Fresh(scope="response")(group) == "no stale reply"
    assert len(Fresh(scope="last_sentence")(group)) == 1


# --- votes


def votes(*preferences, a="x", b="y"):
    return [{"prompt": "?", "response_a": a, "response_b": b, "preference": vote} for vote in preferences]


@pytest.mark.parametrize(
    ("rows", "settings", "expected"),
    [
        (votes("a"), {}, ("x", "y", 1.0)),
        (votes("b", "b", "a"), {}, ("y", "x", 2 / 3)),
        (votes("a", "tie"), {}, ("x", "y", 0.75)),
        (votes("a") + votes("b", a="y", b="x"), {}, ("x", "y", 1.0)),
        (votes("a", "b"), {}, "a tie"),
        (votes("tie"), {}, "a tie"),
        (votes("a", "a", "b"), {"min_agreement": 0.7}, "too little agreement"),
        (votes("a"), {"min_votes": 2}, "too few votes"),
    ],
)
def test_the_majority_decides(rows, settings, expected):
    found = Votes(**settings)(rows)
    if isinstance(expected, str):
        assert isinstance(found, Dropped)
        assert found.reason == expected
    else:
        assert isinstance(found, Pair)
        assert (found.chosen, found.rejected, found.numbers["agreement"]) == pytest.approx(expected)
        assert found.numbers["n_votes"] == len(rows)


def test_votes_are_counted_by_pair(jsonl, tmp_path):
    rows = [*votes("a", "a"), *votes("b", a="x", b="z"), *votes("tie", a="x", b="w")]
    talk = [*assistant("Hi!"), *user([{"type": "text", "text": "?"}])]
    rows[0]["prompt"] = rows[1]["prompt"] = talk
    done = build_pairs(jsonl(rows), tmp_path / "out", Votes())
    assert (done.n_pairs, done.n_replies, done.dropped) == (2, 4, {"a tie": 1})
    assert [(row["prompt"], row["chosen"], row["history"]) for row in table(tmp_path / "out")] == [
        ([*assistant("Hi!"), *user("?")], assistant("x"), ["Hi!"]),
        (user("?"), assistant("z"), []),
    ]
    for row, message in (
        ({"prompt": "?"}, "there is no 'response_a'"),
        ({**rows[2], "preference": "c"}, "must be 'a', 'b' or 'tie'"),
        (votes("a", b="x")[0], "are the same"),
    ):
        with pytest.raises(DataError, match=f"line 1: .*{message}"):
            build_pairs(jsonl([row]), tmp_path / "none", Votes())
    with pytest.raises(ValueError, match="judged by people"):
        build_pairs(jsonl(rows), tmp_path / "none", Votes(), Judge("rating"))


# --- judges


def test_a_judge_asks_functions_in_the_form_of_rewards():
    def length(prompts, completions, history, rating, **columns):
        assert prompts == ["?", user("?")]
        assert completions == ["ab", assistant("abc")]
        assert (history, rating, columns) == ([["h"], []], [1, 2], {})
        return [2, None]

    def safe(completions, **columns):
        return [0.4, 0.6]

    replies = [Reply(["h"], "?", "ab", {"rating": 1, "x": 1}), Reply([], user("?"), "abc", {"rating": 2})]
    judged = Judge(length, safety=safe)(replies)
    assert [found.refused for found in judged] == ["safety below 0.5", ""]
    assert judged[0].quality == 2
    assert math.isnan(judged[1].quality)
    assert Judge(length, 1)(replies)[1].refused == "quality not known"
    assert Judge(length, 1, safe).signature == "quality=length>=1,safety=safe>=0.5"
    unknown = Judge("rating", safety=lambda **_: [None, 1])
    assert [found.refused for found in unknown(replies)] == ["safety not known", ""]


def test_a_judge_refuses_what_is_no_number():
    with pytest.raises(DataError, match="The column 'rating' is the quality: it must be a number, got str 'good'"):
        Judge("rating")([Reply([], "?", "a", {"rating": "good"})])
    with pytest.raises(DataError, match="returned 1 scores for 2 replies"):
        Judge(lambda **_: [1])([Reply([], "?", "a", {})] * 2)
    with pytest.raises(ValueError, match="needs a quality"):
        Judge(min_quality=1)

    async def later(**columns):
        return [1]

    with pytest.raises(DataError, match="asynchronous"):
        Judge(later)([Reply([], "?", "a", {})])


def test_cells_of_text_are_numbers():
    assert Judge("score")([Reply([], "?", "a", {"score": " 1.5 "})])[0].quality == 1.5


# --- the folder


def replies(n_prompts=3, n=4):
    return [
        {
            "prompt": user(f"Question {i}?"),
            "responses": [f"Answer {j} to {i}, word{j}" for j in range(n)],
            "rating": [*range(n)],
        }
        for i in range(n_prompts)
    ]


def test_a_folder_is_a_dataset(jsonl, tmp_path):
    datasets = pytest.importorskip("datasets", reason="loading needs the extra `trainer`")
    rows = [*replies(), {"prompt": "one", "response": "reply"}]
    done = build_pairs(
        jsonl(rows), tmp_path / "out", DivPO(), Judge("rating", 3), sft=2, settings={"quality": "`rating` <b>"}
    )
    assert (done.n_prompts, done.n_replies, done.n_pairs, done.n_sft) == (4, 13, 3, 3)
    assert done.dropped == {"one reply only": 1, "quality below 3": 9, "quality not known": 1}
    reasons = [row["reason"] for row in dropped(tmp_path / "out")]
    assert {reason: reasons.count(reason) for reason in reasons} == done.dropped
    pairs = datasets.load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert pairs.to_list() == table(tmp_path / "out")
    assert pairs[0]["prompt"] == user("Question 0?")
    assert pairs[0]["chosen"] == assistant("Answer 3 to 0, word3")
    assert pairs[0]["rejected"] == assistant("Answer 0 to 0, word0")
    sft = datasets.load_dataset(str(tmp_path / "out"), "sft", split="train", cache_dir=str(tmp_path / "cache"))
    assert set(sft.column_names) == {"prompt", "completion", "quality"}
    assert sft[0]["completion"] == assistant("Answer 3 to 0, word3")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| pairs | 3 |" in card
    assert "| dropped: quality below 3 | 9 |" in card
    assert f"    {done.signature}\n" in card
    assert "quality=column:rating>=3" in done.signature
    assert json.loads((tmp_path / "out" / "pairs.json").read_text())["n_pairs"] == 3


def test_new_pairs_in_a_folder_of_the_same_name_are_not_taken_for_the_old_ones(jsonl, tmp_path):
    """The cache of `datasets` knows a local folder by its name and its card alone."""
    datasets = pytest.importorskip("datasets", reason="loading needs the extra `trainer`")
    options = {"split": "train", "cache_dir": str(tmp_path / "cache")}
    for n in (3, 2):
        build_pairs(jsonl(replies(n)), tmp_path / "out", DivPO(), Judge("rating", 3), sft=1, overwrite=True)
        assert len(datasets.load_dataset(str(tmp_path / "out"), **options)) == n
        assert len(datasets.load_dataset(str(tmp_path / "out"), "sft", **options)) == n


def test_texts_stay_texts_and_join_messages_as_a_user(jsonl, tmp_path):
    text = [{"prompt": "a", "responses": ["b c", "d e"], "rating": [1, 2]}]
    build_pairs(jsonl(text), tmp_path / "text", Rated(), Judge("rating"))
    assert table(tmp_path / "text")[0]["chosen"] == "d e"
    both = [*replies(1), *text]
    build_pairs(jsonl(both), tmp_path / "both", Rated(), Judge("rating"))
    assert table(tmp_path / "both")[1]["prompt"] == user("a")
    with pytest.raises(DataError, match="give them apart"):
        build_pairs(jsonl(both[::-1]), tmp_path / "none", Rated(), Judge("rating"))
    assert not (tmp_path / "none").exists()


def test_no_pair_and_no_quality_are_errors(jsonl, tmp_path):
    rows = jsonl([{"prompt": "a", "response": "b", "rating": 1}])
    with pytest.raises(DataError, match="No pair comes of .* \\(one reply only: 1\\)"):
        build_pairs(rows, tmp_path / "out", DivPO(), Judge("rating"))
    with pytest.raises(ValueError, match="needs a quality"):
        build_pairs(rows, tmp_path / "out", Fresh())
    with pytest.raises(ValueError, match="`sft` needs `min_quality`"):
        build_pairs(rows, tmp_path / "out", DivPO(), Judge("rating"), sft=1)
    assert not (tmp_path / "out").exists()


def test_a_small_budget_gives_the_same_pairs_in_another_order(jsonl, tmp_path):
    scattered = [{"prompt": f"q{i % 40}", "response": f"r{i} {i // 40} x", "rating": i // 40} for i in range(400)]
    found, told = [], []
    for name, budget in (("much", 10**9), ("little", 20_000)):
        build_pairs(
            *(jsonl(scattered), tmp_path / name, DivPO(), Judge("rating")),
            budget_bytes=budget,
            progress=lambda *progress: told.append(progress),
        )
        found.append(table(tmp_path / name))
    assert found[0] != found[1]
    assert sorted(found[0], key=str) == sorted(found[1], key=str)
    assert len(found[0]) == 40
    assert {what for what, *_ in told} == {"Reading", "Pairing"}
    assert told[-1] == ("Pairing", 400, 400)
    assert all(0 <= done <= total for _, done, total in told)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=30), st.sampled_from([1, 10**9]))
def test_rows_of_a_key_come_together(rows, budget):
    groups = sorted(together(iter(rows), budget))
    expected = [[value for key, value in rows if key == name] for name in {key for key, _ in rows}]
    assert groups == sorted(expected)


def test_a_group_has_an_upper_limit():
    assert [len(group) for group in together((("k", i) for i in range(600)), 10**9)] == [GROUP_LIMIT, GROUP_LIMIT, 88]


def test_one_question_in_two_conversations(jsonl, tmp_path):
    talk = [
        [*user("Hi"), *assistant("Hello. Anything else?"), *user("When?"), *assistant("Soon. Anything else?")],
        [*user("Yo"), *assistant("Hey. Tell me."), *user("WHEN?"), *assistant("Tomorrow at noon.")],
    ]
    rows = [{"messages": messages, "rating": 3} for messages in talk]
    import_logs([jsonl(rows)], tmp_path / "log")
    log = tmp_path / "log" / "rows.jsonl"
    with pytest.raises(DataError, match="No pair"):
        build_pairs(log, tmp_path / "out", Fresh(), Judge("rating"))
    build_pairs(log, tmp_path / "out", Fresh(), Judge("rating"), same="question")
    (pair,) = table(tmp_path / "out")
    assert pair["prompt"] == talk[0][:3]
    assert (pair["chosen"], pair["rejected"]) == (assistant("Tomorrow at noon."), assistant("Soon. Anything else?"))
    assert pair["history"] == ["Hello. Anything else?"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DivPO(rho=0), "`rho` must be above 0 and at most 0.5, got 0"),
        (lambda: DivPO(bad=1), "`bad` must come with a `good`"),
        (lambda: DivPO(good=1, bad=2), "`bad` must come with a `good`"),
        (lambda: DivPO(max_pairs=0), "`max_pairs` must be at least 1"),
        (lambda: Rated(0), "`min_gap` must be above 0"),
        (lambda: Fresh(1.0), "`threshold` must be at least 0 and below 1"),
        (lambda: Fresh(scope="all"), "`scope` must be"),
        (lambda: Fresh(max_pairs=0), "`max_pairs`"),
        (lambda: Votes(0.4), "`min_agreement` must be from 0.5"),
        (lambda: Votes(min_votes=0), "`min_votes` must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_hostile_text_and_long_lines_survive(jsonl, tmp_path):
    from tests.data.test_conversations import HOSTILE

    texts = [*HOSTILE, "long " * 200_000]
    rows = [{"prompt": user(text), "responses": [text + " a", text + " b"], "rating": [1, 2]} for text in texts]
    build_pairs(jsonl(rows), tmp_path / "out", Rated(), Judge("rating"))
    assert [(row["prompt"], row["chosen"], row["rejected"]) for row in table(tmp_path / "out")] == [
        (user(text), assistant(text + " b"), assistant(text + " a")) for text in texts
    ]


@pytest.mark.skipif(not NOVELTYBENCH.exists(), reason="the shared data is not here")
def test_real_generations(tmp_path):
    def words(completions, **columns):
        return [len(text.split()) for text in completions]

    done = build_pairs(NOVELTYBENCH, tmp_path / "out", DivPO(), Judge(words), same="prompt")
    assert done.n_prompts == 50
    assert done.n_pairs > 30
    for row in table(tmp_path / "out"):
        assert len(row["chosen"].split()) == row["chosen_quality"] > row["rejected_quality"]
