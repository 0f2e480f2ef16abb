import collections
import copy

import pytest

from hfdiv.generation.verbalized import VerbalizedFormatError, VerbalizedSampling, parse_verbalized


QUOTED = 'She said "stay" & left.'


@pytest.mark.parametrize(
    ("answer", "texts", "probabilities"),
    [
        # tags, as asked for
        (
            "<response><text>A fox.</text><probability>0.3</probability></response>\n"
            "<response><text>An owl.</text><probability>0.1</probability></response>",
            ["A fox.", "An owl."],
            [0.75, 0.25],
        ),
        # tags with words around, in capitals, percentages, line breaks, a text with a list inside
        (
            "Sure!\n<Response>\n<TEXT>1. Mix\n2. Bake</TEXT>\n<Probability> 30 % </Probability>\n</Response>\n"
            "<response>\n<text>Order in.</text>\n<probability>about 10%</probability>\n</response>\nEnjoy!",
            ["1. Mix\n2. Bake", "Order in."],
            [0.75, 0.25],
        ),
        # closing tags left out, attributes instead of tags, no tag around the text
        ("<response><text>Yes.<probability>0.5<response>No.<probability>.5", ["Yes.", "No."], [0.5, 0.5]),
        ('<response probability="0.9">Tea</response><response p=0.3>Milk</response>', ["Tea", "Milk"], [0.75, 0.25]),
        # JSON in its usual shapes
        (
            '```json\n{"responses": [{"text": "She said \\"stay\\" & left.", "probability": 0.2}, '
            '{"text": "雨", "probability": "20%"}]}\n```',
            [QUOTED, "雨"],
            [0.5, 0.5],
        ),
        ('Here: [{"Response": "a", "Prob": 1e-1}, {"response": "b", "p": 3e-1}]', ["a", "b"], [0.25, 0.75]),
        ('{"red": 0.6, "blue": 0.2}', ["red", "blue"], [0.75, 0.25]),
        ('[{"回复": "您好", "概率": 0.6}, {"回复": "嗨", "概率": 0.2}]', ["您好", "嗨"], [0.75, 0.25]),
        # one object a line
        ('{"text": "a", "probability": 3}\n{"text": "b", "probability": 1}', ["a", "b"], [0.75, 0.25]),
        # numbered lists
        ("Of course:\n\n1. A fox. (0.6)\n2. An owl. (20%)", ["A fox.", "An owl."], [0.75, 0.25]),
        ("1) A fox. (Probability: 0.6)\n2) An owl. — Probability: 0.2", ["A fox.", "An owl."], [0.75, 0.25]),
        (
            "1. **A fox.**\n   Probability: 0.6\n2. **An owl.**\n   - *Probability:* 0.2",
            ["A fox.", "An owl."],
            [0.75, 0.25],
        ),
        ('1. "A fox." - 60%\n2. "An owl." - 20%', ["A fox.", "An owl."], [0.75, 0.25]),
        ("1. (0.6) A fox.\n2. [p = 0.2] An owl.", ["A fox.", "An owl."], [0.75, 0.25]),
        ("- Response 1: Fox (Probability: 0.6)\n- Response 2: Owl (Probability: 0.2)", ["Fox", "Owl"], [0.75, 0.25]),
        ("回复1：您好！（概率：0.6）\n回复2：嗨～（概率：20%）", ["您好！", "嗨～"], [0.75, 0.25]),
        ("1、苹果 概率：0.6\n2、“梨” 概率：0.2", ["苹果", "梨"], [0.75, 0.25]),
        ("- Apple (60%)\n- Quince 🍐 (20%)", ["Apple", "Quince 🍐"], [0.75, 0.25]),
        ('<response id="1">Tea</response><response id="2">Milk</response>', ["Tea", "Milk"], None),
        # words that look like one
        (
            "1. Go up 5\n2. It takes confidence\n3. She had no confidence today",
            ["Go up 5", "It takes confidence", "She had no confidence today"],
            None,
        ),
        # a year, a range and a price are no probabilities
        (
            "1. Brazil (1970)\n2. Open 9 - 10\n3. It costs 3.50",
            ["Brazil (1970)", "Open 9 - 10", "It costs 3.50"],
            None,
        ),
    ],
)
def test_reads(answer, texts, probabilities):
    replies = parse_verbalized(answer)
    assert replies.texts == texts
    assert replies.verbalized == (probabilities is not None)
    assert replies.probabilities == pytest.approx(probabilities or [1 / len(texts)] * len(texts))
    assert replies.problems == []
    assert replies.raw == answer


