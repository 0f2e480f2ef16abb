"""Write the log of an A/B test: a shop's agent whose replies end alike, against one whose replies are varied.

    python examples/simulate_ab_log.py log.jsonl --users 3000

The replies are put together from the demo's texts. The users are simulated: each has a patience of their own, comes
back some days, and is more likely to leave when a reply ends as one did that they saw before. So the arms differ in
nothing but their replies, and what follows from them. A few rows are sent twice, and a few users are in both arms, as
in real services. Needs `pip install "hfdiv[demo,ab]"`.
"""

import argparse
import math
import random
from datetime import datetime, timedelta, timezone

from hfdiv.ab import assign, log_conversation
from hfdiv.demo.texts import load_scenario


EXPERIMENT = "endings"
ARMS = {"control": 1.0, "varied": 1.0}
START = datetime(2025, 3, 3, tzinfo=timezone.utc)
DAYS = 28
STALE_ENDING = "Is there anything else we can help with today?"
FOLLOW_UPS = ["How long will that take?", "And what if that does not work?", "Do I have to do anything?"]

scenario = load_scenario()


def reply(arm: str, category: str, rng: random.Random) -> str:
    """A reply of the agent: composed anew, and in the control mostly with the one ending."""
    text = scenario.compose(category, rng)
    if arm == "control" and rng.random() < 0.8:
        closer = next(closer for closer in scenario.closers if text.endswith(closer))
        return text.removesuffix(closer) + STALE_ENDING
    return text


def ending(text: str) -> str:
    """The last sentence."""
    return text.replace("! ", ". ").replace("? ", ". ").rsplit(". ", 1)[-1]


class User:
    """One user: patience, pace, and the endings that they have seen."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.id = f"user-{number}"
        self.arm = assign(self.id, EXPERIMENT, list(ARMS), list(ARMS.values()), holdout=0.05)
        self.patience = rng.gauss(2.2, 0.8)
        self.pace = rng.lognormvariate(math.log(25), 0.5)
        self.seen: set[str] = set()
        self.rng = rng

    def leaves(self, text: str) -> bool:
        """Whether the user leaves after a reply: rather when it ends as one before."""
        stale = ending(text) in self.seen
        self.seen.add(ending(text))
        return self.rng.random() < 1 / (1 + math.exp(self.patience - 1.0 * stale))

    def talk(self, agent: str) -> tuple[list[dict], dict]:
        """One conversation: its messages with feedback, seconds spent, whether the user left, and clicked a link."""
        message = self.rng.choice(scenario.train)
        questions = [message.text, *self.rng.sample(FOLLOW_UPS, self.rng.choice([0, 1, 1, 2]))]
        messages, seconds, left = [], 0.0, False
        for question in questions:
            text = reply(agent, message.category, self.rng)
            stay = round(self.rng.lognormvariate(math.log(self.pace), 0.8), 1)
            left = self.leaves(text)
            stars = max(1, min(5, round(self.rng.gauss(2.0 if left else 4.0, 0.8))))
            rated = {"rating": stars} if left or self.rng.random() < 0.4 else {}
            messages += [
                {"role": "user", "content": question},
                {"role": "assistant", "content": text, "dwell_time": stay, **rated},
            ]
            seconds += stay
            if left:
                break
        click = not left and self.rng.random() < 0.08
        return messages, {"dwell_time": round(seconds, 1), "abandoned": left, "click": click}


def main() -> None:
    """Simulate, and append to the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", help="file to append to")
    parser.add_argument("--users", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    visits = []
    for number in range(options.users):
        user = User(number, random.Random(f"{options.seed}/{number}"))
        day = rng.uniform(0, DAYS)
        for _ in range(1 + min(rng.choices([0, 1, 2, 5], weights=[60, 20, 12, 8])[0], DAYS)):
            if day < DAYS:
                visits.append((day, user))
            day += rng.expovariate(1 / 4)
    visits.sort(key=lambda visit: visit[0])
    for number, (day, user) in enumerate(visits):
        agent = user.arm or "control"  # who takes no part is served as before, and logged
        # A user who signs in on a second machine may be assigned anew by a service that hashes cookies.
        arm = "varied" if user.arm == "control" and rng.random() < 0.003 else user.arm
        messages, feedback = user.talk(agent)
        for _ in range(2 if rng.random() < 0.003 else 1):  # a service that sends again what was received
            log_conversation(
                options.log,
                experiment=EXPERIMENT,
                arm=arm,
                unit_id=user.id,
                conversation_id=f"c{number}",
                time=(START + timedelta(days=day)).isoformat(timespec="seconds"),
                messages=messages,
                **feedback,
            )
    print(f"{len(visits)} conversations of {options.users} users lie in {options.log}.")


if __name__ == "__main__":
    main()
