"""The diversity term of the trainers that sample groups of completions (GRPO and its kin)."""

from __future__ import annotations

import inspect
import math
from contextlib import ExitStack
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from accelerate.utils import gather_object
from numpy.typing import NDArray
from transformers import TrainerCallback

from hfdiv.generation.config import DecodingConfig
from hfdiv.similarity import Similarity
from hfdiv.text import response_text
from hfdiv.trainer.arguments import ON_THE_ADVANTAGE, DiversityArguments
from hfdiv.trainer.columns import DiversityColumn, append_rewards
from hfdiv.trainer.decoding import RolloutDecoding, refuse_other_generation
from hfdiv.trainer.gate import RunningQualityCallback
from hfdiv.trainer.groups import Group, level_of_groups
from hfdiv.trainer.history import HistoryPenalty
from hfdiv.trainer.model_card import DiversityCardMixin, objective_in_words
from hfdiv.trainer.objectives import Objective, objective_of
from hfdiv.trainer.policy import PolicyStates
from hfdiv.trainer.resume import ExactResumeCallback
from hfdiv.trainer.signature import TargetSignatureCallback
from hfdiv.trainer.similarities import cosine_kernels, group_similarities, similarity_of
from hfdiv.trainer.target import DiversityTargetCallback


# The private and undocumented names of TRL that this package reads or overrides, by the class that must have them. A
# test compares them with the installed TRL, so that a change upstream fails there and not in somebody's run.
SEAMS = {
    "_calculate_rewards": ("inputs", "prompts", "completions", "completion_ids_list"),
    "_generate_and_score_completions": ("inputs",),
    "_log_metric": ("name", "value"),
    "_log_completion_extra": ("column", "values"),
}
SEAM_ATTRIBUTES = (
    "_tokenizer",
    "eos_token_ids",
    "num_generations",
    "num_generations_eval",
    "reward_func_names",
    "reward_funcs",
    "reward_weights",
)

Callback = TypeVar("Callback", bound=TrainerCallback)


