"""Run by torchrun on two processes: one group of six straddles them, three completions on each."""

import json
import sys

import torch
from accelerate.utils import gather_object

from hfdiv import DiverseGRPOTrainer
from tests.trainer.tiny import prompts, settings, tiny_model, tiny_tokenizer, wants_thanks


TEXTS = ["red red green", "red red green", "one two three", "one two four", "yes no", "thanks"]


def main(output_file):
    captured = {}

    class Spy(DiverseGRPOTrainer):
        def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
            start = 3 * self.accelerator.process_index
            ids = [[3, 1]] * 3  # ends with <eos>
            rewards = super()._calculate_rewards(inputs, prompts, TEXTS[start : start + 3], ids)
            captured.setdefault("rewards", rewards.tolist())
            captured.setdefault("term", self._advantage_term.tolist())
            return rewards

        def _generate_and_score_completions(self, inputs):
            output = super()._generate_and_score_completions(inputs)
            captured.setdefault("advantages", output["advantages"].tolist())
            return output

    results = {}
    for form in ("additive", "advantage"):
        captured.clear()
        trainer = Spy(
            tiny_model(),
            reward_funcs=wants_thanks,
            args=settings(
                per_device_train_batch_size=3,
                num_generations=6,
                max_steps=2,
                diversity_weight=1.0,
                diversity_form=form,
                scale_rewards="none",
            ),
            train_dataset=prompts(),
            processing_class=tiny_tokenizer(),
        )
        trainer.train()
        ranks = gather_object([captured | {"world": trainer.accelerator.num_processes}])
        weights = torch.cat([p.detach().flatten() for p in trainer.model.parameters()]).double().sum().item()
        results[form] = {"ranks": ranks, "weights": gather_object([weights])}
    if trainer.accelerator.is_main_process:
        with open(output_file, "w") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main(sys.argv[1])
