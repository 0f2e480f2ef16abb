import pytest

from hfdiv.rewards import earlier_replies


def said(role, content):
    return {"role": role, "content": content}


CHAT = [said("system", "Be kind."), said("user", "Hi"), said("assistant", "你好！"), said("user", "Bye")]


def test_a_chat_prompt_holds_the_earlier_replies_in_order():
    longer = [*CHAT, said("assistant", [{"type": "text", "text": "Bye 👋"}]), said("user", "?")]
    assert earlier_replies([CHAT, longer, "plain text"]) == [["你好！"], ["你好！", "Bye 👋"], []]


def test_the_start_of_the_reply_itself_is_no_earlier_reply():
    assert earlier_replies([[*CHAT, said("assistant", "Well,")]]) == [["你好！"]]


def test_empty_replies_and_tool_calls_are_left_out():
    chat = [said("assistant", None), said("assistant", " \n"), said("assistant", "Yes."), said("user", "?")]
    assert earlier_replies([chat]) == [["Yes."]]
    assert earlier_replies(["?"], [["", "Yes."]]) == [["Yes."]]


def test_the_column_comes_before_the_prompt():
    assert earlier_replies([CHAT] * 4, [["One."], CHAT, None, []]) == [["One."], ["你好！"], [], []]


@pytest.mark.parametrize("row", ["one string", 7, [1, 2], [["nested"]], {"role": "assistant"}])
def test_a_history_of_another_kind_is_refused(row):
    with pytest.raises(TypeError, match="history of a row must be a list of earlier replies, chat messages or None"):
        earlier_replies(["?"], [row])


def test_a_prompt_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="A prompt must be a string or a list of chat messages, got 7"):
        earlier_replies([7])
