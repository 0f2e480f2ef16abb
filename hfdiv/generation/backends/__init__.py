"""Replies from other engines: OpenAI-compatible servers, several at once, and vLLM in this process.

Servers need the extra `openai`, and neither torch nor transformers.
"""

from hfdiv.generation.backends.ask import Answer, Failure, Limits, Wanted, ask
from hfdiv.generation.backends.choices import Choices
from hfdiv.generation.backends.engines import ENGINES
from hfdiv.generation.backends.failures import BackendError, SourceError
from hfdiv.generation.backends.offline import replies_of_vllm
from hfdiv.generation.backends.request import Asked, check_prompt
from hfdiv.generation.backends.source import Source
from hfdiv.generation.backends.sources_file import even_shares, named_apart, read_sources


__all__ = [
    "ENGINES",
    "Answer",
    "Asked",
    "BackendError",
    "Choices",
    "Failure",
    "Limits",
    "Source",
    "SourceError",
    "Wanted",
    "ask",
    "check_prompt",
    "even_shares",
    "named_apart",
    "read_sources",
    "replies_of_vllm",
]
