"""What `hfdiv data import` and `hfdiv data pairs --sft` make of a log of chats, in the tiny model's words."""

import json

from hfdiv.data.conversations import import_logs
from hfdiv.data.pairs import DivPO, Judge, build_pairs


RATED = (
    ("yes please thanks", 5),
    ("no one two three", 4),
    ("yes please thanks soon", 2),
    ("we order late now", 1),
)


def chat_pairs(folder):
    log = folder / "chats.jsonl"
    rows = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": reply, "rating": rating}]
        for question in ("order red late", "refund now")
        for reply, rating in RATED
    ]
    log.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    import_logs([log], folder / "log")
    judge = Judge(quality="rating", min_quality=4)
    build_pairs(folder / "log" / "rows.jsonl", folder / "pairs", DivPO(good=4, max_pairs=2), judge, sft=2)
    return folder / "pairs"
