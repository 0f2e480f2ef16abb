"""What pytest may collect where optional packages are missing: the rest still runs, and says what it skipped."""

import importlib.util


NEEDS = {
    "trl": ["hfdiv/trainer/*", "hfdiv/demo/*", "tests/trainer/*", "tests/demo/*", "tests/benchmarks/*"],
    "torch": ["hfdiv/generation/penalties/*", "tests/generation/*"],
    "transformers": ["hfdiv/generation/processors/*", "hfdiv/generation/contrastive/*", "tests/generation/*"],
    "evaluate": ["hfdiv/metrics/*", "tests/metrics/*"],
    "scipy": ["hfdiv/report/*", "tests/report/*", "tests/benchmarks/*"],
    "statsmodels": ["hfdiv/ab/*", "tests/ab/*", "tests/cli/test_ab.py"],
    "matplotlib": ["hfdiv/report/*", "tests/report/*", "tests/ab/*", "tests/cli/test_ab.py", "tests/benchmarks/*"],
    "vllm": ["hfdiv/generation/vllm.py"],
    "sglang": ["hfdiv/generation/sglang.py"],
    "krippendorff": ["hfdiv/data/annotation/agreement.py"],
    "nltk": [
        "tests/diversity/test_self_bleu.py",
        "tests/diversity/test_pairwise.py",
        "tests/similarity/test_bleu.py",
    ],
}

MISSING = [package for package in NEEDS if importlib.util.find_spec(package) is None]
# The Spaces' scripts are no packages: collected, `vendi_score` would stand in the way of the package of that name. The
# maker of reference values runs on an older transformers.
SCRIPTS = ["hfdiv/metrics/*/*.py", "tests/generation/make_reference_contrastive.py"]
collect_ignore_glob = [*SCRIPTS, *(pattern for package in MISSING for pattern in NEEDS[package])]


def pytest_report_header() -> list[str]:
    """Say at the top of the run what cannot be run."""
    return [f"not collected, because {package} is missing: {', '.join(NEEDS[package])}" for package in MISSING]
