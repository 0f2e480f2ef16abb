import json
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfdiv.diversity import measure, store
from hfdiv.diversity.accumulator import Accumulator, merge_across_processes
from hfdiv.diversity.suite import MEASURES, STANDARD
from hfdiv.text import Tokenizer
from tests import brute_force


ROOT = Path(__file__).resolve().parents[2]
ALL = tuple(MEASURES)


def accumulated(parts, **settings):
    accumulator = Accumulator(**settings)
    for part in parts:
        accumulator.update(part)
    return accumulator


def told(scores):
    """All that scores say, to the last bit; NaN is equal to NaN here."""
    return {name: repr(score) for name, score in scores.items()}


def pooled(parts):
    return [item for part in parts for item in part]


words = st.lists(
    brute_force.texts(max_words=14) | st.sampled_from(["", "好的。好的！", "👍🏽 done", "a b c d e " * 12]), max_size=5
)
group_parts = st.lists(st.lists(words, min_size=1, max_size=3), min_size=1, max_size=4)
flat_parts = st.lists(words.filter(bool), min_size=1, max_size=4)


@settings(max_examples=40)
@given(group_parts | flat_parts, st.sampled_from([None, "corpus", "group"]))
def test_any_split_gives_the_numbers_of_one_call(parts, level):
    expected = measure(pooled(parts), level=level, measures=ALL)
    found = accumulated(parts, measures=ALL, level=level).compute()
    assert list(found) == list(expected)
    assert told(found) == told(expected)
    assert all(len(score.values) == 0 for score in found.values())


@settings(max_examples=40)
@given(st.data(), group_parts | flat_parts, st.sampled_from([None, "corpus"]))
def test_any_merge_of_neighbours_gives_the_numbers_of_one_call(data, parts, level):
    left = [accumulated([part], measures=ALL, level=level) for part in parts]
    while len(left) > 1:
        place = data.draw(st.integers(0, len(left) - 2))
        left[place].merge(pickle.loads(pickle.dumps(left.pop(place + 1).detached())))
    assert told(left[0].compute()) == told(measure(pooled(parts), level=level, measures=ALL))


@given(group_parts)
def test_a_level_of_responses(parts):
    names = ("distinct_n", "repetition_rate", "compression_ratio", "hdd")
    found = accumulated(parts, measures=names, level="response").compute()
    assert told(found) == told(measure(pooled(parts), level="response", measures=names))


@pytest.mark.parametrize("level", [None, "corpus"])
def test_a_corpus_on_disk_gives_the_same_numbers(monkeypatch, any_texts, level):
    for name, value in (("MEMORY", 100), ("PIECE", 9), ("BLOCK", 20)):
        monkeypatch.setattr(store, name, value)
    groups = [any_texts, any_texts[3:], any_texts[:5]] * 2
    one, other = (accumulated([part], level=level) for part in (groups[:4], groups[4:]))
    one.merge(other)
    assert told(one.compute()) == told(measure(groups, level=level))


def test_what_is_counted(any_texts):
    accumulator = accumulated([[any_texts, []], [["a"]]])
    assert (accumulator.n_responses, accumulator.n_groups) == (len(any_texts) + 1, 3)
    assert accumulator.compute()["distinct_1"].signature.startswith(
        f"distinct|n:1|level:group|size:0-{len(any_texts)}|"
    )
    flat = accumulated([["a", "b"], ["c"]])
    assert (flat.n_responses, flat.n_groups) == (3, 1)
    assert flat.compute()["distinct_1"].signature.startswith("distinct|n:1|level:corpus|size:3|")


def test_compute_may_come_between_updates():
    accumulator = accumulated([[["a b", "a c"]]])
    assert told(accumulator.compute()) == told(measure([["a b", "a c"]]))
    accumulator.update([["d"]])
    assert told(accumulator.compute()) == told(measure([["a b", "a c"], ["d"]]))


def test_nothing_to_measure():
    empty = accumulated([[]])
    with pytest.raises(ValueError, match="There are no texts to measure"):
        empty.compute()
    other = accumulated([["a"]])
    other.merge(empty)
    empty.merge(other)
    assert told(empty.compute()) == told(other.compute()) == told(measure(["a"]))


def test_token_ids():
    groups = [[[5, 6, 5], [7]], [[5, 900]], [[]]]
    accumulator = accumulated([groups[:1], groups[1:]])
    assert told(accumulator.compute()) == told(measure(groups))
    corpus = accumulated([groups[:1], groups[1:]], level="corpus")
    assert told(corpus.compute()) == told(measure(groups, level="corpus"))


