"""A reward of your own. A recipe names it by its file: `examples/rewards.py:polite`."""


def polite(response: str, history: list[str]) -> float:
    """1 for a reply with a polite word that the conversation's earlier replies lack, else 0. Higher = better."""
    words = ("please", "sorry", "thank", "请", "抱歉", "谢谢")
    said = " ".join(history).lower()
    return float(any(word in response.lower() and word not in said for word in words))
