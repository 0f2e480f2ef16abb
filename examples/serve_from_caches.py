"""Answer simulated customers from two caches of replies, one an arm of an A/B test, and log what they do.

    python examples/serve_from_caches.py log.jsonl control=control.db varied=varied.db --users 600

The replies are a model's own, as `hfdiv cache warm` stored them; the customers are not real. Each asks one to four
questions, is more likely to leave when a reply ends as one did that they had before, and gives fewer stars then. See
docs/loop.md. Needs `pip install "hfdiv[demo,ab]"`.
"""

import argparse
import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hfdiv import ResponseCache
from hfdiv.ab import assign, log_conversation
from hfdiv.text import sentences


EXPERIMENT = "loop"
START = datetime(2026, 3, 2, tzinfo=timezone.utc)
QUESTIONS = Path(__file__).parent / "data" / "questions.jsonl"


def conversation(cache: ResponseCache, user: str, questions: list, rng: random.Random) -> tuple[list[dict], bool]:
    """What is said until the questions or the answers are at an end, or the customer leaves; and whether they left."""
    messages: list[dict] = []
    endings: set[str] = set()
    for prompt in rng.sample(questions, rng.randint(1, 4)):
        answer = cache.get(prompt, user, early=True)
        if answer is None:
            break
        ending = sentences(answer.text)[-1]
        stale = ending in endings
        endings.add(ending)
        left = rng.random() < (0.5 if stale else 0.15)
        stars = max(1, min(5, round(rng.gauss(1.5 if stale else 4.2, 0.7))))
        messages += [prompt[-1], {"role": "assistant", "content": answer.text, "rating": stars}]
        if left:
            return messages, True
    return messages, False


def main() -> None:
    """Serve, and append to the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", help="file to append to")
    parser.add_argument("arms", nargs=2, metavar="ARM=CACHE", help="the control first")
    parser.add_argument("--users", type=int, default=600)
    options = parser.parse_args()
    caches = {arm: ResponseCache(path, arm) for arm, path in (pair.split("=", 1) for pair in options.arms)}
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["prompt"] for line in lines]
    for number in range(options.users):
        user, rng = f"user-{number}", random.Random(number)
        arm = assign(user, EXPERIMENT, list(caches))
        messages, left = conversation(caches[arm], user, questions, rng)
        if messages:
            log_conversation(
                options.log,
                experiment=EXPERIMENT,
                arm=arm,
                unit_id=user,
                conversation_id=f"c{number}",
                time=(START + timedelta(minutes=30 * number)).isoformat(timespec="seconds"),
                messages=messages,
                abandoned=left,
            )
    for arm, cache in caches.items():
        print(f"{arm}: {cache.stats().exact_hits} answers from the cache")
        cache.close()


if __name__ == "__main__":
    main()
