"""One score per response, in the form of TRL's reward functions."""

from hfdiv.rewards.quality import Fluency, Relevance


__all__ = ["Fluency", "Relevance"]
