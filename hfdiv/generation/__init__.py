"""Which token next? Sampling replies from a model."""

from hfdiv.generation.sampling import Sampled, sample


__all__ = ["Sampled", "sample"]
