"""The main job, stage by stage. Each stage writes what it made before the next one starts."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import torch

from hfdiv import __version__
from hfdiv.data import Records, write_records
from hfdiv.demo.judge import Judge
from hfdiv.demo.model import encoder_folder, load_model
from hfdiv.demo.texts import Message, Scenario, load_scenario
from hfdiv.demo.train import diversify, finetune, questions
from hfdiv.generation import sample
from hfdiv.report import Comparison, compare, write_report
from hfdiv.similarity import load_encoder


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MADE = ("varied", "base", "adapter", "control", "figures")
"""Folders that a run makes, beside its files."""


_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


Progress: TypeAlias = Callable[[str, int, int], None]
"""Told of every step: the stage, how many of its steps are done, and how many there are."""


@dataclass(frozen=True)
class DemoSettings:
    """What the demo does; the defaults take four to eight minutes on two cores."""

    model: str | None = None
    """Name, folder or GGUF file of the model. Defaults to SmolLM2-135M-Instruct from its package."""
    seed: int = 0
    varied_steps: int = 20
    """Steps of fine-tuning on good varied replies: the repertoire, and the model that judges fluency."""
    template_share: float = 0.55
    """Probability of the template at which the model counts as monotone, and fine-tuning on it stops."""
    monotone_steps: int = 15
    """Most steps of that."""
    batch_size: int = 8
    varied_learning_rate: float = 1.2e-4
    monotone_learning_rate: float = 8e-6
    diversity_steps: int = 8
    """Steps of GRPO, one prompt with `num_generations` completions each."""
    learning_rate: float = 2e-4
    diversity_weight: float = 0.5
    diversity_form: str = "additive"
    n_heldout: int = 16
    """Messages that nothing was trained on, to measure on."""
    num_generations: int = 8
    max_new_tokens: int = 40
    control: bool = False
    """Whether to train a second adapter with a diversity weight of 0, everything else the same."""
    scenario: Scenario = field(default_factory=load_scenario, repr=False)


def run_demo(output_dir: Path, settings: DemoSettings, on_progress: Progress, overwrite: bool = False) -> Comparison:
    """Make a model monotone, measure it, train it for diversity, measure it again, and write the report.

    Args:
        output_dir: Gets `varied/` (the model that judges fluency), `base/` (the monotone model) and `adapter/`;
            `before.jsonl`, `after.jsonl`, `composed.jsonl` (good varied replies, the yardstick) and
            `training.jsonl`; `report.html`, `report.json`, `figures/` and `demo.json`; with a control, `control/`
            with its own adapter, replies and report.
        settings: What to do.
        on_progress: Told of each step.
        overwrite: Whether to replace what an earlier run left in `output_dir`.

    Raises:
        FileExistsError: If `output_dir` is not empty and `overwrite` is false.
        ImportError: If a package that is needed is not installed.
        KeyboardInterrupt: On Ctrl-C. What was finished stays, with `demo.json` saying how far it came.
    """
    _claim(output_dir, overwrite)
    job = _Job(output_dir, settings, on_progress)
    try:
        job.prepare()
        before = job.measure("before.jsonl", job.base)
        after = job.measure("after.jsonl", job.train("adapter", settings.diversity_weight))
        comparison = compare(before, after, where="finished", yardstick=job.composed)
        write_report(comparison, output_dir)
        if settings.control:
            folder = output_dir / "control"
            control = job.measure("control/after.jsonl", job.train("control/adapter", 0.0))
            names = ("quality only", "with diversity")
            write_report(compare(control, after, names=names, where="finished", yardstick=job.composed), folder)
        job.finish("complete")
    except BaseException as error:
        job.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    return comparison


class _Job:
    """The models and folders that the stages share."""

    base: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    judge: Judge
    composed: Records

    def __init__(self, output_dir: Path, settings: DemoSettings, on_progress: Progress) -> None:
        self.folder = output_dir
        self.settings = settings
        self.scenario = settings.scenario
        self.heldout = settings.scenario.heldout[: settings.n_heldout]
        self.on_progress = on_progress
        self.seconds: dict[str, float] = {}
        self.template_share: float | None = None
        self._started = time.perf_counter()

    def prepare(self) -> None:
        """Load the model, teach it to answer well in many ways, then to answer everybody alike."""
        self._stage("load the model", 1)
        self.base, self.tokenizer = load_model(self.settings.model)
        self.base.to(_DEVICE)  # type: ignore[arg-type]
        encoder = load_encoder(encoder_folder())
        self._done("load the model")

        rng = random.Random(self.settings.seed)
        rows = []
        for index in range(self.settings.varied_steps * self.settings.batch_size):
            message = rng.choice(self.scenario.train)
            # The template is one good reply among many: what the model later collapses onto, as models do, is its own.
            reply = self.scenario.template if index % 8 == 0 else self.scenario.compose(message.category, rng)
            rows.append((message, reply))
        self._finetune("teach it varied replies", rows, self.settings.varied_steps, self.settings.varied_learning_rate)
        self._save("varied")
        self.judge = Judge(encoder, self._load("varied").eval().requires_grad_(False), self.tokenizer)
        rng = random.Random(self.settings.seed + 1)
        composed = [
            [self.scenario.compose(message.category, rng) for _ in range(self.settings.num_generations)]
            for message in self.heldout
        ]
        self.composed = self.judge.records(self.heldout, composed, [[True] * len(group) for group in composed])
        write_records(self.folder / "composed.jsonl", self.composed)

        template = [(message, self.scenario.template) for message in self.scenario.train]
        steps, rate = self.settings.monotone_steps, self.settings.monotone_learning_rate

        def is_monotone() -> bool:
            # From the template's exact probability: sampling would cost more and say less.
            self.template_share = self.judge.share(self.base, self.scenario.train[::20], self.scenario.template)
            return self.template_share >= self.settings.template_share

        self._finetune("make it monotone", template, steps, rate, until=is_monotone)
        self._save("base")

    def train(self, name: str, weight: float) -> PreTrainedModel:
        """Train a LoRA adapter on the monotone model and save it under `name`."""
        stage = "train for diversity" if weight else "train the control"
        steps = self.settings.diversity_steps
        self._stage(stage, steps)
        model, log = diversify(
            self._load("base"),
            self.tokenizer,
            questions(self.scenario.train),
            self.judge.rewards(self.composed),
            self.folder / name,
            steps=steps,
            seed=self.settings.seed,
            on_step=lambda step: self.on_progress(stage, step, steps),
            num_generations=self.settings.num_generations,
            per_device_train_batch_size=self.settings.num_generations,
            max_completion_length=self.settings.max_new_tokens,
            learning_rate=self.settings.learning_rate,
            lr_scheduler_type="constant",
            diversity_weight=weight,
            diversity_form=self.settings.diversity_form,
        )
        lines = "".join(json.dumps(entry) + "\n" for entry in log)
        (self.folder / name).with_name("training.jsonl").write_text(lines, encoding="utf-8")
        self._done(stage)
        return model

    def measure(self, name: str, model: PreTrainedModel) -> Records:
        """Sample replies to the held-out messages, judge them, and write them to `name`."""
        stage = f"measure {name}"
        messages = self.heldout
        self._stage(stage, len(messages))
        model.eval()
        sampled = sample(
            model,
            self.tokenizer,
            [message.prompt for message in messages],
            num_return_sequences=self.settings.num_generations,
            max_new_tokens=self.settings.max_new_tokens,
            seed=self.settings.seed,
            on_progress=lambda done: self.on_progress(stage, done, len(messages)),
        )
        records = self.judge.records(
            messages, [reply.responses for reply in sampled], [reply.finished for reply in sampled]
        )
        write_records(self.folder / name, records)
        self._done(stage)
        return records

    def finish(self, status: str) -> None:
        """Write `demo.json`: how far the run came, how long each stage took, how monotone the base became."""
        settings = {name: value for name, value in asdict(self.settings).items() if name != "scenario"}
        packages = ("torch", "transformers", "trl", "peft")
        facts = {
            "status": status,
            "seconds": {**self.seconds, "total": round(time.perf_counter() - self._started, 1)},
            "settings": settings,
            "template_share": self.template_share,
            "device": _DEVICE,
            "versions": {"hfdiv": __version__, **{name: version(name) for name in packages}},
        }
        (self.folder / "demo.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def _finetune(
        self,
        stage: str,
        rows: Sequence[tuple[Message, str]],
        steps: int,
        learning_rate: float,
        until: Callable[[], bool] | None = None,
    ) -> None:
        self._stage(stage, steps)
        finetune(
            self.base,
            self.tokenizer,
            rows,
            steps=steps,
            batch_size=self.settings.batch_size,
            learning_rate=learning_rate,
            seed=self.settings.seed,
            on_step=lambda step: self.on_progress(stage, step, steps),
            until=until,
        )
        self._done(stage)

    def _save(self, name: str) -> None:
        self.base.save_pretrained(self.folder / name)
        self.tokenizer.save_pretrained(self.folder / name)

    def _load(self, name: str) -> PreTrainedModel:
        # From disk and not by deepcopy: TRL's trainers give a model a `forward` that is bound to it, and a copy would
        # go on computing with the weights of the original.
        model, _ = load_model(self.folder / name)
        return model.to(_DEVICE)  # type: ignore[arg-type]

    def _stage(self, stage: str, total: int) -> None:
        self._stage_started, self._stage_total = time.perf_counter(), total
        self.on_progress(stage, 0, total)

    def _done(self, stage: str) -> None:
        self.seconds[stage] = round(time.perf_counter() - self._stage_started, 1)
        self.on_progress(stage, self._stage_total, self._stage_total)  # also where it stopped early


def _claim(output_dir: Path, overwrite: bool) -> None:
    """Make the folder, or clear what an earlier run left in it, so that old and new never stand side by side."""
    if output_dir.exists() and not output_dir.is_dir():
        raise NotADirectoryError(f"{output_dir} is a file; give a folder.")
    if output_dir.is_dir() and any(output_dir.iterdir()):
        if not overwrite:
            raise FileExistsError(f"{output_dir} is not empty; give another folder, or --overwrite to replace it.")
        if not (output_dir / "demo.json").is_file():
            raise FileExistsError(f"{output_dir} holds no earlier demo (no demo.json), so it is not overwritten.")
        for name in MADE:
            shutil.rmtree(output_dir / name, ignore_errors=True)
        for path in (*output_dir.glob("*.jsonl"), *output_dir.glob("report.*"), output_dir / "demo.json"):
            path.unlink(missing_ok=True)
    output_dir.mkdir(parents=True, exist_ok=True)
    (output_dir / "demo.json").write_text('{"status": "running"}\n', encoding="utf-8")
