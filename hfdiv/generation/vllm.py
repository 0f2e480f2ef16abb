"""hfdiv's processors in vLLM, for both of its interfaces. vLLM loads the class by its entry point."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import Tensor

from hfdiv._extras import require
from hfdiv.generation.end import pad_id, special_ids
from hfdiv.generation.serving import Request, Wish, penalize, wish_of


require("vllm", "vllm")

from vllm.platforms import current_platform  # noqa: E402
from vllm.tokenizers import cached_tokenizer_from_config  # noqa: E402
from vllm.v1.sample.logits_processor import LogitsProcessor  # noqa: E402


_BASES: tuple[type, ...] = (LogitsProcessor,)
try:  # the interface of the second model runner, which vLLM does not have in all of its versions
    from vllm.v1.worker.gpu.sample.logits_processor import LogitsProcessor as SecondLogitsProcessor

    _BASES = (LogitsProcessor, SecondLogitsProcessor)
except ImportError:
    pass

logger = logging.getLogger(__name__)

_GREEDY = 1e-5  # vLLM takes a lower temperature for 0
_PLACEHOLDER = -1
_NOTHING = 5e-324


class DiversityLogitsProcessor(*_BASES):  # type: ignore[misc]
    """Windowed repetition, DRY, LZ and history penalty, top-nσ and XTC, for the requests that ask for them.

    A request sets them by name in `SamplingParams.extra_args`, over HTTP in `vllm_xargs`: see
    [`~hfdiv.generation.serving.PARAMETERS`]. Each has its own state, whichever row of the batch it is in. Requests
    that ask for nothing cost nothing.

    vLLM runs it before its own penalties and the temperature. One class serves both of vLLM's model runners, since
    both load the same entry points. With speculative decoding the first runner loads no plug-ins, and on the second
    this one stands aside with a warning, as it does on both without a tokenizer.

    Example:
        llm.generate("Hello", SamplingParams(extra_args={"dry_multiplier": 0.8}))
    """

    def __init__(self, vllm_config: Any, states: Any, is_pin_memory: bool | None = None) -> None:  # noqa: ANN401
        self._vocabulary_size = vllm_config.model_config.get_vocab_size()
        self._model_config = vllm_config.model_config
        self._states = states  # of the second runner; of the first it is the device
        self._n_requests = 0
        self._waiting: dict[int, tuple[Wish, Any]] = {}
        self._requests: dict[int, Request] = {}
        self._outputs: dict[int, Sequence[int]] = {}
        reason = _cannot(vllm_config, is_second_runner=is_pin_memory is None)
        self._aside = reason is not None
        if self._aside:
            logger.warning("hfdiv's logits processor is not applied: %s.", reason)

    @classmethod
    def validate_params(cls, sampling_params: Any) -> None:  # noqa: ANN401 - vLLM's
        """Refuse arguments that are wrong.

        Raises:
            ValueError: vLLM turns it into HTTP 400.
        """
        if _wish(sampling_params) is not None and not current_platform.is_cpu():
            ask_for_output_ids(sampling_params)

    def is_argmax_invariant(self) -> bool:
        """A penalty may change what is likeliest."""
        return False

    # The first model runner: a row is a request, and moves.

    def update_state(self, batch_update: Any) -> None:  # noqa: ANN401 - vLLM's
        """Follow the requests that left the batch, joined it, and moved in it."""
        if batch_update is None:
            return
        for row in batch_update.removed:
            self._put(row, None)
        for row, params, prompt, output in batch_update.added:
            wish = None if self._aside else _wish(params)
            request = None if wish is None else self._request(wish, params, prompt or [])
            self._put(row, None if request is None else (request, output))
        for source, target, direction in batch_update.moved:
            moved, replaced = self._taken(source), self._taken(target)
            self._put(target, moved)
            self._put(source, replaced if direction.name == "SWAP" else None)

    def _taken(self, row: int) -> tuple[Request, Sequence[int]] | None:
        request = self._requests.pop(row, None)
        return None if request is None else (request, self._outputs.pop(row))

    def _put(self, row: int, entry: tuple[Request, Sequence[int]] | None) -> None:
        self._taken(row)
        if entry is not None and entry[0].stages:
            self._requests[row], self._outputs[row] = entry

    # The second: a request has a slot for good, and the rows come in another order each step.

    def add_request(self, req_idx: int, sampling_params: Any) -> bool:  # noqa: ANN401 - vLLM's
        """Begin with the request in a slot. Return whether it asks for anything."""
        self._requests.pop(req_idx, None)
        self._waiting.pop(req_idx, None)
        wish = None if self._aside else _wish(sampling_params)
        if wish is not None:  # its tokens are not there yet
            self._waiting[req_idx] = (wish, sampling_params)
        return wish is not None

    def apply_staged_writes(self) -> None:
        """Nothing is staged."""

    def apply(self, logits: Tensor, context: Any = None) -> Tensor:  # noqa: ANN401 - of the second runner
        """Apply what each request asked for to its row."""
        requests = self._of_rows() if context is None else self._of_slots(context)
        return penalize(logits, requests) if requests else logits

    def _of_rows(self) -> Mapping[int, Request]:
        for row, request in self._requests.items():
            request.advance(_known(self._outputs[row]))
        return self._requests

    def _of_slots(self, context: Any) -> Mapping[int, Request]:  # noqa: ANN401
        found = {}
        for row, slot in enumerate(context.idx_mapping_np.tolist()):
            length = int(context.seq_lens_upper_bound_np[row])
            n_prompt = int(self._states.prompt_len.np[slot])
            if length < n_prompt or (slot not in self._requests and slot not in self._waiting):
                continue  # part of a prompt, or nothing to do
            tokens = self._states.all_token_ids.gpu[slot]
            if slot in self._waiting:
                wish, params = self._waiting.pop(slot)
                self._requests[slot] = self._request(wish, params, tokens[:n_prompt].tolist())
            request = self._requests[slot]
            request.append(tokens[request.n_tokens : length].tolist())
            found[row] = request
        return found

    def _request(self, wish: Wish, params: Any, prompt: Sequence[int]) -> Request:  # noqa: ANN401
        tokenizer = cached_tokenizer_from_config(self._model_config)
        ends: Collection[int] = params.all_stop_token_ids
        self._n_requests += 1  # the same on every device of a model that is spread over several, which must draw alike
        seed = (self._model_config.seed or 0) + (self._n_requests << 32) if params.seed is None else params.seed
        return Request(wish, tokenizer, prompt, ends, self._vocabulary_size, seed)


def ask_for_output_ids(sampling_params: Any) -> None:  # noqa: ANN401 - vLLM's
    """Have the first model runner tell the tokens that were sampled, which it does not do for plug-ins.

    With asynchronous scheduling, and where no processor was named on the command line, it fills in the tokens of a
    request only if that has a penalty of vLLM's own (https://github.com/vllm-project/vllm/issues/52461). So it gets
    one that is 0 in the runner's float32.
    """
    if sampling_params.frequency_penalty == sampling_params.presence_penalty == 0:
        sampling_params.frequency_penalty = _NOTHING


def _wish(params: Any) -> Wish | None:  # noqa: ANN401 - vLLM's
    return wish_of(params.extra_args, greedy=params.temperature < _GREEDY)


def _cannot(vllm_config: Any, is_second_runner: bool) -> str | None:  # noqa: ANN401 - vLLM's
    """Return why the processor cannot work in this engine: an error at a request would stop it for everybody."""
    if is_second_runner and vllm_config.speculative_config is not None:
        return "it does not work with speculative decoding"
    try:
        tokenizer = cached_tokenizer_from_config(vllm_config.model_config)
        special_ids(tokenizer)
        pad_id(tokenizer)
    except (AttributeError, TypeError, ValueError) as error:
        return f"it needs a tokenizer of transformers with a padding or an end token ({error})"
    return None


def _known(output: Sequence[int]) -> Sequence[int]:
    """Return the tokens of a reply as far as vLLM told them."""
    if output and output[-1] == _PLACEHOLDER:
        logger.error(
            "vLLM does not tell which tokens it sampled, so that hfdiv's penalties do not see them: start it with "
            "`--no-async-scheduling`."
        )
        return [token for token in output if token != _PLACEHOLDER]
    return output
