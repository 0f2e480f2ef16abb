"""What hfdiv's processor adds to a decode step of vLLM: the same requests with and without parameters, in one run.

    VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_ENABLE_V1_MULTIPROCESSING=0 OMP_NUM_THREADS=1 \
        .venv-vllm/bin/python benchmarks/serving.py smollm2

(`make test-vllm` makes that environment, and `python examples/save_model.py smollm2` the model.) Arms take turns, each
`--rounds` times; the ratio is that of the medians. "processor" is the time inside the processor alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch
import vllm
from vllm import LLM, SamplingParams

from hfdiv.generation.vllm import DiversityLogitsProcessor


HISTORY = ["I am sorry for the wait. Is there anything else I can help you with?"] * 3
ARMS: dict[str, dict[str, Any] | None] = {
    "no parameters": None,
    "DRY": {"dry_multiplier": 0.8},
    "LZ": {"lz_strength": 0.2},
    "history": {"history_multiplier": 4.0, "history": HISTORY},
    "top-n-sigma": {"top_n_sigma": 1.0},
    "XTC": {"xtc_probability": 0.5},
    "all": {
        "dry_multiplier": 0.8,
        "lz_strength": 0.2,
        "history_multiplier": 4.0,
        "history": HISTORY,
        "top_n_sigma": 1.0,
        "xtc_probability": 0.5,
    },
}


class Clock:
    """Adds up the time spent inside the processor."""

    def __init__(self) -> None:
        self.seconds = 0.0
        apply = DiversityLogitsProcessor.apply

        def timed(processor: DiversityLogitsProcessor, logits: torch.Tensor, context: object = None) -> torch.Tensor:
            started = time.perf_counter()
            result = apply(processor, logits, context)
            self.seconds += time.perf_counter() - started
            return result

        DiversityLogitsProcessor.apply = timed  # type: ignore[method-assign]


def main(arguments: Sequence[str] | None = None) -> None:
    """Time all arms and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    clock = Clock()
    length = options.prompt_tokens + options.new_tokens
    llm = LLM(
        options.model, dtype="float32", enforce_eager=True, max_model_len=length, max_num_seqs=options.batch_size
    )
    ids = torch.randint(
        100, 40_000, (options.batch_size, options.prompt_tokens), generator=torch.Generator().manual_seed(0)
    )
    prompts = [{"prompt_token_ids": row.tolist()} for row in ids]
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ARMS}
    for turn in range(options.rounds + 1):  # the first warms up
        for name, wish in ARMS.items():
            params = SamplingParams(
                temperature=1.0, seed=0, max_tokens=options.new_tokens, ignore_eos=True, extra_args=wish
            )
            clock.seconds, started = 0.0, time.perf_counter()
            llm.generate(prompts, params, use_tqdm=False)
            if turn:
                seconds[name].append((time.perf_counter() - started, clock.seconds))
    print(f"vLLM {vllm.__version__}, torch {torch.__version__}, {options}")
    base = statistics.median(whole for whole, _ in seconds["no parameters"])
    print("| | whole | to no parameters | processor, ms a step | share |\n|---|---|---|---|---|")
    for name, runs in seconds.items():
        whole, inside = (statistics.median(values) for values in zip(*runs, strict=True))
        print(
            f"| {name} | {whole:.2f} s | {whole / base:.3f}x | {1000 * inside / options.new_tokens:.2f} | "
            f"{inside / whole:.2%} |"
        )


if __name__ == "__main__":
    main()