class DiverseRolloutMixin(DiversityCardMixin):
    """Adds a diversity term to a TRL trainer that samples a group of completions for each prompt.

    Groups are scored whole, at generation, over the texts of all processes: a group may straddle them. What a
    completion earns is an objective of `hfdiv.trainer.objectives`; it goes into a reward column of its own, or onto
    the advantage.

    Beside what the parent logs: `quality` (weighted sum of the user's rewards), `diversity/novelty`,
    `diversity/distinct_2` (mean over groups), `diversity/counted` (share of completions that were compared), and a
    column `novelty` in the completions table; `diversity/gate` with a running quality gate; `diversity/target`,
    `diversity/level` (of the target's measure, mean over groups) and `diversity/weight` with a target.
    """

    _config_class: ClassVar[type[DiversityArguments]]
    _similarity: Similarity | None
    _objective: Objective
    _policy: PolicyStates | None
    _column: int | None
    _advantage_term: torch.Tensor

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - the parent's
        similarity: Similarity | None = None,
        decoding: DecodingConfig | None = None,
        **kwargs: Any,  # noqa: ANN401 - the parent's
    ) -> None:
        given = inspect.signature(super().__init__).bind(*args, **kwargs).arguments
        config = given.get("args")
        if config is None:
            config = given["args"] = self._config_class(f"{_model_name(given['model'])}-{self._name}")  # type: ignore
        if not isinstance(config, self._config_class):
            raise TypeError(
                f"`args` must be a {self._config_class.__name__}, got {type(config).__name__}. It takes the same "
                "arguments and those of the diversity term."
            )
        self._similarity = similarity or similarity_of(config)
        self._policy = None
        if self._similarity is None:
            use = "Use 'embedding' with a `diversity_encoder`, or 'ngram'."
            refuse_other_generation(given, "`diversity_similarity='policy'`", use)
            self._policy = PolicyStates()
        self._decoding = None
        if decoding is not None:
            refuse_other_generation(given, "`decoding`", "Leave it out, or set what the engine itself offers.")
            self._decoding = RolloutDecoding(decoding, config.num_generations)  # type: ignore[attr-defined]
        self._objective = objective_of(config)
        column = DiversityColumn()
        columns: dict[Any, float] = {}
        if config.diversity_weight > 0 and config.diversity_form not in ON_THE_ADVANTAGE:
            columns[column] = config.diversity_weight
        if config.history_weight > 0:
            columns[HistoryPenalty(config, self._similarity)] = config.history_weight
        append_rewards(given, columns)
        _append_callbacks(given, config)
        super().__init__(**given)
        self._own_columns = [self.reward_funcs.index(reward) for reward in columns]  # type: ignore[attr-defined]
        self._column = self._own_columns[0] if column in columns else None

    def _in_words(self) -> str:
        return objective_in_words(self.args, self._similarity)  # type: ignore[attr-defined]

    def _generate_and_score_completions(self, inputs: list[Any]) -> dict[str, Any]:
        args = self.args  # type: ignore[attr-defined]
        model = self.accelerator.unwrap_model(self.model)  # type: ignore[attr-defined]
        with ExitStack() as stack:
            if self._policy is not None:
                stack.enter_context(self._policy.recording(model))
            if self._decoding is not None and self.model.training:  # type: ignore[attr-defined]
                histories = self._decoding.histories(inputs, args.history_column)
                ends = self.eos_token_ids  # type: ignore[attr-defined]
                stack.enter_context(self._decoding.writing(model, self._tokenizer, histories, ends))  # type: ignore[attr-defined]
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)  # type: ignore[misc]
        if args.diversity_form in ON_THE_ADVANTAGE and args.diversity_weight > 0:
            output["advantages"] = output["advantages"] + self._advantage_term[self._local(len(output["advantages"]))]
        return output

    def _calculate_rewards(
        self,
        inputs: list[Any],
        prompts: list[Any],
        completions: list[Any],
        completion_ids_list: list[Any],
    ) -> torch.Tensor:
        rewards: torch.Tensor = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)  # type: ignore[misc]
        self._refuse_infinite(rewards)
        quality = self._quality(rewards)
        groups = self._groups(quality, completions, completion_ids_list)
        terms = self._terms(groups)
        if self._own_columns:
            if self._column is not None:
                rewards[:, self._column] = torch.as_tensor(terms, dtype=rewards.dtype, device=rewards.device)
            unscorable = torch.as_tensor(np.isnan(quality), device=rewards.device)
            rewards[:, self._own_columns] = rewards[:, self._own_columns].masked_fill(unscorable[:, None], torch.nan)
        self._log_diversity(quality, groups, len(completions))
        weights = np.repeat(self._weights(groups), [len(group.texts) for group in groups])
        self._advantage_term = torch.as_tensor(weights * terms, dtype=rewards.dtype, device=rewards.device)
        return rewards

    def _terms(self, groups: list[Group]) -> NDArray[np.float64]:
        """What the completions of all groups earn, before the weight; nothing is asked of them at weight 0."""
        if self.args.diversity_weight == 0:  # type: ignore[attr-defined]
            return np.zeros(sum(len(group.texts) for group in groups))
        return np.concatenate([self._objective(group.quality, group.similarity, group.counted) for group in groups])

    def _refuse_infinite(self, rewards: torch.Tensor) -> None:
        """Name the reward function that returned what no mean and no advantage can be made of."""
        found = torch.isinf(rewards).nonzero()
        if len(found):
            row, column = found[0].tolist()
            name = self.reward_func_names[column]  # type: ignore[attr-defined]
            raise ValueError(
                f"The reward function {name!r} returned {rewards[row, column].item()} for completion {row} of this "
                "generation. Return a finite number, or None for a completion that cannot be scored."
            )

    def _quality(self, rewards: torch.Tensor) -> NDArray[np.float64]:
        """Weighted sum of the user's rewards, `(N,)`, NaN where none of them scored the completion."""
        columns = [column for column in range(rewards.shape[1]) if column not in self._own_columns]
        weights = self.reward_weights[columns].to(rewards.device)  # type: ignore[attr-defined]
        quality = (rewards[:, columns] * weights).nansum(dim=1)
        if columns:
            quality[torch.isnan(rewards[:, columns]).all(dim=1)] = torch.nan
        values: NDArray[np.float64] = quality.double().cpu().numpy()
        return values

    def _groups(self, quality: NDArray[np.float64], completions: list[Any], ids: list[Any]) -> list[Group]:
        """The groups of all processes with what their objective needs."""
        texts = gather_object([response_text(completion) for completion in completions])
        finished = np.array(gather_object([self._finished(tokens) for tokens in ids]), dtype=bool)
        counted = finished & ~np.isnan(quality) & self._good_enough(quality)
        in_groups = self._in_groups(texts)
        if self._policy is None:
            kernels = group_similarities(in_groups, self._similarity)  # type: ignore[arg-type]
        else:
            vectors = self._policy.vectors([len(tokens) for tokens in ids])
            gathered = self.accelerator.gather(vectors).double().cpu().numpy()  # type: ignore[attr-defined]
            kernels = cosine_kernels(self._in_groups(gathered))
        parts = in_groups, *map(self._in_groups, (quality, counted, finished)), kernels
        return [Group(*part) for part in zip(*parts, strict=True)]

    def _good_enough(self, quality: NDArray[np.float64]) -> NDArray[np.bool_]:
        gate = self.args.quality_gate  # type: ignore[attr-defined]
        if gate is None:
            return np.ones(len(quality), dtype=bool)
        if gate != "running":
            good: NDArray[np.bool_] = quality >= np.float32(gate)  # rewards are; 0.3 passes a gate at 0.3
            return good
        running = self._callback(RunningQualityCallback)
        passed = running.passes(quality, update=self.model.training)  # type: ignore[attr-defined]
        if running.mean is not None:
            self._log_metric("diversity/gate", running.mean)  # type: ignore[attr-defined]
        return passed

    def _weights(self, groups: list[Group]) -> NDArray[np.float64]:
        """Weight of each group's term on the advantage. A target's controller moves in training only."""
        args = self.args  # type: ignore[attr-defined]
        if args.diversity_target is None:
            return np.full(len(groups), args.diversity_weight)
        if not self.model.training:  # type: ignore[attr-defined]
            return np.zeros(len(groups))
        values = level_of_groups(groups, args.diversity_target_measure, args.diversity_tokenizer)
        controller = self._callback(DiversityTargetCallback).controller
        weights: NDArray[np.float64] = controller.weights(values)
        log = self._log_metric  # type: ignore[attr-defined]
        if not np.isnan(values).all():
            log("diversity/level", float(np.nanmean(values)))
        log("diversity/weight", float(weights.mean()))
        log("diversity/target", controller.target)
        return weights

    def _callback(self, kind: type[Callback]) -> Callback:
        """The trainer's callback of a kind; transformers may replace it when training resumes, so keep none."""
        callbacks = self.callback_handler.callbacks  # type: ignore[attr-defined]
        return next(callback for callback in callbacks if isinstance(callback, kind))

    def _finished(self, completion_ids: list[int]) -> bool:
        """Tell whether a completion counts: it ended by itself, or unfinished ones count as well."""
        if not self.args.diversity_finished_only:  # type: ignore[attr-defined]
            return True
        ends = (*self.eos_token_ids, self._tokenizer.pad_token_id)  # type: ignore[attr-defined]
        return len(completion_ids) > 0 and int(completion_ids[-1]) in ends

    def _local(self, n_local: int) -> slice:
        """Return the rows of this process among those of all."""
        start = self.accelerator.process_index * n_local  # type: ignore[attr-defined]
        return slice(start, start + n_local)

    def _in_groups(self, items: Any) -> list[Any]:  # noqa: ANN401 - list or array in, slices of it out
        training = self.model.training  # type: ignore[attr-defined]
        size = self.num_generations if training else self.num_generations_eval  # type: ignore[attr-defined]
        if len(items) % size:
            raise ValueError(f"Cannot score diversity: {len(items)} completions are not whole groups of {size}.")
        return [items[start : start + size] for start in range(0, len(items), size)]

    def _log_diversity(self, quality: NDArray[np.float64], groups: list[Group], n_local: int) -> None:
        log = self._log_metric  # type: ignore[attr-defined]
        novelties = np.concatenate([group.novelty for group in groups])
        if not np.isnan(quality).all() and len(self._own_columns) < len(self.reward_funcs):  # type: ignore[attr-defined]
            log("quality", float(np.nanmean(quality)))
        if not np.isnan(novelties).all():
            log("diversity/novelty", float(np.nanmean(novelties)))
        distinct = level_of_groups(groups, "distinct_2", self.args.diversity_tokenizer)  # type: ignore[attr-defined]
        if not np.isnan(distinct).all():
            log("diversity/distinct_2", float(np.nanmean(distinct)))
        log("diversity/counted", float(np.mean(~np.isnan(novelties))))
        local = [None if math.isnan(score) else float(score) for score in novelties[self._local(n_local)]]
        self._log_completion_extra("novelty", local)  # type: ignore[attr-defined]


def _append_callbacks(given: dict[str, Any], config: DiversityArguments) -> None:
    """Add what a checkpoint must hold, and what makes resuming from it exact.

    A controller with other settings than ours is taken where the caller gives one.
    """
    own: list[TrainerCallback] = [ExactResumeCallback()]
    if config.quality_gate == "running":
        own.append(RunningQualityCallback())
    if config.diversity_target is not None:
        if not any(isinstance(callback, DiversityTargetCallback) for callback in given.get("callbacks") or []):
            own.append(DiversityTargetCallback(config.diversity_target))
        signature = f"{config.diversity_target_measure}|size:{config.num_generations}|tok:{config.diversity_tokenizer}"  # type: ignore[attr-defined]
        own.append(TargetSignatureCallback(signature))
    given["callbacks"] = [*(given.get("callbacks") or []), *own]


def _model_name(model: Any) -> str:  # noqa: ANN401 - a name or a model
    name = model if isinstance(model, str) else model.config._name_or_path
    return str(name).rstrip("/").split("/")[-1]
