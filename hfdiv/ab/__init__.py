"""Honest A/B tests: who gets which arm, what came of it, and whether that is enough to decide."""

from hfdiv.ab.analysis import Analysis, analyze
from hfdiv.ab.assignment import assign
from hfdiv.ab.log import log_conversation
from hfdiv.ab.metrics import Metric, choose_metrics
from hfdiv.ab.settings import Settings


__all__ = ["Analysis", "Metric", "Settings", "analyze", "assign", "choose_metrics", "log_conversation"]
