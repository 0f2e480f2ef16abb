"""One source's client: a request, its time limit, its retries, and what its failures mean."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Mapping
from typing import Any

from hfdiv._extras import require
from hfdiv.generation.backends.choices import Choices, read_choices
from hfdiv.generation.backends.engines import ENGINES, PROBE
from hfdiv.generation.backends.failures import PromptError, RetryableError, SourceError
from hfdiv.generation.backends.request import Asked, request_fields
from hfdiv.generation.backends.source import Source


FIRST_WAIT = 0.5  # seconds before the second try; each further wait is twice as long, with some randomness
LONGEST_WAIT = 60.0
LONGEST_ASKED_WAIT = 120.0  # a server that asks for more is asked again another day

_NO_KEY = "EMPTY"  # what servers that need no key are sent, by their own manuals
_MAY_PASS = {408, 409, 425, 429}
_CONCERNS_ALL = {401, 402, 404}


class Client:
    """Asks one source, with a time limit for each try and a bound on tries.

    Args:
        source: Who is asked.
        timeout: Seconds for one try, from the first byte sent to the last one received.
        retries: How often a failed request is sent again.

    Raises:
        ImportError: If `openai` or `tenacity` is not installed.
        ValueError: If the source needs a key that is not in the environment.
    """

    def __init__(self, source: Source, timeout: float = 600.0, retries: int = 5) -> None:
        self.source = source
        self._timeout = timeout
        self._retries = retries
        self._openai: Any = require("openai", "openai")
        self._tenacity: Any = require("tenacity", "openai")
        self._key = source.api_key() or _NO_KEY
        self._is_probed = source.engine != "vllm" or not ENGINES["vllm"].processor_settings(source.config)
        self._probing = asyncio.Lock()
        self._api: Any = self._openai.AsyncOpenAI(
            base_url=source.base_url, api_key=self._key, timeout=timeout, max_retries=0
        )

    async def ask(self, asked: Asked, n: int, seed: int) -> Choices:
        """Return up to n replies, at least one.

        Raises:
            PromptError: If the server refuses the prompt, or the last try failed, too.
            SourceError: If it would refuse every prompt, or has not what the settings need.
        """
        if not self._is_probed:
            await self._probe(asked)
        fields = request_fields(self.source, asked, n, seed)
        return await self._tried(fields, asked.is_text, n)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def _probe(self, asked: Asked) -> None:
        """Find out whether the server has hfdiv's processors: without them it would pass over their settings."""
        async with self._probing:
            if self._is_probed:
                return
            fields = request_fields(self.source, asked, n=1, seed=0)
            extra = {**fields["extra_body"], "vllm_xargs": PROBE}
            try:
                await self._tried({**fields, "max_tokens": 1, "extra_body": extra}, asked.is_text, 1)
            except PromptError as error:
                if next(iter(PROBE)) not in str(error):
                    raise
                self._is_probed = True
                return
        needing = next(iter(ENGINES["vllm"].processor_settings(self.source.config)))
        raise SourceError(
            f"{self.source.name} at {self.source.base_url} does not have hfdiv's logits processors, which `{needing}` "
            "needs: install hfdiv where vLLM is installed, and start the server anew; or leave it out."
        )

    async def _tried(self, fields: dict[str, Any], is_text: bool, n: int) -> Choices:
        """Send a request until it is answered or the tries are used up."""
        tenacity = self._tenacity
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_is_worth_a_try),
            stop=tenacity.stop_after_attempt(self._retries + 1),
            wait=self._wait,
            reraise=True,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    return read_choices(await self._sent(fields, is_text), n)
        except RetryableError as error:
            tries = "" if self._retries == 0 else f" (tried {self._retries + 1} times)"
            raise PromptError(f"{self._said(str(error))}{tries}") from error
        raise AssertionError("a retrying loop ends with a result or an error")

    async def _sent(self, fields: dict[str, Any], is_text: bool) -> str:
        """Send one request and return the body of the answer."""
        endpoint = self._api.completions if is_text else self._api.chat.completions
        openai = self._openai
        try:
            answer = await asyncio.wait_for(endpoint.with_raw_response.create(**fields), self._timeout)
        except (asyncio.TimeoutError, openai.APITimeoutError) as error:
            raise RetryableError(f"no answer within {self._timeout:g} seconds") from error
        except openai.APIConnectionError as error:
            raise RetryableError(f"{self.source.base_url} cannot be reached: {_deepest(error)}") from error
        except openai.APIStatusError as error:
            raise self._meaning(error) from error
        return str(answer.text)

    def _meaning(self, error: Any) -> PromptError | RetryableError | SourceError:  # noqa: ANN401 - openai's
        """Return what an answer with an error's status means."""
        status = error.status_code
        said = self._said(f"status {status}: {_message(error)}")
        if status in _CONCERNS_ALL or error.code == "insufficient_quota":
            hint = ". Is the model's name right, and does the URL end as the server's manual says, often in /v1?"
            return SourceError(f"{self.source.name} at {self.source.base_url} answers {said}{hint * (status == 404)}")
        if status not in _MAY_PASS and status < 500:
            return PromptError(said)
        wait = _asked_wait(error.response.headers)
        if wait is not None and wait > LONGEST_ASKED_WAIT:
            return PromptError(f"{said} (and to come back in {wait:.0f} seconds)")
        return RetryableError(said, wait)

    def _wait(self, state: Any) -> float:  # noqa: ANN401 - tenacity's
        """Return how long to wait before the next try: as the server said, or each time twice as long."""
        error = state.outcome.exception()
        if error.wait:
            return float(error.wait)
        growing = self._tenacity.wait_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)
        return float(growing(state) + self._tenacity.wait_random(0, FIRST_WAIT)(state))

    def _said(self, text: str) -> str:
        """Return what a server said as it may be shown: without the key, which it may repeat, and on one line."""
        if self._key != _NO_KEY:
            text = text.replace(self._key, "[key]")
        return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _is_worth_a_try(error: BaseException) -> bool:
    return isinstance(error, RetryableError)


def _message(error: Any) -> str:  # noqa: ANN401 - openai's
    """Return what a server says of an error, cut short: its message, or its page."""
    body = error.body
    message = body.get("message") or body.get("detail") or body if isinstance(body, Mapping) else body
    return str(message or "no message")[:300]


def _deepest(error: BaseException) -> str:
    """Return what the first of a chain of errors says."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, by `Retry-After` in seconds or as a date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if seconds == seconds and seconds != float("inf") else None
