"""The policy's own view of its completions, read while it generates them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch


class PolicyStates:
    """Mean last hidden state of each completion under the policy that writes it. No second model, no second pass.

    A hook on the decoder keeps what `generate` computes anyway: at each step the last layer's state of the token that
    was read, with the prompt in view. The last token of a completion, which ends it, is never read.

    What is kept until the completions are scored is a hidden state a token, small beside the cache of keys and values.
    """

    def __init__(self) -> None:
        self._unread: torch.Tensor | None = None  # what is known of completions before a token of them is read
        self._steps: list[torch.Tensor] = []

    @contextmanager
    def recording(self, model: Any) -> Iterator[None]:  # noqa: ANN401 - a model, perhaps wrapped by peft
        """Keep the states of all single-token steps of `model` inside this block."""
        self._unread, self._steps = None, []
        handle = model.get_decoder().register_forward_hook(self._keep)
        try:
            yield
        finally:
            handle.remove()

    def _keep(self, _module: torch.nn.Module, _inputs: Any, output: Any) -> None:  # noqa: ANN401 - as torch passes them
        state = output.last_hidden_state
        if self._unread is None:  # the first pass reads the prompt
            self._unread = torch.full_like(state[:, 0], torch.nan, dtype=torch.float32)
        elif state.shape[1] == 1:  # a longer pass scores the completions
            self._steps.append(state[:, 0].detach())

    def vectors(self, lengths: Sequence[int]) -> torch.Tensor:
        """Return the mean state of each completion, of length 1, `(B, d)`; NaN for one of fewer than two tokens.

        Args:
            lengths: `(B,)`, tokens of each completion, with the one that ends it.

        Raises:
            RuntimeError: If other completions were recorded.
        """
        read = torch.tensor([max(length - 1, 0) for length in lengths])
        steps, self._steps = self._steps, []
        unread = self._unread
        if unread is None or len(unread) != len(lengths) or len(steps) < int(read.max()):
            raise RuntimeError(
                f"The policy's states were kept for {len(steps)} steps, but the completions are up to "
                f"{int(read.max()) + 1} tokens long. One call of `generate`, with its cache on, must write them."
            )
        if not steps:
            return unread
        states = torch.stack(steps)  # (T, B, d)
        read = read.to(states.device)
        mask = torch.arange(len(steps), device=states.device)[:, None] < read[None, :]
        total = (states * mask[..., None]).sum(dim=0, dtype=torch.float32)
        mean = total / read[:, None]  # 0 / 0 is NaN, as it should be
        unit: torch.Tensor = mean / mean.norm(dim=1, keepdim=True)
        return unit
