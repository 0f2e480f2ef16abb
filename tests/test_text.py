import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hfdiv.text import MIXED, TOKENIZERS, WHITESPACE, Tokenizer, get_tokenizer, is_chat, prompt_text, response_text


FAMILY, THUMB, FLAG, ENGLAND = "👨‍👩‍👧", "👍🏽", "🇨🇳", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Hello, world", ["Hello", ",", "world"]),
        ("don't", ["don", "'", "t"]),
        ("snake_case", ["snake", "_", "case"]),
        ("naïve caf\u0065\u0301", ["naïve", "caf\u0065\u0301"]),
        ("你好，世界！", ["你", "好", "，", "世", "界", "！"]),
        ("用GPU训练3次", ["用", "GPU", "训", "练", "3", "次"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("人々", ["人", "々"]),
        ("ラーメンです", ["ラ", "ー", "メ", "ン", "で", "す"]),
        ("すごーーい、コーヒーOK", ["す", "ご", "ー", "ー", "い", "、", "コ", "ー", "ヒ", "ー", "OK"]),
        ("か\u3099き", ["か\u3099", "き"]),
        ("안녕하세요 세계", ["안녕하세요", "세계"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("ශ්\u200dරී ලංකා", ["ශ්\u200dරී", "ලංකා"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("مرحبا، كيف", ["مرحبا", "،", "كيف"]),
        ("It costs 3.5 €", ["It", "costs", "3.5", "€"]),
        ("1,000 or 1,000.50", ["1,000", "or", "1,000.50"]),
        ("3. 5, 7", ["3", ".", "5", ",", "7"]),
        ("3.x a.b", ["3", ".", "x", "a", ".", "b"]),
        ("३.५", ["३.५"]),
        ("...?!", [".", ".", ".", "?", "!"]),
        ("a—b", ["a", "—", "b"]),
        (FAMILY + THUMB + FLAG + ENGLAND, [FAMILY, THUMB, FLAG, ENGLAND]),
        (FLAG + "🇫🇷🇩🇪", [FLAG, "🇫🇷", "🇩🇪"]),
        ("❤️‍🔥ok✅", ["❤️‍🔥", "ok", "✅"]),
        ("", []),
        (" \t\r\n\u00a0\u2028\u3000", []),
        ("\u200b", []),
        ("a\u200bb", ["a", "b"]),
        ("\ufeffHi", ["Hi"]),
        ("a\x00b\x07\x1b[0m", ["a", "b", "[", "0m"]),
        ("cut \ud83d", ["cut", "\ud83d"]),
    ],
)
def test_mixed_tokens(text, tokens):
    assert MIXED.split(text) == tokens


def assert_partition(text, tokens):
    """The tokens stand in the text in order, and between them is nothing that can be seen."""
    at = 0
    for token in tokens:
        start = text.index(token, at)
        assert regex.fullmatch(r"[\s\p{Cc}\p{Cf}]*", text[at:start]), (text, tokens)
        assert not regex.search(r"[\s\p{Cc}]", token), token
        at = start + len(token)
    assert regex.fullmatch(r"[\s\p{Cc}\p{Cf}]*", text[at:]), (text, tokens)


@given(st.text())
def test_every_visible_character_is_in_exactly_one_token(text):
    assert_partition(text, MIXED.split(text))


@given(st.text(alphabet="ab3.,-' \n\u200b\u200c\u200d\ufe0f\u0301\u0903好か\u3099ー👨👩🏽🇨🇳\ud83d\u0600\xad\x00"))
def test_every_visible_character_is_in_exactly_one_token_also_of_clusters(text):
    assert_partition(text, MIXED.split(text))


@given(st.text(), st.text())
def test_tokens_do_not_depend_on_what_stands_beyond_a_space(left, right):
    assert MIXED.split(f"{left} {right}") == MIXED.split(left) + MIXED.split(right)


def test_case_is_kept():
    assert MIXED.split("Yes yes YES") == ["Yes", "yes", "YES"]


def test_whitespace_keeps_punctuation_in_the_word():
    assert WHITESPACE.split(" It costs 3.5 €, 好的! ") == ["It", "costs", "3.5", "€,", "好的!"]


def test_get_tokenizer():
    own = Tokenizer("own", "7", list)
    assert get_tokenizer(own) is own
    assert own.signature == "own.7"
    assert [get_tokenizer(name).name for name in TOKENIZERS] == list(TOKENIZERS) == ["mixed", "whitespace"]


@pytest.mark.parametrize("unknown", ["Mixed", "", None, 13])
def test_an_unknown_tokenizer_is_told_the_choices(unknown):
    with pytest.raises(ValueError, match=r"must be one of \['mixed', 'whitespace'\] .*got " + repr(unknown)):
        get_tokenizer(unknown)


def assistant(content):
    return {"role": "assistant", "content": content}


@pytest.mark.parametrize(
    ("response", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ([assistant("Hello")], "Hello"),
        (({"role": "assistant", "content": "a tuple"},), "a tuple"),
        ([{"role": "user", "content": "Hi"}, assistant("Hello"), assistant("Bye")], "Hello\nBye"),
        ([assistant([{"type": "text", "text": "two "}, {"type": "text", "text": "blocks"}])], "two blocks"),
        # Parquet gives every block all the fields that any has
        ([assistant([{"type": "image", "text": None}, {"type": "image"}, {"type": "text", "text": "seen"}])], "seen"),
        (
            [
                {"role": "assistant", "content": None, "tool_calls": [{"name": "look_up"}]},
                {"role": "tool", "content": "42"},
                assistant("It is 42."),
            ],
            "\nIt is 42.",
        ),
        ([assistant([])], ""),
    ],
)
def test_response_text(response, text):
    assert response_text(response) == text


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (None, "got NoneType: None"),
        (3, "got int: 3"),
        (float("nan"), "got float: nan"),
        ([], r"got list: \[\]"),
        (["a", "b"], "got list"),
        ({"role": "assistant", "content": "a"}, "got dict"),
        ([{"content": "no role"}], "got list"),
        ([{"role": "user", "content": "Hi"}], r"must hold an assistant message, got roles \['user'\]"),
        ([assistant(5)], "must be a string or a list of blocks, got 5"),
        ([assistant(["a bare string"])], "must be a string or a list of blocks"),
        ([assistant(b"bytes")], "must be a string or a list of blocks"),
    ],
)
def test_what_is_no_response_is_refused(response, message):
    with pytest.raises(TypeError, match=message):
        response_text(response)


def test_a_long_wrong_value_is_cut_in_the_message():
    with pytest.raises(TypeError) as caught:
        response_text(["x" * 10_000])
    assert len(str(caught.value)) < 200


def test_prompt_text():
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"text": "Hi"}]}]
    assert prompt_text("Hi") == "Hi"
    assert prompt_text(messages) == "system: Be brief.\nuser: Hi"
    with pytest.raises(TypeError, match="A prompt must be a string or a list of chat messages, got int: 5"):
        prompt_text(5)


@pytest.mark.parametrize(
    ("value", "chat"),
    [
        ([{"role": "user", "content": "Hi"}], True),
        ([{"role": "assistant", "content": None, "tool_calls": []}], True),
        ([], False),
        ("role content", False),
        (["role", "content"], False),
        ([{"role": "user", "content": "Hi"}, "Hi"], False),
        ([{"role": "user"}], False),
        ({"role": "user", "content": "Hi"}, False),
    ],
)
def test_is_chat(value, chat):
    assert is_chat(value) is chat
