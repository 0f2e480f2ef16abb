"""Files of replies that the tests of the report compare."""

import random

from hfdiv.data import Records


WORDS = "amber birch cedar dune ember fern grove heath iris jade kelp lime moss nettle oak pine".split()


def varied(n_prompts=10, n_replies=4, seed=0, **columns):
    """Replies of random words, longer for some prompts than for others; `columns` holds a chance each."""
    rng = random.Random(seed)
    groups = [
        [" ".join(rng.choices(WORDS, k=5 + number % 4)) for _ in range(n_replies)] for number in range(n_prompts)
    ]
    return Records(
        [f"question {number}" for number in range(n_prompts)],
        groups,
        {
            name: [[float(rng.random() < chance) for _ in group] for group in groups]
            for name, chance in columns.items()
        },
    )


def monotone(records):
    """The same file with each group's first reply in place of all of them."""
    return Records(records.prompts, [group[:1] * len(group) for group in records.groups], records.columns)
