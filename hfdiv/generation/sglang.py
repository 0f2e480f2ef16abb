"""hfdiv's processors in SGLang, as a custom logit processor."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from zlib import crc32

from torch import Tensor

from hfdiv._extras import require
from hfdiv.generation.config import DecodingConfig
from hfdiv.generation.serving import PARAMETERS, Request, penalize, wish_of


require("sglang", "sglang")

from sglang.srt.sampling.custom_logit_processor import CustomLogitProcessor  # noqa: E402


logger = logging.getLogger(__name__)

_STATE = "__hfdiv__"


class DiversityLogitProcessor(CustomLogitProcessor):  # type: ignore[misc]
    """Windowed repetition, DRY, LZ and history penalty, top-nσ and XTC, for the requests that ask for them.

    SGLang hands a processor the requests' `custom_params`, each with the request itself; the state of a request is
    kept among its own parameters, so that it goes where the request goes.

    Example:
        processor = DiversityLogitProcessor.to_str()
        params = custom_params(DecodingConfig(dry_multiplier=0.8))
        requests.post(url, json={"text": "Hello", "custom_logit_processor": processor,
                                 "sampling_params": {"custom_params": params}})
    """

    def __call__(self, logits: Tensor, custom_param_list: Sequence[dict[str, Any] | None] | None = None) -> Tensor:
        """Return the logits with each request's penalties."""
        requests = {}
        for row, params in enumerate(custom_param_list or ()):
            request = None if params is None else _request_of(params, logits.shape[-1])
            if request is not None and request.stages:
                requests[row] = request
        return penalize(logits, requests) if requests else logits


def custom_params(config: DecodingConfig, history: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a request to SGLang says to the processor: the settings that are not at their defaults.

    Checked here, before anything is sent; the server refuses what is wrong with HTTP 400.

    Args:
        config: How to decode. Settings that are SGLang's own, such as `temperature`, are not in it.
        history: The assistant's earlier replies, for the history penalty.

    Raises:
        ValueError: If a setting would do nothing.
    """
    default = asdict(DecodingConfig())
    params = {name: value for name, value in asdict(config).items() if name in PARAMETERS and value != default[name]}
    params |= {"history": list(history)} if history else {}
    wish_of(params, greedy=not config.samples)
    return params


def _request_of(params: dict[str, Any], vocabulary_size: int) -> Request | None:
    """Return a request's state, brought up to date; `None` if it asks for nothing, or is refused."""
    asked = params["__req__"]
    if _STATE not in params:
        params[_STATE] = _new_request(params, asked, vocabulary_size)
    request: Request | None = params[_STATE]
    if request is not None:
        request.advance(asked.output_ids)
    return request


def _new_request(params: dict[str, Any], asked: Any, vocabulary_size: int) -> Request | None:  # noqa: ANN401 - SGLang's
    given = {name: value for name, value in params.items() if not name.startswith("__")}
    sampling = asked.sampling_params
    try:
        wish = wish_of(given, greedy=sampling.top_k == 1)  # SGLang's form of temperature 0
        if wish is None:
            return None
        ends = {*(asked.eos_token_ids or ()), *(sampling.stop_token_ids or ())}
        seed = getattr(sampling, "sampling_seed", None)
        seed = crc32(str(asked.rid).encode()) if seed is None else seed  # the same on every device of the model
        return Request(wish, asked.tokenizer, list(asked.origin_input_ids), ends, vocabulary_size, seed)
    except (AttributeError, TypeError, ValueError) as error:  # an error here would stop the server
        _refuse(asked, str(error))
        return None


def _refuse(asked: Any, message: str) -> None:  # noqa: ANN401 - SGLang's
    """End one request with HTTP 400."""
    from sglang.srt.managers.schedule_batch import FINISH_ABORT

    logger.warning("hfdiv's processor refuses a request: %s", message)
    asked.to_finish = FINISH_ABORT(message, HTTPStatus.BAD_REQUEST, "BadRequestError")
