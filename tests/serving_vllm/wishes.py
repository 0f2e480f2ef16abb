"""What the requests of these tests ask for, by name: each of the processor's parameters at work."""

PROMPTS = ("List three fruits: apple, apple, apple,", "The sea is a place of wonder. The sea is", "海是一个地方。海是")
HISTORY = ["a place where the unknown becomes a part of the familiar.", "a place of endless wonder and mystery."]

WISHES = {
    "dry": {"dry_multiplier": 2.0, "dry_allowed_length": 1},
    "lz": {"lz_strength": 0.5},
    "window": {"repetition_penalty": 1.5, "repetition_window": 16},
    "history": {"history_multiplier": 5.0, "history_allowed_length": 1, "history": HISTORY},
    "endings": {"history_multiplier": 5.0, "history_scope": "ending", "history": HISTORY},
    "all": {
        "dry_multiplier": 0.8,
        "lz_strength": 0.2,
        "repetition_penalty": 1.1,
        "history_multiplier": 1.0,
        "history": HISTORY,
    },
}
DRAWN = {"top_n_sigma": {"top_n_sigma": 0.5}, "xtc": {"xtc_probability": 1.0, "xtc_threshold": 0.1}}
"""Those that have a say in sampling only."""
