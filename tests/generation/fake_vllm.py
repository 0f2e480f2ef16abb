"""vLLM's offline interface as it is published (vLLM 0.32: `vllm.LLM`, `vllm.SamplingParams`, `vllm.outputs`).

tests/serving_vllm compares the names with the real ones, where vLLM is installed.
"""

import types
from dataclasses import dataclass, field
from types import SimpleNamespace

from hfdiv.generation.serving import wish_of


@dataclass
class SamplingParams:
    """Refuses unknown names, as the real one does."""

    n: int = 1
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    max_tokens: int | None = 16
    logprobs: int | None = None
    extra_args: dict | None = None

    def __post_init__(self):
        if self.temperature == 0.0 and self.n > 1:
            raise ValueError(f"n must be 1 when using greedy sampling, got {self.n}.")


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list
    cumulative_logprob: float | None
    logprobs: list | None
    finish_reason: str | None = None
    stop_reason: int | str | None = None


@dataclass
class RequestOutput:
    request_id: str
    prompt_token_ids: list
    outputs: list
    finished: bool = True


class VLLMValidationError(Exception):
    """vLLM's own error, which is no ValueError."""


def _check(sampling):
    try:
        wish_of(sampling.extra_args, greedy=sampling.temperature == 0)
    except ValueError as error:
        raise VLLMValidationError(str(error)) from error


@dataclass
class LLM:
    """Replies with the first token of the prompt, the seed and the place; cut off where the place is odd.

    It checks what goes to hfdiv's processors as an engine with them does.
    """

    model: str
    tokenizer: object = None
    dtype: str = "auto"
    max_model_len: int = 64
    with_processors: bool = True
    calls: list = field(default_factory=list)

    def __post_init__(self):
        self.llm_engine = SimpleNamespace(model_config=SimpleNamespace(max_model_len=self.max_model_len))

    def get_tokenizer(self):
        return self.tokenizer

    def generate(self, prompts, sampling_params=None, *, use_tqdm=True, lora_request=None):
        assert not use_tqdm
        assert len(prompts) == len(sampling_params)
        if self.with_processors:
            for sampling in sampling_params:
                _check(sampling)
        self.calls.append(list(zip(prompts, sampling_params, strict=True)))
        return [
            RequestOutput(str(number), prompt["prompt_token_ids"], self._outputs(prompt["prompt_token_ids"], sampling))
            for number, (prompt, sampling) in enumerate(self.calls[-1])
        ]

    def _outputs(self, ids, sampling):
        outputs = [
            CompletionOutput(
                index=place,
                text=f" {ids[0]} {sampling.seed} {place} ",
                token_ids=[1, 2, 3, 4],
                cumulative_logprob=None if sampling.logprobs is None else -2.0 - place,
                logprobs=None if sampling.logprobs is None else [{}] * 4,
                finish_reason="length" if place % 2 else "stop",
            )
            for place in range(sampling.n)
        ]
        return outputs[::-1]


def fake_module(tokenizer):
    """Return what stands in `sys.modules` for vLLM; its `made` holds the engines that were made."""
    module = types.ModuleType("vllm")
    module.made = []

    def make(model, **arguments):
        module.made.append(LLM(model, tokenizer, **arguments))
        return module.made[-1]

    module.LLM, module.SamplingParams = make, SamplingParams
    module.__spec__ = SimpleNamespace(name="vllm")
    return module
