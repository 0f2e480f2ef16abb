"""The demo's texts: customers' messages, and the openers, bodies and closers that good replies are made of."""

from __future__ import annotations

import random
from dataclasses import dataclass
from importlib.resources import files

from hfdiv._extras import require


@dataclass(frozen=True)
class Message:
    """What one customer wrote.

    Attributes:
        category (`str`): What it is about.
        text (`str`): The message.
    """

    category: str
    text: str

    @property
    def prompt(self) -> str:
        """The message as the model is asked to answer it, in plain text."""
        return f"Customer: {self.text}\nAgent:"


@dataclass(frozen=True)
class Scenario:
    """Messages to train on, messages held out, and the parts of good replies.

    Attributes:
        template (`str`): The one reply of the monotone agent.
        openers, closers (`list[str]`): First and last sentences that fit any reply.
        bodies (`dict[str, list[str]]`): Middle sentences by category.
        train, heldout (`list[Message]`): The customers' messages.
    """

    template: str
    openers: list[str]
    closers: list[str]
    bodies: dict[str, list[str]]
    train: list[Message]
    heldout: list[Message]

    def compose(self, category: str, rng: random.Random) -> str:
        """Return a good reply to a message of that category, drawn at random."""
        parts = (self.openers, self.bodies[category], self.closers)
        return " ".join(rng.choice(part) for part in parts)


def load_scenario() -> Scenario:
    """Load the customer-service scenario that ships with the package.

    Raises:
        ImportError: If `pyyaml` is not installed.

    Example:
        >>> scenario = load_scenario()
        >>> len(scenario.train), len(scenario.heldout)
        (100, 20)
    """
    yaml = require("yaml", "demo")
    raw = yaml.safe_load(files("hfdiv.demo").joinpath("customer_service.yaml").read_text(encoding="utf-8"))
    categories = raw["categories"]
    return Scenario(
        template=raw["template"],
        openers=raw["openers"],
        closers=raw["closers"],
        bodies={name: category["bodies"] for name, category in categories.items()},
        train=[Message(name, text) for name, category in categories.items() for text in category["train"]],
        heldout=[Message(name, category["heldout"][turn]) for turn in (0, 1) for name, category in categories.items()],
    )
