"""A target for diversity instead of a weight: the controller of the weight, and the callback that saves its state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray
from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState


if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

INTEGRAL_ERROR = 0.05
"""Largest error that the integral takes at its size."""
INTEGRAL_BOUND = 2.0
"""Largest size of the integral, in units of weight."""
OWN_SHARE = 0.3
"""Share of a group's distance from the mean of its step that its weight answers to: most of it is chance."""


class ControllerState(TypedDict):
    """What a [`TargetController`] remembers from step to step."""

    level: float | None
    integral: float


class TargetController:
    """Weights of a diversity term that bring a measure of each group to a target and hold it there.

    With D_g the measure of group g, D the mean over the groups of a step, t the target, and D̄ the moving average of D
    over steps:

        v    = D̄ − D̄ of the step before                                            (how fast it rises)
        I   ←  clip(I + k·(clip(t − D̄, ±0.05) − d·v), ±2)    if |gain·(t − D̄) + I| < max_weight
        λ_g  =  clip(gain·(t − D − 0.3·(D_g − D) − d·v) + I, ±max_weight)

    Each group has a weight of its own, so that the policy hears which prompts are too uniform; but most of what sets
    a group apart in one step is chance, so only 0.3 of that counts. A weight below 0 pushes back. The trend v brakes:
    the optimizer's momentum carries diversity on for some steps after the weight is gone. The integral takes away
    what remains of the error. It is bounded, stands still while the weight is at its own bound, and does not wind up
    on the way to the target, since what diversity rises is taken off it.

    The law is made for the advantage form with a novelty centred in its group. A target belongs to a group size and
    a temperature: Distinct-2 of 8 replies is lower than that of 4.

    Args:
        target: What the measure should be, above 0 and at most 1.
        gain: Weight per unit of error, above 0. A weight of 1 for an error of 0.025 by default.
        damping: Steps d for which the trend is expected to go on, at least 0.
        integral_gain: Weight k per unit of error and step, at least 0.
        max_weight: Largest size of a weight; above 2, the bound of the integral.
        smoothing: Share of the newest step in D̄, above 0 and at most 1. Average over several prompts as well: one
            group of 8 is a poor sensor.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument is out of its range.

    Example:
        >>> controller = TargetController(0.35)
        >>> controller.weights([0.20, 0.36, float("nan")]).round(2)  # too uniform on the whole; one is undefined
        array([3.81, 1.89, 0.  ])
    """

    def __init__(
        self,
        target: float,
        *,
        gain: float = 40.0,
        damping: float = 5.0,
        integral_gain: float = 1.0,
        max_weight: float = 8.0,
        smoothing: float = 0.3,
    ) -> None:
        self.target = _number("target", target, above=0.0, at_most=1.0)
        self.gain = _number("gain", gain, above=0.0)
        self.damping = _number("damping", damping, at_least=0.0)
        self.integral_gain = _number("integral_gain", integral_gain, at_least=0.0)
        self.max_weight = _number("max_weight", max_weight, above=INTEGRAL_BOUND)
        self.smoothing = _number("smoothing", smoothing, above=0.0, at_most=1.0)
        self._level: float | None = None
        self._integral = 0.0

    def weights(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the weight of each group, and take one step.

        Call it once for each generation of training, with the groups of all processes: then all agree.

        Args:
            values: `(n_groups,)`, the measure of each group; NaN where it is undefined.

        Returns:
            `(n_groups,)`, within ± `max_weight`; 0 where the measure is undefined. A step in which all are leaves
            the state as it is.

        Raises:
            ValueError: If the shape is another, or a value is infinite.
        """
        levels = np.asarray(values, dtype=np.float64)
        if levels.ndim != 1 or np.isinf(levels).any():
            raise ValueError(f"`values` must be one finite number or NaN for each group, got {values!r}.")
        defined = ~np.isnan(levels)
        if not defined.any():
            return np.zeros(len(levels))
        mean = float(levels[defined].mean())
        trend = self._take_in(mean)
        answered = mean + OWN_SHARE * (levels - mean)
        raw = self.gain * (self.target - answered - self.damping * trend) + self._integral
        return np.where(defined, np.clip(raw, -self.max_weight, self.max_weight), 0.0)

    def _take_in(self, mean: float) -> float:
        """Move the average and the integral by one step; return the trend."""
        before = mean if self._level is None else self._level
        trend = self.smoothing * (mean - before)
        self._level = before + trend
        error = self.target - self._level
        if abs(self.gain * error + self._integral) < self.max_weight:
            step = min(max(error, -INTEGRAL_ERROR), INTEGRAL_ERROR) - self.damping * trend
            self._integral = min(max(self._integral + self.integral_gain * step, -INTEGRAL_BOUND), INTEGRAL_BOUND)
        return trend

    def state_dict(self) -> ControllerState:
        """Return what the next step depends on, in values that JSON keeps exactly."""
        return {"level": self._level, "integral": self._integral}

    def load_state_dict(self, state: ControllerState) -> None:
        """Go on where another controller stood.

        Args:
            state: What [`~TargetController.state_dict`] returned.

        Raises:
            ValueError: If something else is given.
        """
        if set(state) != {"level", "integral"}:
            raise ValueError(f"The state of a controller has `level` and `integral`, got {sorted(state)}.")
        level = state["level"]
        self._level = None if level is None else _number("level", level)
        self._integral = _number("integral", state["integral"], at_least=-INTEGRAL_BOUND, at_most=INTEGRAL_BOUND)


class DiversityTargetCallback(TrainerCallback, ExportableState):
    """Holds a [`TargetController`] so that each checkpoint saves its state, and resuming restores it.

    transformers writes the state to `trainer_state.json`. It is restored whether or not
    `restore_callback_states_from_checkpoint` is set. Where it is, transformers puts a new callback with the
    checkpoint's target in the place of this one: look the callback up among `trainer.callback_handler.callbacks`
    when it is needed. Where it is not, the target of the new run holds.

    Args:
        target: As for [`TargetController`].
        settings: The other arguments of [`TargetController`].

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If an argument is out of its range.

    Example:
        >>> callback = DiversityTargetCallback(0.35)
        >>> weights = callback.controller.weights([0.2, 0.3])
        >>> callback.state()["attributes"]
        {'controller_state': {'level': 0.25, 'integral': 0.05}}
    """

    def __init__(self, target: float, **settings: float) -> None:
        self.controller = TargetController(target, **settings)
        self._arguments = {"target": target, **settings}

    @property
    def controller_state(self) -> ControllerState:
        """State of the controller. transformers sets it when it restores the callback."""
        return self.controller.state_dict()

    @controller_state.setter
    def controller_state(self, state: ControllerState) -> None:
        self.controller.load_state_dict(state)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs to hold."""
        return {"args": self._arguments, "attributes": {"controller_state": self.controller_state}}

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,  # noqa: ANN401 - what transformers passes
    ) -> None:
        """Take up the state of the checkpoint that training resumes from; one without a target starts afresh."""
        saved = state.stateful_callbacks.setdefault(type(self).__name__, self.state())
        self.controller_state = saved["attributes"]["controller_state"]


def _number(
    name: str, value: object, above: float = -math.inf, at_least: float = -math.inf, at_most: float = math.inf
) -> float:
    """Check an argument."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"`{name}` must be a number, got {value!r}.")
    number = float(value)
    if not (math.isfinite(number) and above < number and at_least <= number <= at_most):
        ranges = [f"above {above:g}"] * math.isfinite(above) + [f"at least {at_least:g}"] * math.isfinite(at_least)
        ranges += [f"at most {at_most:g}"] * math.isfinite(at_most)
        raise ValueError(f"`{name}` must be a finite number {' and '.join(ranges)}".rstrip() + f", got {value!r}.")
    return number
