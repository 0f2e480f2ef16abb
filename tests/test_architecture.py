"""The house rules that a test can hold: imports go down only, a light front door, names that say what is inside."""

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

import hfdiv


PACKAGE = Path(hfdiv.__file__).parent

# From top to bottom. A name may import those on lower lines; names on one line never import each other.
LAYERS = [
    {"cli"},
    {"ab", "demo"},
    {"trainer", "report", "metrics", "engine"},
    {"rewards", "generation", "data", "hub"},
    {"diversity", "selection"},
    {"similarity"},
    {"ngrams"},
    {"text"},
    {"_deepspeed", "_extras"},
]
DEPTH = {name: depth for depth, names in enumerate(LAYERS) for name in names}


def sources():
    """Every module of the package: dotted name → source. A folder's `__init__.py` goes by `<folder>.__init__`."""
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def imports(module, source):
    """Everything of hfdiv that a module imports, at whatever depth of code, as dotted names."""
    tree = ast.parse(source)
    if module == "hfdiv.__init__":  # names for type checkers only
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            targets = [f"{origin}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and re.fullmatch(r"hfdiv(\.\w+)+", str(node.value)):
            targets = [node.value] if module != "hfdiv.__init__" else []  # a name for `importlib.import_module`
        else:
            continue
        yield from (target for target in targets if target.split(".")[0] == "hfdiv")


def violations(modules):
    """What is wrong with the imports of `modules` (dotted name → source), one line each."""
    found = []
    for module, source in modules.items():
        home = module.split(".")[1]
        if home != "__init__" and home not in DEPTH:
            found.append(f"{module}: {home!r} has no place in LAYERS; give it one")
            continue
        for target in imports(module, source):
            if target == "hfdiv.__version__":
                continue
            name = (target.split(".") + ["hfdiv itself"])[1]
            if home == "__init__":
                found.append(f"{module} imports {target}: the front door loads names on first use")
            elif name not in DEPTH:
                found.append(f"{module} imports {target}: only `__version__` comes from hfdiv itself")
            elif name != home and DEPTH[name] <= DEPTH[home]:
                found.append(f"{module} imports {target}: imports go down only")
    return found


def test_imports_go_down_only():
    modules = sources()
    assert "hfdiv.diversity.ngram" in modules
    assert "hfdiv.text" in set(imports("hfdiv.ngrams", "import hfdiv.text"))
    assert violations(modules) == []


@pytest.mark.parametrize(
    ("module", "snippet", "what"),
    [
        ("hfdiv.text", "from hfdiv.ngrams import Corpus", "imports hfdiv.ngrams.Corpus: imports go down only"),
        ("hfdiv.text", "import hfdiv.ngrams as ngrams", "imports hfdiv.ngrams: imports go down only"),
        ("hfdiv.text", "from hfdiv import ngrams", "imports hfdiv.ngrams: imports go down only"),
        ("hfdiv.text", "from . import ngrams", "imports hfdiv.ngrams: imports go down only"),
        ("hfdiv.text", "from .ngrams import Corpus", "imports hfdiv.ngrams.Corpus: imports go down only"),
        ("hfdiv.diversity.ngram", "from ..data import read_records", "imports hfdiv.data.read_records: imports go"),
        ("hfdiv.diversity.__init__", "from ..data import x", "imports hfdiv.data.x: imports go down only"),
        ("hfdiv.data.records", "def f():\n    import hfdiv.cli", "imports hfdiv.cli: imports go down only"),
        ("hfdiv.trainer.grpo", "if TYPE_CHECKING:\n    import hfdiv.cli", "imports hfdiv.cli: imports go down only"),
        ("hfdiv.text", "import_module('hfdiv.cli')", "imports hfdiv.cli: imports go down only"),
        ("hfdiv.report.page", "from hfdiv.trainer import x", "imports hfdiv.trainer.x: imports go down only"),
        ("hfdiv.selection.dpp", "import hfdiv.diversity", "imports hfdiv.diversity: imports go down only"),
        ("hfdiv.cli", "import hfdiv", "imports hfdiv: only `__version__` comes from hfdiv itself"),
        (
            "hfdiv.cli",
            "from hfdiv import measure",
            "imports hfdiv.measure: only `__version__` comes from hfdiv itself",
        ),
        ("hfdiv.__init__", "from hfdiv.text import MIXED", "imports hfdiv.text.MIXED: the front door"),
        ("hfdiv.shiny", "", "'shiny' has no place in LAYERS"),
        ("hfdiv.shiny.deep", "", "'shiny' has no place in LAYERS"),
        ("hfdiv.cli", "from hfdiv.shiny import x", "imports hfdiv.shiny.x: only"),
    ],
)
def test_a_planted_import_is_found(module, snippet, what):
    (line,) = violations({module: snippet})
    assert what in line


@pytest.mark.parametrize(
    ("module", "snippet"),
    [
        ("hfdiv.ngrams", "from hfdiv.text import MIXED"),
        ("hfdiv.ngrams", "from .text import MIXED"),
        ("hfdiv.diversity.suite", "from hfdiv.diversity.score import Score\nfrom .ngram import distinct_n"),
        ("hfdiv.diversity.__init__", "from .score import Score"),
        ("hfdiv.diversity.score", "from hfdiv import __version__"),
        ("hfdiv.__init__", "if TYPE_CHECKING:\n    from hfdiv.trainer import DiverseGRPOTrainer"),
        ("hfdiv.cli.__init__", "from hfdiv import __version__, _extras, data"),
        ("hfdiv.text", "import regex, hfdivision.cli"),
    ],
)
def test_a_proper_import_is_not(module, snippet):
    assert violations({module: snippet}) == []


HEAVY = {"torch", "transformers", "trl", "evaluate", "datasets", "scipy", "matplotlib", "sentence_transformers"}


def test_measuring_loads_nothing_heavy():
    code = "import hfdiv, json, sys; hfdiv.distinct_n(['a b']); print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stdout))
    assert "hfdiv.diversity" in loaded
    assert loaded & HEAVY == set()


def isort_style(name):
    """The order of ruff's RUF022: CONSTANTS, Classes, then the rest; numbers in a name count as numbers."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def test_all_is_sorted_and_is_what_can_be_loaded():
    assert hfdiv.__all__ == sorted(hfdiv.__all__, key=isort_style)
    assert set(hfdiv.__all__) == {*hfdiv._HOMES, "__version__"}
    assert set(hfdiv.__all__) <= set(dir(hfdiv))


@pytest.mark.parametrize("name", [name for name, home in hfdiv._HOMES.items() if home != "hfdiv.trainer"])
def test_a_public_name_is_loaded_from_its_home(name):
    assert getattr(hfdiv, name).__name__ == name
    assert getattr(hfdiv, name).__doc__


def test_type_checkers_see_the_same_names_from_the_same_homes():
    (block,) = (node for node in ast.parse((PACKAGE / "__init__.py").read_text()).body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    assert {alias.name: node.module for node in block.body for alias in node.names} == hfdiv._HOMES


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'hfdiv' has no attribute 'distinct'"):
        _ = hfdiv.distinct


def test_file_names_say_what_is_inside():
    names = {part for module in sources() for part in module.split(".")}
    assert "self_bleu" in names
    assert names & {"utils", "helpers", "common", "misc"} == set()


def test_every_extra_that_an_error_names_can_be_installed():
    named = {
        node.args[1].value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require"
    }
    assert {"trainer", "report", "data"} <= named
    assert named <= set(metadata("hfdiv").get_all("Provides-Extra"))