def test_a_tokenizer_of_ones_own_stays_behind_when_a_part_is_sent():
    letters = Tokenizer("letters", "1", lambda text: list(text))  # which cannot be pickled
    accumulator, other = (accumulated([[["ab", "b"]]], tokenizer=letters, level="corpus") for _ in range(2))
    part = pickle.loads(pickle.dumps(other.detached()))
    with pytest.raises(ValueError, match="This part has lost its tokenizer, letters.1"):
        part.compute()
    accumulator.merge(part)
    assert told(accumulator.compute()) == told(measure([["ab", "b"]] * 2, letters, "corpus"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measures": ["distinct"]}, "There is no measure called 'distinct'. Did you mean 'distinct_n'?"),
        ({"tokenizer": "white"}, "`tokenizer` must be one of"),
    ],
)
def test_wrong_settings_are_refused_at_once(settings, message):
    with pytest.raises(ValueError) as refusal:
        Accumulator(**settings)
    assert message in str(refusal.value)


def test_a_wrong_part_is_refused_and_changes_nothing():
    accumulator = accumulated([[["a b"]]])
    before = told(accumulator.compute())
    with pytest.raises(TypeError, match="in all parts, not both"):
        accumulator.update(["a"])
    with pytest.raises(TypeError, match="texts or lists of token ids"):
        accumulator.update([[[5, 6]]])
    with pytest.raises(TypeError):
        accumulator.update([["a", None]])
    assert told(accumulator.compute()) == before
    with pytest.raises(ValueError, match="`level` must be one of"):
        Accumulator(level="groups").update(["a"])
    with pytest.raises(ValueError, match='`level` must be "corpus" or "group"'):
        Accumulator(level="response").update(["a"])


@pytest.mark.parametrize(
    "settings", [{"measures": ["self_bleu"]}, {"tokenizer": "whitespace"}, {"level": "corpus"}, {"level": "group"}]
)
def test_only_like_accumulators_merge(settings):
    with pytest.raises(ValueError, match="can be merged"):
        accumulated([[["a"]]]).merge(accumulated([[["a"]]], **settings))


def test_what_depends_on_more_than_a_part_is_refused(monkeypatch):
    """A measure whose signature changes from part to part cannot be averaged over parts."""
    numbers = iter((1, 2))

    def scores(corpus, level):
        (score,) = MEASURES["type_token_ratio"](corpus, level)
        return [type(score)(**{**score.__dict__, "signature": score.signature + f"|seen:{next(numbers)}"})]

    monkeypatch.setitem(MEASURES, "odd", type(MEASURES["mtld"])(scores))
    accumulator = accumulated([[["a"]]], measures=["odd"])
    with pytest.raises(ValueError, match="These parts were not measured alike"):
        accumulator.update([["b"]])


def test_without_an_accelerate_run_there_is_one_process():
    pytest.importorskip("accelerate", reason="merging over processes needs the extra `trainer`")
    accumulator = accumulated([[["a b", "a c"]]])
    assert told(merge_across_processes(accumulator).compute()) == told(measure([["a b", "a c"]]))


def test_two_processes_get_the_numbers_of_one(tmp_path):
    pytest.importorskip("accelerate", reason="merging over processes needs the extra `trainer`")
    script, output = tmp_path / "ranks.py", tmp_path / "scores"
    script.write_text(
        "import json, sys\n"
        "from accelerate import PartialState\n"
        "from hfdiv.diversity.accumulator import Accumulator, merge_across_processes\n"
        "rank = PartialState(cpu=True).process_index\n"
        "found = []\n"
        "for level in (None, 'corpus'):\n"
        "    accumulator = Accumulator(level=level)\n"
        "    accumulator.update([['red red green', f'rank {rank}'], ['yes no']][: 2 - rank])\n"
        "    merged = merge_across_processes(accumulator)\n"
        "    found.append({name: score.to_dict() for name, score in merged.compute().items()})\n"
        "with open(f'{sys.argv[1]}-{rank}.json', 'w') as file:\n"
        "    json.dump(found, file)\n"
        "PartialState().wait_for_everyone()\n"  # gloo's threads abort in the process whose peer ended before
        "PartialState().destroy_process_group()\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [*command, str(script), str(output)], capture_output=True, text=True, timeout=300, env=environment, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr[-3000:]
    groups = [["red red green", "rank 0"], ["yes no"], ["red red green", "rank 1"]]
    for rank in (0, 1):
        found = json.loads(Path(f"{output}-{rank}.json").read_text())
        for level, scores in zip((None, "corpus"), found, strict=True):
            expected = {name: score.to_dict() for name, score in measure(groups, level=level).items()}
            assert scores == expected
            assert list(scores) == list(measure(["a"], measures=STANDARD))


def test_nan_where_no_part_has_a_value():
    score = accumulated([[["a"]], [["b"]]], measures=["self_bleu"]).compute()["self_bleu_2"]
    assert math.isnan(score.value)
    assert (score.n_counted, score.n_total) == (0, 2)
