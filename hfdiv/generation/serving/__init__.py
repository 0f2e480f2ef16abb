"""hfdiv's processors inside a server: what a request may ask for, and the state of each request.

Nothing here knows of vLLM or SGLang; `hfdiv.generation.vllm` and `hfdiv.generation.sglang` are the shells.
"""

from hfdiv.generation.serving.parameters import PARAMETERS, Wish, wish_of
from hfdiv.generation.serving.request import Request, penalize


__all__ = ["PARAMETERS", "Request", "Wish", "penalize", "wish_of"]
