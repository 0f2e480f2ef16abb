"""The model card's section on diversity: the objective, and what the held-out prompts showed before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfdiv import __version__
from hfdiv.diversity.suite import HIGHER_IS_LESS_VARIED
from hfdiv.similarity import Similarity, similarity_signature
from hfdiv.trainer.watch import PREFIX


if TYPE_CHECKING:
    from hfdiv.trainer.arguments import DiversityArguments


class DiversityCardMixin:
    """Adds a section on diversity to the model card of a trainer."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the parent's
        """Write the parent's model card to `README.md` in the output folder, with the section at its end."""
        super().create_model_card(*args, **kwargs)  # type: ignore[misc]
        if not self.is_world_process_zero():  # type: ignore[attr-defined]
            return
        section = diversity_section(self._in_words(), self.state.log_history)  # type: ignore[attr-defined]
        card = Path(self.args.output_dir, "README.md")  # type: ignore[attr-defined]
        card.write_text(f"{card.read_text(encoding='utf-8').rstrip()}\n\n{section}", encoding="utf-8")

    def _in_words(self) -> str:
        """Return what the trainer does for diversity."""
        raise NotImplementedError


def diversity_section(objective: str, log_history: Sequence[Mapping[str, Any]]) -> str:
    """Return the section, as Markdown: the objective in words and, where they were measured, a table of measures.

    Args:
        objective: What the trainer does for diversity.
        log_history: What the trainer logged, the measures of [`~hfdiv.trainer.watch.DiversityCallback`] among it.
    """
    parts = ["## Diversity", f"Trained with hfdiv {__version__} {objective}"]
    measured = [entry for entry in log_history if PREFIX + "finished" in entry]
    if measured:
        parts.append(_table(measured[0], measured[-1]))
    return "\n\n".join(parts) + "\n"


def objective_in_words(config: DiversityArguments, similarity: Similarity | None) -> str:
    """Return a diversity objective in words.

    Args:
        config: The trainer's arguments.
        similarity: How alike two completions are; `None` for the policy's own hidden states.
    """
    form: str = config.diversity_form
    if form == "adjustment":
        form += f" ({config.diversity_adjustment})"
    if config.diversity_weight == 0:
        sentences = ["without a diversity term (weight 0): diversity was only measured."]
    elif config.diversity_target is not None:
        sentences = [
            f"with a diversity term of the form `{form}`, whose weight follows a target: "
            f"`{config.diversity_target_measure}` = {config.diversity_target:g} within groups of completions."
        ]
    else:
        sentences = [f"with a diversity term of the form `{form}` and a weight of {config.diversity_weight:g}."]
    alike = "the policy's hidden states" if similarity is None else f"`{similarity_signature(similarity)}`"
    sentences.append(f"Similarity of completions: {alike}.")
    if config.diversity_finished_only:
        sentences.append("Only completions that ended by themselves counted.")
    if config.quality_gate is not None:
        sentences.append(f"Quality gate: {config.quality_gate}.")
    if config.history_weight > 0:
        sentences.append(
            f"Penalty of weight {config.history_weight:g} for a {config.history_scope.replace('_', ' ')} more than "
            f"{config.history_threshold:g} alike to an earlier reply's."
        )
    return " ".join(sentences)


def _table(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return before and after as a table, with `-` where a measure was undefined."""
    names = [key.removeprefix(PREFIX) for key in {**before, **after} if key.startswith(PREFIX)]
    rows = [f"| measure | step {before['step']} | step {after['step']} |", "|---|---:|---:|"]
    for name in names:
        values = [entry.get(PREFIX + name) for entry in (before, after)]
        rows.append(f"| {name} | " + " | ".join("-" if value is None else f"{value:.3f}" for value in values) + " |")
    less = [f"`{name}`" for name in names if name.startswith(HIGHER_IS_LESS_VARIED)]
    note = f" Lower is more varied for {', '.join(less)}." if less else ""
    return f"On held-out prompts, measured in the replies to each prompt and averaged.{note}\n\n" + "\n".join(rows)
