"""Does diverse DPO teach variety? A monotone model learns from its own replies; several seeds.

    python benchmarks/preference.py --demo demo --output-dir preference

(`hfdiv demo --output-dir demo` makes what is needed: `base` is a model that collapsed onto one template, `varied` the
one before that, which judges fluency, and `composed.jsonl` good varied replies, the yardstick.) The base answers
messages at temperature 1. The quality of a reply is its relevance (cosine to the message by all-MiniLM-L6-v2), less
what its log-probability under the judge lacks to the 10th percentile of the yardstick, less 10 if it was cut off. A
reply of a quality below 0 is never preferred. Every arm has as many pairs of each prompt, steps, and settings:

- `random`: plain DPO. Two replies to a prompt at random; the better one is preferred.
- `divpo`: plain DPO on pairs by [`~hfdiv.data.pairs.DivPO`] from the better and the worse half of a prompt's replies.
- `divpo+deviation`: the same pairs, weighted by `DiverseDPOTrainer(pair_weighting="deviation")`.
- `base`: no training.

Measured on messages held out, over the replies that ended by themselves. The intervals of the difference to `random`
are bootstraps over messages of the mean over seeds; the spread over seeds stands beside. Runs that the output folder
holds already are not run again.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import transformers
from datasets import Dataset, load_dataset
from peft import LoraConfig
from preference_table import ARMS, PLAIN, Result, print_table
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback

import hfdiv.data.pairs as pairing
from hfdiv.data import Records, read_records, write_records, write_whole
from hfdiv.data.pairs import Candidate, DivPO, Pair, build_pairs
from hfdiv.data.pairs.pair import paired
from hfdiv.demo.judge import Judge
from hfdiv.demo.model import encoder_folder, load_model
from hfdiv.demo.texts import Message, load_scenario
from hfdiv.generation import sample
from hfdiv.similarity import load_encoder
from hfdiv.trainer import DiverseDPOConfig, DiverseDPOTrainer


CUT_OFF = 10.0


@dataclass(frozen=True)
class RandomPairs:
    """As many pairs of a prompt as DivPO makes, of replies drawn at random; the better one is preferred."""

    divpo: DivPO
    seed: int
    columns: ClassVar[tuple[str, ...]] = ("chosen_quality", "rejected_quality")

    @property
    def signature(self) -> str:
        """Seed, and the method that it counts by."""
        return f"random,seed={self.seed},as many as({self.divpo.signature})"

    def __call__(self, candidates: list[Candidate]) -> list[Pair] | str:
        """Return the pairs of a prompt, or why there are none."""
        counted = self.divpo(candidates)
        if isinstance(counted, str):
            return counted
        possible = [
            (above, below)
            for above, below in permutations(candidates, 2)
            if not above.refused and above.quality > below.quality and above.reply.response != below.reply.response
        ]
        drawn = random.Random(f"{self.seed} {candidates[0].reply.prompt}").sample(possible, len(counted))
        return [
            paired(above.reply, below.reply, dict(zip(self.columns, (above.quality, below.quality), strict=True)))
            for above, below in drawn
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not there yet and print the table."""
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    options.output_dir.mkdir(parents=True, exist_ok=True)
    work = Work(options)
    for seed in options.seeds:
        for arm in options.arms:
            if f"{arm} {seed}" not in work.results:
                started = time.perf_counter()
                work.run(arm, seed)
                print(f"{arm} {seed}: {time.perf_counter() - started:.0f} s", flush=True)
    print_table(work.yardstick, work.floor, work.results, options.resamples)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, help="folder that `hfdiv demo` made; gives the three below")
    parser.add_argument("--model", type=Path, help="folder of the model to train (DEMO/base)")
    parser.add_argument("--judge", type=Path, help="folder of the model that judges fluency (DEMO/varied)")
    parser.add_argument("--yardstick", type=Path, help="file of good varied replies, judged (DEMO/composed.jsonl)")
    parser.add_argument("--output-dir", type=Path, required=True, help="gets the replies, the pairs, and results.json")
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=list(ARMS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--prompts", type=int, default=24, help="messages to make pairs from")
    parser.add_argument("--replies", type=int, default=12, help="replies to each of them")
    parser.add_argument("--max-pairs", type=int, default=3, help="pairs from each of them, at most")
    parser.add_argument("--steps", type=int, default=14)
    parser.add_argument("--batch-size", type=int, default=2, help="pairs a step")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--heldout", type=int, default=12, help="messages to measure on")
    parser.add_argument("--samples", type=int, default=8, help="replies to each of them")
    parser.add_argument("--max-new-tokens", type=int, default=40)
    parser.add_argument("--resamples", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    for name, made in {"model": "base", "judge": "varied", "yardstick": "composed.jsonl"}.items():
        if getattr(options, name) is None:
            if options.demo is None:
                parser.error(f"give --demo, or --{name}")
            setattr(options, name, options.demo / made)
    return options


class Work:
    """The judge, the texts and the results so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        scenario = load_scenario()
        self.heldout = scenario.heldout[: options.heldout]
        self.asked = scenario.train[:: len(scenario.train) // options.prompts][: options.prompts]
        composed = read_records(options.yardstick)
        self.floor = float(np.quantile(np.concatenate(composed.columns["logprob"]), 0.1))
        places = [composed.prompts.index(message.text) for message in self.heldout]
        self.yardstick = as_result(composed, places)
        apart = ("arms", "seeds", "output_dir", "resamples", "threads", "demo")
        self.conditions = {name: str(value) for name, value in vars(options).items() if name not in apart}
        self.file = options.output_dir / "results.json"
        self.results: dict[str, Result] = self._stored()
        self._judge: Judge | None = None

    def run(self, arm: str, seed: int) -> None:
        """Train one arm on one seed, sample from it, judge that, and write it down."""
        model, tokenizer = load_model(self.options.model)
        log: list[dict[str, float]] = []
        if arm != "base":
            pairs = self._pairs(arm, seed)
            weighting = "deviation" if arm == "divpo+deviation" else "none"
            model, log = train(model, tokenizer, pairs, weighting, seed, self.options)
        records = self._replies(model.eval(), tokenizer, self.heldout, self.options.samples, seed)
        self.results[f"{arm} {seed}"] = {**as_result(records), "training": log}
        facts = {"conditions": self.conditions, "floor": self.floor, "results": self.results}
        write_whole(self.file, [json.dumps(facts, indent=1, ensure_ascii=False), "\n"])

    def _stored(self) -> dict[str, Result]:
        if not self.file.exists():
            return {}
        held = json.loads(self.file.read_text(encoding="utf-8"))
        if held["conditions"] != self.conditions:
            raise SystemExit(
                f"{self.file} was made under other conditions: {held['conditions']}. Give another folder."
            )
        results: dict[str, Result] = held["results"]
        return results

    def _pairs(self, arm: str, seed: int) -> Dataset:
        """Return the pairs of an arm, made from the base's replies, which are sampled once."""
        replies = self.options.output_dir / "replies.jsonl"
        if not replies.exists():
            model, tokenizer = load_model(self.options.model)
            found = self._replies(model.eval(), tokenizer, self.asked, self.options.replies, 0)
            prompts = [message.prompt for message in self.asked]
            write_records(replies, Records(prompts, found.groups, {**found.columns, "quality": self._quality(found)}))
        divpo = DivPO(rho=0.5, max_pairs=self.options.max_pairs)
        folder = self.options.output_dir / (f"pairs-random-{seed}" if arm == PLAIN else "pairs-divpo")
        if not folder.exists():
            method = RandomPairs(divpo, seed) if arm == PLAIN else divpo
            print(build_pairs(replies, folder, method, pairing.Judge(quality="quality", min_quality=0.0)), flush=True)
        pairs: Dataset = load_dataset("parquet", data_files=str(folder / "pairs.parquet"), split="train")
        return pairs.map(lambda row: {name: f" {row[name]}" for name in ("chosen", "rejected")})

    def _quality(self, found: Records) -> list[list[float]]:
        columns = (found.columns[name] for name in ("relevance", "logprob", "finished"))
        return [
            (
                np.array(relevance) + np.minimum(np.array(logprob) - self.floor, 0) - CUT_OFF * (1 - np.array(ends))
            ).tolist()
            for relevance, logprob, ends in zip(*columns, strict=True)
        ]

    def _replies(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        messages: Sequence[Message],
        n: int,
        seed: int,
    ) -> Records:
        if self._judge is None:
            varied, of_judge = load_model(self.options.judge)
            self._judge = Judge(load_encoder(encoder_folder(), device="cpu"), varied.eval(), of_judge)
        sampled = sample(
            model,
            tokenizer,
            [message.prompt for message in messages],
            num_return_sequences=n,
            max_new_tokens=self.options.max_new_tokens,
            seed=seed,
        )
        return self._judge.records(
            messages, [reply.responses for reply in sampled], [reply.finished for reply in sampled]
        )


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Dataset,
    weighting: str,
    seed: int,
    options: argparse.Namespace,
) -> tuple[PreTrainedModel, list[dict[str, float]]]:
    """Return the model after DPO with LoRA, merged, and what was logged at each step."""
    with tempfile.TemporaryDirectory() as folder:
        config = DiverseDPOConfig(
            folder,
            pair_weighting=weighting,  # type: ignore[arg-type]
            max_steps=options.steps,
            per_device_train_batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            lr_scheduler_type="constant",
            beta=0.1,
            max_length=None,
            seed=seed,
            use_cpu=not torch.cuda.is_available(),
            bf16=torch.cuda.is_available(),
            gradient_checkpointing=False,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = DiverseDPOTrainer(
            model,
            args=config,
            train_dataset=pairs,
            processing_class=tokenizer,
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    names = ("loss", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected")
    log = [{name: step[name] for name in names if name in step} for step in trainer.state.log_history[:-1]]
    return trainer.model.merge_and_unload(), log


def as_result(records: Records, places: Sequence[int] | None = None) -> Result:
    """Return the replies and what the judges say, of some of the prompts."""
    kept = range(len(records.prompts)) if places is None else places
    named: dict[str, list[Any]] = {"replies": records.groups, **records.columns}
    return {name: [values[place] for place in kept] for name, values in named.items()}


if __name__ == "__main__":
    main()
