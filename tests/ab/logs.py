"""Logs of experiments that the tests analyze."""

import json
import random
from itertools import product


PAIRS = list(product("Bye Goodbye Farewell Cheers".split(), "now then friend today tomorrow everyone".split()))


def row(unit="u1", arm="control", conversation="c1", **columns):
    """One row of a log, with what every row has."""
    return {
        "experiment": "endings",
        "arm": arm,
        "unit_id": unit,
        "conversation_id": conversation,
        "time": "2025-03-01T09:00:00Z",
        **columns,
    }


def talk(*texts):
    """Messages of user and assistant in turn."""
    return [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]


def write_log(path, rows):
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path


def experiment_rows(n_units=200, arms=("control", "varied"), abandoned=(0.4, 0.4), seed=0, **more):
    """Rows of an experiment: one or two conversations a unit, arms in turn, and given rates of abandonment."""
    rng = random.Random(seed)
    for unit in range(n_units):
        place = unit % len(arms)
        for number in range(1 + unit % 3 // 2):
            endings = ["Anything else?"] * 2 if place == 0 else [f"{a} {b}." for a, b in rng.sample(PAIRS, 2)]
            yield row(
                f"u{unit}",
                arms[place],
                f"c{number}",
                time=f"2025-03-{1 + unit * 27 // n_units:02d}T{number:02d}:00:00Z",
                messages=talk(
                    f"Question {unit // len(arms) % 10}?",
                    f"Answer {rng.randrange(9)}. {endings[0]}",
                    "And?",
                    endings[1],
                ),
                abandoned=rng.random() < abandoned[place],
                dwell_time=round(rng.lognormvariate(4, 1), 2),
                click=rng.random() < 0.1,
                **more,
            )
