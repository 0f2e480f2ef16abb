"""The arms of `headline_real.py`: what each one trains with, and how its replies are decoded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal


Kind = Literal["base", "varied", "grpo", "dpo"]

CONTROL, BASE, MAIN = "quality only", "base", "target"


@dataclass(frozen=True)
class Arm:
    """One arm.

    Attributes:
        kind (`str`): How the model came about; "varied" is the model before it was made monotone.
        seeds (`int`): Seeds 0, 1, ... of training; of sampling where nothing is trained.
        training (`dict`): Arguments of the trainer's config beyond `COMMON`, and what is named below.
        decoding (`dict`): Arguments of `DecodingConfig`.
        steps (`int`): Optimizer steps of GRPO.
        prompts (`int`): Prompts a step of GRPO.
        gate (`bool`): Whether a reply needs the quality of a composed one to count for diversity.
        pairs (`str`): How the pairs of DPO are drawn.
        after (`Arm`): What GRPO goes on from; the base by default.
        on_training (`bool`): Whether it is measured on training messages, where a setting is chosen.
        in_turn (`bool`): Whether a message's replies are written one after another, those before being the history.
        history (`bool`): Whether GRPO's prompts are turns of conversations with the base's own earlier replies.
    """

    kind: Kind
    seeds: int = 1
    training: dict[str, Any] = field(default_factory=dict)
    decoding: dict[str, Any] = field(default_factory=dict)
    steps: int = 20
    prompts: int = 1
    gate: bool = False
    pairs: str = ""
    history: bool = False
    in_turn: bool = False
    on_training: bool = False
    after: Arm | None = None

    def __str__(self) -> str:
        said = [f"{name}={value!r}" for name, value in (*self.training.items(), *self.decoding.items())]
        if self.kind == "grpo":
            said += [f"{self.steps} steps × {self.prompts * 8}"] + ["gate"] * self.gate
        said += ["one after another"] * self.in_turn + ["history in the prompt"] * self.history
        said += ["on training messages"] * self.on_training
        said += [f"after ({self.after})"] if self.after else []
        return ", ".join([self.kind, *([self.pairs] if self.pairs else []), *said])


def _grpo(weight: float, form: str, **more: Any) -> Arm:  # noqa: ANN401 - fields of Arm or of the config
    fields = {name: more.pop(name) for name in ("seeds", "steps", "prompts", "decoding", "gate") if name in more}
    fields.setdefault("gate", True)
    return Arm("grpo", training={"diversity_form": form, "diversity_weight": weight, **more}, **fields)


def _target(level: float, **more: Any) -> Arm:  # noqa: ANN401 - fields of Arm or of the config
    fields = {name: more.pop(name) for name in ("seeds", "steps", "prompts", "decoding", "gate") if name in more}
    fields.setdefault("gate", True)
    return Arm("grpo", training={"diversity_form": "advantage", "diversity_target": level, **more}, **fields)


TARGET = 0.80
"""In-group Distinct-2 to settle at: near that of the composed replies."""
TEMPERATURES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Temperatures that replies of `MAIN` are drawn at."""
_FIRST = 0.55
"""That of the arms that compare settings, in 20 steps."""
_LONG = {"steps": 36, "prompts": 2}


def at(temperature: float) -> str:
    """Return the name of the arm that draws the replies of `MAIN` at a temperature."""
    return MAIN if temperature == 1 else f"{MAIN}, T {temperature:g}"


_HISTORY = {"history_multiplier": 2.0, "history_allowed_length": 1}
_SIBLINGS = {"sibling_multiplier": 2.0, "sibling_allowed_length": 1}

ARMS: dict[str, Arm] = {
    BASE: Arm("base", 3),
    "before the collapse": Arm("varied"),
    "before the collapse, T 0.7": Arm("varied", decoding={"temperature": 0.7}),
    CONTROL: Arm("grpo", 3, {"diversity_weight": 0.0}, **_LONG),
    MAIN: _target(TARGET, seeds=3, **_LONG),
    "target 0.60": _target(0.6, **_LONG),
    "target 0.60, T 0.8": _target(0.6, decoding={"temperature": 0.8}, **_LONG),
    "additive, 36 steps": _grpo(0.5, "additive", **_LONG),
    "multiplicative, 36 steps": _grpo(1.0, "multiplicative", **_LONG),
    "frequency, 36 steps": _grpo(0.5, "frequency", **_LONG),
    "set_marginal, 36 steps": _grpo(1.0, "set_marginal", **_LONG),
    "quality only, 20 steps": Arm("grpo", 1, {"diversity_weight": 0.0}),
    "target, 20 steps": _target(_FIRST),
    "target, 2 prompts": _target(_FIRST, prompts=2),
    "target, lr 5e-4": _target(_FIRST, learning_rate=5e-4),
    "target, β 0.04": _target(_FIRST, beta=0.04),
    "additive": _grpo(0.5, "additive"),
    "multiplicative": _grpo(1.0, "multiplicative"),
    "adjustment": _grpo(1.0, "adjustment"),
    "frequency": _grpo(0.5, "frequency"),
    "advantage": _grpo(1.0, "advantage"),
    "set_marginal": _grpo(1.0, "set_marginal"),
    "DPO, random pairs": Arm("dpo", pairs="random"),
    "DivPO": Arm("dpo", pairs="divpo"),
    "DivPO, deviation": Arm("dpo", 1, {"pair_weighting": "deviation"}, pairs="divpo"),
    "DivPO, candidates at T 1.5": Arm("dpo", 1, pairs="divpo, T 1.5"),
    "DivPO, deviation, candidates at T 1.5": Arm("dpo", 1, {"pair_weighting": "deviation"}, pairs="divpo, T 1.5"),
    "T 0.7": Arm("base", decoding={"temperature": 0.7}),
    "T 1.3": Arm("base", decoding={"temperature": 1.3}),
    "T 1.6": Arm("base", decoding={"temperature": 1.6}),
    "T 1.5, top-1σ": Arm("base", decoding={"temperature": 1.5, "top_n_sigma": 1.0}),
    "T 1.5, min-p 0.1": Arm("base", decoding={"temperature": 1.5, "min_p": 0.1}),
    "XTC": Arm("base", decoding={"xtc_probability": 0.5}),
    "frequency penalty 1": Arm("base", decoding={"frequency_penalty": 1.0}),
    "siblings, T 0.7": Arm("base", decoding={"temperature": 0.7, **_SIBLINGS}),
    "siblings": Arm("base", decoding=_SIBLINGS),
    "in turn, T 0.7": Arm("base", decoding={"temperature": 0.7, **_HISTORY}, in_turn=True),
    "quality only, T 0.7": Arm("grpo", 3, {"diversity_weight": 0.0}, {"temperature": 0.7}, **_LONG),
    **{
        at(temperature): _target(TARGET, seeds=3, decoding={"temperature": temperature}, **_LONG)
        for temperature in TEMPERATURES[1:]
    },
    "in turn": Arm("base", decoding=_HISTORY, in_turn=True),
}
CHOOSING = {f"{at(temperature)}, on training messages": temperature for temperature in TEMPERATURES}
"""What the temperature of the claim is chosen by."""
ARMS |= {
    name: replace(ARMS[MAIN], decoding={"temperature": temperature}, on_training=True)
    for name, temperature in CHOOSING.items()
}
WANTED = [(arm, seed) for seed in range(3) for arm in ARMS if seed < ARMS[arm].seeds]
"""Arm and seed of each run."""
