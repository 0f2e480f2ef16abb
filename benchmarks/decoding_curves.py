"""Diversity against log-probability: each decoding strategy against temperature alone, on the same prompts.

    python benchmarks/decoding_curves.py --json decoding_curves.json --png docs/images/decoding_curves.png

Per setting it writes `--replies` replies to each prompt. Diversity is in-group Distinct-2 (and self-BLEU); the price
is the mean log-probability of a token under the plain model, at temperature 1 and without processors. The last column
is a strategy's Distinct-2 less that of temperature sampling at the *same* mean log-probability, where the curve of
temperatures is read between its points; the interval is a bootstrap over prompts of the whole procedure.

Settings that the JSON file holds already are not run again, so that an interrupted run goes on, and more settings or
another picture cost nothing twice. `--prompts` takes JSON lines with a field `prompt`; by default they are the demo's.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sampled import Written, write
from transformers import PreTrainedTokenizerBase

from hfdiv import __version__
from hfdiv.demo.model import load_model
from hfdiv.demo.texts import load_scenario
from hfdiv.diversity import distinct_n, self_bleu
from hfdiv.generation import DecodingConfig
from hfdiv.selection import Method, select


Floats = NDArray[np.float64]
Result: TypeAlias = dict[str, Any]

TEMPERATURES = (0.5, 0.6, 0.7, 0.85, 1.0, 1.15)
POOLED = 0.85  # the temperature at which twice as many replies are drawn, to select from
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "temperature": {f"T {t}": {"temperature": t} for t in TEMPERATURES},
    "arithmetic sampling": {
        f"arithmetic, T {t}": {"temperature": t, "arithmetic_sampling": True} for t in (0.6, 0.7, 0.85, 1.0)
    },
    "sibling penalty": {
        **{
            f"sibling {m}, T {t}": {"temperature": t, "sibling_multiplier": m, "sibling_allowed_length": 1}
            for m, t in ((0.5, 0.6), (1.0, 0.6), (2.0, 0.6), (4.0, 0.6), (1.0, 0.85))
        },
        "sibling 0.8 from 2 tokens, T 0.6": {"temperature": 0.6, "sibling_multiplier": 0.8},
    },
    "XTC": {
        "XTC 0.5, T 0.6": {"temperature": 0.6, "xtc_probability": 0.5},
        "XTC 0.5, T 0.85": {"temperature": 0.85, "xtc_probability": 0.5},
    },
    "top-nσ": {
        "top-1σ, T 1.0": {"top_n_sigma": 1.0},
        "top-1σ, T 1.5": {"top_n_sigma": 1.0, "temperature": 1.5},
    },
    "DRY": {"DRY 0.8, T 0.7": {"temperature": 0.7, "dry_multiplier": 0.8}},
    "frequency penalty": {"frequency 0.5, T 0.7": {"temperature": 0.7, "frequency_penalty": 0.5}},
}
SELECTIONS: dict[str, Method] = {
    f"MMR, T {POOLED}": "mmr",
    f"DPP, T {POOLED}": "dpp",
    f"max-min, T {POOLED}": "max_min",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not there yet, print the table, and draw the picture where asked."""
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    conditions = {
        "prompts": str(options.prompts.name if options.prompts else "demo, held out and training messages"),
        "n_prompts": options.n_prompts,
        "replies": options.replies,
        "max_new_tokens": options.max_new_tokens,
        "seed": options.seed,
        "model": str(options.model.name if options.model else "SmolLM2-135M-Instruct"),
    }
    results = stored(options.json, conditions)
    missing = {
        name: {label: config for label, config in settings.items() if label not in results}
        for name, settings in SETTINGS.items()
        if name in options.strategies
    }
    if any(missing.values()):
        run(options, missing, results, lambda: save(options.json, conditions, results))
    rows = compare(results, options.resamples)
    print_table(rows)
    save(options.json, conditions, results, rows)
    if options.png:
        from decoding_picture import draw

        draw(rows, conditions, options.png)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of a chat model; default: the demo's, from its package")
    parser.add_argument("--prompts", type=Path, help="JSON lines with a field `prompt`; default: the demo's messages")
    parser.add_argument("--n-prompts", type=int, default=16)
    parser.add_argument("--replies", type=int, default=8)
    parser.add_argument("--max-new-tokens", type=int, default=40)
    parser.add_argument("--strategies", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--resamples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True, help="results; those that it holds are not run again")
    parser.add_argument("--png", type=Path, help="the picture")
    options = parser.parse_args(arguments)
    options.strategies = list(dict.fromkeys(["temperature", *options.strategies]))  # all are compared with it
    return options


def stored(path: Path, conditions: Result) -> dict[str, Result]:
    """Return the results that `path` holds, if it was made under the same conditions."""
    if not path.exists():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))
    if held["conditions"] != conditions:
        raise SystemExit(f"{path} was made under other conditions: {held['conditions']}. Give another --json.")
    results: dict[str, Result] = held["settings"]
    return results


