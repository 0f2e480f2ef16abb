"""What `hfdiv generate` is to write, whatever writes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hfdiv.cli.choice import Choice
from hfdiv.data.prompts import Prompts
from hfdiv.generation.config import DecodingConfig


@dataclass(frozen=True)
class Task:
    """What is to be written.

    Attributes:
        given: The prompts.
        config: How replies are decoded.
        best_of: Replies to write to each prompt, of which `choice` keeps some; None to keep all.
        choice: Chooses them.
        raw: Whether prompts that are text are continued as they are.
    """

    given: Prompts
    config: DecodingConfig
    best_of: int | None
    choice: Choice | None
    raw: bool

    def decoding(self) -> dict[str, Any]:
        """Return how replies are decoded and chosen, as JSON values."""
        chosen = {"selection": None} if self.choice is None else self.choice.settings()
        return {"decoding": asdict(self.config), "best_of": self.best_of, **chosen}

    def prompts(self) -> dict[str, Any]:
        """Return what is replied to, as JSON values: the number of prompts and a hash of them."""
        return {
            "raw": self.raw,
            "n_prompts": len(self.given.prompts),
            "prompts_sha256": self.given.fingerprint,
        }
