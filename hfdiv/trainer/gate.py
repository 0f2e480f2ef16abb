"""Who is good enough to count for diversity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState


if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

MOMENTUM = 0.9
"""Share of the running mean that stays at each generation."""


class RunningQualityCallback(TrainerCallback, ExportableState):
    """The running mean of quality, above which a completion counts for diversity. Saved with each checkpoint.

    An exponential moving average over the generations of training, of the mean over their scored completions; the
    first generation starts it. Being a mean, it lets about half of them count, whatever the scale of the rewards.

    Args:
        mean: Where to start. Defaults to the first generation's.

    Example:
        >>> running = RunningQualityCallback()
        >>> running.passes(np.array([0.0, 1.0, np.nan]), update=True)
        array([False,  True, False])
        >>> running.mean
        0.5
    """

    def __init__(self, mean: float | None = None) -> None:
        self.mean = mean

    def passes(self, quality: NDArray[np.float64], update: bool) -> NDArray[np.bool_]:
        """Tell which completions are at least as good as the running mean.

        Args:
            quality: `(N,)`, of the completions of all processes; NaN for one without a score.
            update: Whether to move the mean first, as in training and not in evaluation.

        Returns:
            `(N,)`, False for a completion without a score.
        """
        scored = quality[~np.isnan(quality)]
        if not len(scored):
            return np.zeros(len(quality), dtype=bool)
        now = float(scored.mean())
        threshold = (
            now if self.mean is None else MOMENTUM * self.mean + (1.0 - MOMENTUM) * now if update else self.mean
        )
        if update:
            self.mean = threshold
        return quality >= threshold

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs to hold."""
        return {"args": {"mean": self.mean}, "attributes": {}}

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401 - what transformers passes
    ) -> None:
        """Take up the mean of the checkpoint that training resumes from."""
        saved = state.stateful_callbacks.setdefault(type(self).__name__, self.state())
        self.mean = saved["args"]["mean"]
