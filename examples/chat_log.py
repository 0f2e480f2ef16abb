"""Write the log of a shop's chat: each question is asked four times, and most replies end as all others do.

    python examples/chat_log.py chats.jsonl

The texts are composed of the demo's, and the ratings are drawn: customers here like a reply better that is about their
question and does not end in the same sentence again. Needs `pip install "hfdiv[demo]"`.
"""

import json
import random
import sys

from hfdiv.demo.texts import load_scenario


STALE_ENDING = "Is there anything else we can help with today?"
FOLLOW_UPS = ["How long will that take?", "And what if that does not work?", "Do I have to do anything?"]

scenario = load_scenario()
rng = random.Random(0)


def reply(category: str) -> tuple[str, int]:
    """A reply of the agent, and the stars that the customer gives: 1 to 5."""
    if rng.random() < 0.3:
        return scenario.template, rng.choice([1, 2])
    text = scenario.compose(category, rng)
    if rng.random() < 0.5:
        closer = next(closer for closer in scenario.closers if text.endswith(closer))
        return text.removesuffix(closer) + STALE_ENDING, rng.choice([2, 3, 4])
    return text, rng.choice([3, 4, 5])


with open(sys.argv[1], "w", encoding="utf-8") as file:
    for message in scenario.train * 4:
        messages = []
        for question in [message.text, *rng.sample(FOLLOW_UPS, rng.choice([0, 1]))]:
            answer, stars = reply(message.category)
            messages += [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer, "rating": stars},
            ]
        file.write(json.dumps({"messages": messages, "abandoned": stars < 3}) + "\n")
print(f"{len(scenario.train) * 4} conversations lie in {sys.argv[1]}.")
