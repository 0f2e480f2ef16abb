"""Common prompts answered from disk, each in several good ways, and no conversation twice in the same."""

from hfdiv.data.cache.cache import Answer, ResponseCache
from hfdiv.data.cache.config import CacheConfig
from hfdiv.data.cache.contents import CacheStats, Entry
from hfdiv.data.cache.keep import Added
from hfdiv.data.cache.key import Namespace, prompt_key


__all__ = ["Added", "Answer", "CacheConfig", "CacheStats", "Entry", "Namespace", "ResponseCache", "prompt_key"]
