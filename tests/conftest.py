"""Settings and texts that all tests share."""

import pytest
from hypothesis import settings


settings.register_profile("hfdiv", deadline=None)  # a busy machine is no failure
settings.load_profile("hfdiv")


@pytest.fixture
def english():
    return [
        "Good morning! How can I help you with your order today?",
        "Good morning! What can I do for you today?",
        "I'm sorry, but the parcel weighs 3.5 kg and costs 1,000 dollars to send.",
        "Yes.",
    ]


@pytest.fixture
def chinese():
    return ["您好，请问有什么可以帮您？", "您好，我可以帮您查询订单。", "抱歉，这件商品重3.5公斤。", "好的好的好的。"]


@pytest.fixture
def emoji():
    return ["👍🏽 thanks! 👨‍👩‍👧", "👍🏽👍🏽👍🏿 🇨🇳🇫🇷", "❤️‍🔥 done ✅ done ✅", "🏳️‍🌈"]


@pytest.fixture
def empty():
    return ["", " \t\n", "\u200b"]


@pytest.fixture
def any_texts(english, chinese, emoji, empty):
    """All of the above: what a real file of replies may hold."""
    return english + chinese + emoji + empty
