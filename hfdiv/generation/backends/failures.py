"""What can go wrong with a request, told apart by what is to be done about it."""

from __future__ import annotations


class BackendError(OSError):
    """A request that brought no reply. The message says why, in words for the user."""


class RetryableError(BackendError):
    """Something that may pass: no answer in time, a full or broken server, an answer that makes no sense.

    Attributes:
        wait (`float | None`): Seconds to wait before the next try, where the server said so.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class PromptError(BackendError):
    """This prompt gets no reply from this source; others may."""


class SourceError(BackendError):
    """The source answers nothing at all: its key or its model's name is wrong, say. There is no sense in going on."""
