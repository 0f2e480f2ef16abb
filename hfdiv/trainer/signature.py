"""What a target was a target of: a number for groups of 8 means something else for groups of 4."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState


if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments


class TargetSignatureCallback(TrainerCallback, ExportableState):
    """Saves with each checkpoint what its target belongs to, and warns when training resumes with something else.

    Args:
        signature: Measure, group size and tokenizer of the target.

    Example:
        >>> TargetSignatureCallback("distinct_2|size:8|tok:mixed").state()["args"]
        {'signature': 'distinct_2|size:8|tok:mixed'}
    """

    def __init__(self, signature: str) -> None:
        self.signature = signature

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs to hold."""
        return {"args": {"signature": self.signature}, "attributes": {}}

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401 - what transformers passes
    ) -> None:
        """Compare with the checkpoint that training resumes from."""
        name = type(self).__name__
        saved = state.stateful_callbacks.setdefault(name, self.state())["args"]["signature"]
        if saved != self.signature:
            warnings.warn(
                f"`diversity_target` was a level of {saved} in the checkpoint and is one of {self.signature} now. The "
                "same number means another diversity: choose it anew.",
                stacklevel=2,
            )
        state.stateful_callbacks[name] = self.state()