def save(path: Path, conditions: Result, results: dict[str, Result], rows: Sequence[Result] = ()) -> None:
    """Write conditions, per-prompt results and the table."""
    machine = {"python": platform.python_version(), "hfdiv": __version__, "processor": platform.machine()}
    versions = machine | {name: version(name) for name in ("torch", "transformers")}
    facts = {"conditions": conditions, "versions": versions, "table": list(rows), "settings": results}
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def run(
    options: argparse.Namespace,
    missing: dict[str, dict[str, Any]],
    results: dict[str, Result],
    keep: Callable[[], None],
) -> None:
    """Write and measure the replies of each missing setting, and keep them at once."""
    model, tokenizer = load_model(options.model)
    model.eval()
    prompts = read_prompts(options, tokenizer)
    for family, settings in missing.items():
        for label, setting in settings.items():
            started = time.process_time()
            pooled = family == "temperature" and setting["temperature"] == POOLED
            config = DecodingConfig(
                **setting,
                max_new_tokens=options.max_new_tokens,
                num_return_sequences=options.replies * (2 if pooled else 1),
                seed=options.seed,
            )
            groups = write(model, tokenizer, prompts, config)
            results[label] = measure(family, setting, [group[: options.replies] for group in groups])
            if pooled:
                for name, method in SELECTIONS.items():
                    chosen = [choose(group, options.replies, method) for group in groups]
                    results[name] = measure("selection", {"temperature": POOLED, "method": method}, chosen)
            keep()
            print(f"{label}: {time.process_time() - started:.0f} s of CPU", flush=True)


def read_prompts(options: argparse.Namespace, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the prompts in the model's chat format."""
    if options.prompts:
        lines = options.prompts.read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["prompt"] for line in lines if line.strip()]
    else:
        scenario = load_scenario()
        texts = [message.text for message in (*scenario.heldout, *scenario.train)]
    if len(texts) < options.n_prompts:
        raise SystemExit(f"There are {len(texts)} prompts, too few for --n-prompts {options.n_prompts}.")
    spread = np.linspace(0, len(texts) - 1, options.n_prompts).round().astype(int)
    messages = [[{"role": "user", "content": texts[place]}] for place in spread]
    return [tokenizer.apply_chat_template(each, tokenize=False, add_generation_prompt=True) for each in messages]


def choose(group: Sequence[Written], k: int, method: Method) -> list[Written]:
    """Return k of the replies, with log-probability as their quality."""
    chosen = select([reply.text for reply in group], k, method, quality=[reply.logprob for reply in group])
    return [group[place] for place in chosen]


def measure(family: str, setting: Result, groups: Sequence[Sequence[Written]]) -> Result:
    """Return one number a prompt of each measure."""
    texts = [[reply.text for reply in group] for group in groups]

    def each(attribute: Callable[[Written], float]) -> list[float]:
        return [round(float(np.mean([attribute(reply) for reply in group])), 4) for group in groups]

    return {
        "family": family,
        "setting": setting,
        "distinct_2": [round(float(value), 4) for value in distinct_n(texts, 2).values],
        "self_bleu": [round(float(value), 4) for value in self_bleu(texts).values],
        "logprob": each(lambda reply: reply.logprob),
        "n_tokens": each(lambda reply: len(reply.ids)),
        "finished": each(lambda reply: reply.finished),
        "example": texts[0][0],
    }


def compare(results: dict[str, Result], resamples: int, seed: int = 0) -> list[Result]:
    """Return one row a setting: means, and how far it lies above the curve of temperatures, with 95% intervals."""
    x = {label: np.array(result["logprob"]) for label, result in results.items()}
    y = {label: np.array(result["distinct_2"]) for label, result in results.items()}
    curve = [label for label, result in results.items() if result["family"] == "temperature"]
    n = len(x[curve[0]])
    draws = np.vstack([np.arange(n), np.random.default_rng(seed).integers(0, n, (resamples, n))])  # first: as it is
    x_mean = {label: np.nanmean(values[draws], axis=1) for label, values in x.items()}
    y_mean = {label: np.nanmean(values[draws], axis=1) for label, values in y.items()}
    rows = []
    for label, result in results.items():
        row = {
            "label": label,
            "family": result["family"],
            "distinct_2": interval(y_mean[label]),
            "logprob": interval(x_mean[label]),
            **{name: float(np.nanmean(result[name])) for name in ("self_bleu", "n_tokens", "finished")},
        }
        if label not in curve:
            at_equal = above(x_mean[label], y_mean[label], [x_mean[c] for c in curve], [y_mean[c] for c in curve])
            row["above_temperature"] = interval(at_equal)
        rows.append(row)
    return rows


def above(x: Floats, y: Floats, curve_x: Sequence[Floats], curve_y: Sequence[Floats]) -> Floats:
    """Return y less the curve at x, draw by draw; NaN where x lies outside the curve."""
    cx, cy = np.stack(curve_x, axis=1), np.stack(curve_y, axis=1)
    found = np.full(len(x), np.nan)
    for draw in range(len(x)):
        order = np.argsort(cx[draw])
        found[draw] = y[draw] - np.interp(x[draw], cx[draw][order], cy[draw][order], left=np.nan, right=np.nan)
    return found


def interval(draws: Floats) -> list[float | None]:
    """Return the value and the 2.5th and 97.5th percentile; None where more than 1 draw in 100 is undefined."""
    if np.isnan(draws[0]) or np.isnan(draws).mean() > 0.01:
        return [None, None, None]
    low, high = np.nanpercentile(draws[1:], [2.5, 97.5])
    return [round(float(value), 4) for value in (draws[0], low, high)]


def print_table(rows: Sequence[Result]) -> None:
    """Print the table in Markdown."""
    print("| setting | log-probability | Distinct-2 | self-BLEU | tokens | finished | Distinct-2 above temperature |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        difference = row.get("above_temperature")
        if difference is None:
            last = ""
        elif difference[0] is None:
            last = "off the curve"
        else:
            last = "{:+.3f} ({:+.3f} to {:+.3f})".format(*difference)
        print(
            f"| {row['label']} | {row['logprob'][0]:.2f} | {row['distinct_2'][0]:.3f} | {row['self_bleu']:.3f} | "
            f"{row['n_tokens']:.1f} | {row['finished']:.0%} | {last} |"
        )


if __name__ == "__main__":
    main()
