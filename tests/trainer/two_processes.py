"""Run by torchrun on two processes: one group of six straddles them, three completions on each."""

import json
import sys
import time

import torch
from accelerate import PartialState
from accelerate.utils import gather_object

from hfdiv import DiverseGRPOTrainer
from hfdiv.trainer import DiverseGRPOConfig, DiverseRLOOConfig, DiverseRLOOTrainer
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


TEXTS = ["red thanks green", "red red green", "one two thanks thanks", "one two thanks", "yes no", "thanks"]
HISTORY = ["Which one? yes no"]
CASES = {
    "additive": {},
    "multiplicative": {"diversity_form": "multiplicative"},
    "graph_cut": {"diversity_form": "adjustment"},
    "log_det": {"diversity_form": "adjustment", "diversity_adjustment": "log_det"},
    "frequency": {"diversity_form": "frequency", "quality_gate": "running"},
    "advantage": {"diversity_form": "advantage"},
    "set_marginal": {"diversity_form": "set_marginal", "quality_gate": -0.2},
    "target": {"diversity_form": "advantage", "diversity_target": 0.5},
    "policy": {"diversity_form": "advantage", "diversity_similarity": "policy"},
    "history": {"diversity_weight": 0.0, "history_weight": 1.0},
    "rloo": {"diversity_form": "advantage"},
}


def spy_on(parent, captured):
    class Spy(parent):
        def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
            start = 3 * self.accelerator.process_index
            ids = [[3, 1]] * 3  # ends with <eos>
            rewards = super()._calculate_rewards(inputs, prompts, TEXTS[start : start + 3], ids)
            captured.setdefault("rewards", rewards.tolist())
            captured.setdefault("term", self._advantage_term.tolist())
            return rewards

        def _groups(self, *args):
            groups = super()._groups(*args)
            captured.setdefault("similarity", groups[0].similarity.tolist())
            return groups

        def _generate_and_score_completions(self, inputs):
            output = super()._generate_and_score_completions(inputs)
            captured.setdefault("advantages", output["advantages"].tolist())
            return output

    return Spy


def main(output_file):
    results = {}
    for name, options in CASES.items():
        captured = {}
        parent, config = (
            (DiverseRLOOTrainer, DiverseRLOOConfig) if name == "rloo" else (DiverseGRPOTrainer, DiverseGRPOConfig)
        )
        values = {"diversity_weight": 1.0, "max_steps": 2 if name == "advantage" else 1} | options
        if name != "rloo":
            values["scale_rewards"] = "none"
        trainer = spy_on(parent, captured)(
            tiny_model(),
            reward_funcs=wants_thanks,
            args=settings(config, per_device_train_batch_size=3, num_generations=6, beta=0.0, **values),
            train_dataset=prompts().map(lambda row: {"history": HISTORY}),
            processing_class=tiny_tokenizer(),
        )
        trainer.train()
        ranks = gather_object([captured | {"world": trainer.accelerator.num_processes}])
        weights = torch.cat([p.detach().flatten() for p in trainer.model.parameters()]).double().sum().item()
        results[name] = {"ranks": ranks, "weights": gather_object([weights])}
    if trainer.accelerator.is_main_process:
        with open(output_file, "w") as file:
            json.dump(results, file)
    leave_together()


def leave_together():
    """End the process group in all processes: gloo's threads abort in one whose peer ended before.

    The pause lets them put away the last collective. That takes the GIL, and whoever frees the model meanwhile holds
    it and waits for them: for ever (torch 2.13).
    """
    PartialState().wait_for_everyone()
    time.sleep(1)
    PartialState().destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