@pytest.mark.parametrize(
    ("answer", "texts", "problem"),
    [
        # stopped at the token limit
        (
            "<response><text>A fox.</text><probability>0.3</probability></response><response><text>An o",
            ["A fox."],
            "the answer stops within a reply",
        ),
        (
            '{"responses": [{"text": "A fox.", "probability": 0.3}, {"text": "An ow',
            ["A fox."],
            "the answer stops within",
        ),
        # a comma too many, a quote too few
        ('[{"text": "a", "probability": 0.3},, {"text": "b", "probability": 0.1},]', ["a", "b"], None),
        ('[{"text": "a", "probability": 0.3}, {"text": "b, "probability": 0.1}]', ["a"], None),
        # probabilities that are none
        (
            "1. a (Probability: high)\n2. b (Probability: 0.3)",
            ["a (Probability: high)", "b"],
            "1 of 2 replies have no probability: none is used",
        ),
        ("1. a (Probability: -0.3)\n2. b (Probability: 0.3)", ["a", "b"], "'-0.3' is no probability"),
        (
            '[{"text": "a", "probability": -0.3}, {"text": "b", "probability": 0.1}]',
            ["a", "b"],
            "'-0.3' is no probability",
        ),
        ('[{"text": "a", "probability": Infinity}]', ["a"], "'inf' is no probability"),
        ("1. a (0.3)\n2. b", ["a", "b"], "1 of 2 replies have no probability: none is used"),
        ("1. a (0.0)\n2. b (0%)", ["a", "b"], "all probabilities are 0: none is used"),
    ],
)
def test_saves_what_can_be_read_and_says_what_was_wrong(answer, texts, problem):
    replies = parse_verbalized(answer)
    assert replies.texts == texts
    assert replies.raw == answer
    if problem:
        assert any(problem in each for each in replies.problems), replies.problems
        assert set(replies.probabilities) == {1 / len(texts)} or replies.verbalized


def test_a_number_of_replies_that_was_not_asked_for_is_a_problem():
    answer = "1. a (0.5)\n2. b (0.5)"
    assert VerbalizedSampling(n=2).parse(answer).problems == []
    assert VerbalizedSampling(n=5).parse(answer).problems == ["2 replies where 5 were asked for"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   \n",
        "I cannot help with that.",
        "<response></response>",
        "{}",
        "[]",
        "[0.3, 0.7]",
        "[[[[",
        "[" * 100_000,
    ],
)
def test_an_answer_without_replies_is_an_error_that_keeps_it(answer):
    with pytest.raises(VerbalizedFormatError, match="No reply could be read from the answer") as caught:
        parse_verbalized(answer)
    assert caught.value.raw == answer


def test_the_error_says_that_the_answer_was_cut_off():
    with pytest.raises(VerbalizedFormatError, match="the answer stops within a reply"):
        parse_verbalized("<response><text>Once upon a ti")


def test_prompt_of_a_string():
    prompt = VerbalizedSampling(n=3).prompt("Name a {fruit}.")
    assert prompt.endswith("\n\nName a {fruit}.")
    assert "3 different responses" in prompt
    assert "below" not in prompt.splitlines()[0].replace("below. Put", "")
    assert "each probability is below 0.1." in VerbalizedSampling(below=0.1).prompt("Name a fruit.")


def test_prompt_of_messages_is_before_the_users_last():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Name a fruit.", "name": "ann"},
    ]
    before = copy.deepcopy(messages)
    ask = VerbalizedSampling()
    asked = ask.prompt(messages)
    assert messages == before
    assert asked[:3] == messages[:3]
    assert asked[3] == {"role": "user", "content": ask.prompt("Name a fruit."), "name": "ann"}


def test_the_example_in_the_prompt_is_of_a_form_that_is_read():
    (line,) = [line for line in VerbalizedSampling().prompt("Hi").splitlines() if line.startswith("<response>")]
    assert parse_verbalized(line.replace("...", "Hello.")).texts == ["Hello."]


def test_draws_by_the_probabilities():
    replies = parse_verbalized("1. a (0.6)\n2. b (0.2)\n3. c (0.0)")
    drawn = collections.Counter(replies.draw(4000, seed=1))
    assert drawn["a"] / 4000 == pytest.approx(0.75, abs=0.03)
    assert drawn["b"] / 4000 == pytest.approx(0.25, abs=0.03)
    assert "c" not in drawn


def test_draws_evenly_without_probabilities():
    drawn = collections.Counter(parse_verbalized("1. a\n2. b").draw(4000))
    assert drawn["a"] / 4000 == pytest.approx(0.5, abs=0.03)


def test_the_seed_decides():
    replies = parse_verbalized("1. a (0.6)\n2. b (0.2)")
    assert replies.draw(20, seed=3) == replies.draw(20, seed=3)
    assert replies.draw(20, seed=3) != replies.draw(20, seed=4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: VerbalizedSampling(n=0), ValueError, "`n` must be at least 1, got 0"),
        (lambda: VerbalizedSampling(below=0.0), ValueError, "`below` must be above 0 and at most 1, got 0.0"),
        (lambda: VerbalizedSampling(below=1.5), ValueError, "`below` must be above 0 and at most 1, got 1.5"),
        (lambda: VerbalizedSampling().prompt([]), ValueError, "hold none of the user's"),
        (
            lambda: VerbalizedSampling().prompt([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]),
            TypeError,
            "must be plain text, got list",
        ),
        (lambda: parse_verbalized("1. a").draw(0), ValueError, "`n` must be at least 1, got 0"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
