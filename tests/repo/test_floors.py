"""Every module imports only from floors below its own, and outside packages stay in their rooms."""

from __future__ import annotations

import ast
import itertools
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.repo.tree import ROOT

# The lowest floor first. Packages of one floor do not import each other: arith and kernels tell one law
# twice, independently, and estimate and verify judge the machine without leaning on each other.
FLOORS = (
    ("formats",),
    ("arith", "kernels"),
    ("array",),
    ("dit",),
    ("quant",),
    ("vectors", "testing"),
    ("estimate", "verify"),
    ("report",),
    ("bench", "demo", "methods"),
    ("cli_estimate",),
    ("cli",),
    ("__init__", "__main__"),
)
FLOOR_OF = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}

# Outside packages that only some of ours may import. torch stays with the models and those who execute them;
# the benchmarks race against it. matplotlib makes the report's figures and draws the letters to train on.
ROOMS = {
    "torch": {"dit", "quant", "bench"},
    "cocotb": {"verify"},
    "cocotb_tools": {"verify"},
    "matplotlib": {"dit", "report"},
    "hypothesis": {"testing", "verify"},
    "sklearn": {"dit"},
    "typer": {"dit", "cli", "cli_estimate"},
    "vcd": {"report"},
}
STANDARD_LIBRARY_ONLY = {"formats", "arith"}  # the law is plain integers


def imports(path: Path, package: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything a file imports, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*parents, *filter(None, [node.module])])
            if origin == "fpsim":  # the packages, or what the top re-exports
                yield from ((node.lineno, f"fpsim.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, origin


def faults(source: Path) -> Iterator[str]:
    """Yield what is wrong in the package below the folder `source`, which holds a folder `fpsim`."""
    for path in sorted((source / "fpsim").rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        own = parts[1]
        if own not in FLOOR_OF:
            yield f"{path.relative_to(source)}: fpsim.{own} has no floor in FLOORS"
            continue
        for line, name in imports(path, ".".join(parts[:-1])):
            fault = _fault(own, name)
            if fault:
                yield f"{path.relative_to(source)}:{line}: {fault}"


def _fault(own: str, name: str) -> str:
    top, *inner = name.split(".")
    if top != "fpsim":
        if own not in ROOMS.get(top, {own}):
            return f"{top} is imported only in {', '.join(sorted(ROOMS[top]))}"
        if own in STANDARD_LIBRARY_ONLY and top not in sys.stdlib_module_names:
            return f"fpsim.{own} imports the standard library only, not {top}"
        return ""
    target = inner[0] if inner and inner[0] in FLOOR_OF else "__init__"
    if target == own or FLOOR_OF[target] < FLOOR_OF[own]:
        return ""
    return f"fpsim.{own} (floor {FLOOR_OF[own]}) imports {name} (floor {FLOOR_OF[target]})"


def test_every_import_goes_down() -> None:
    assert not list(faults(ROOT))


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        ("array/layer.py", "from fpsim.quant.recipe import Recipe", "(floor 2) imports fpsim.quant.recipe"),
        ("arith/mac.py", "import fpsim.kernels.mac", "imports fpsim.kernels.mac"),
        ("kernels/mac.py", "def f():\n    from fpsim import arith", "imports fpsim.arith"),
        ("verify/job.py", "from ..estimate import area", "imports fpsim.estimate"),
        ("verify/benches/mac.py", "from ...estimate import area", "imports fpsim.estimate"),
        ("quant/recipe.py", "from fpsim import encode", "imports fpsim.encode (floor 11)"),
        ("array/layer.py", "import torch.nn", "torch is imported only in"),
        ("cli.py", "from matplotlib import pyplot", "matplotlib is imported only in dit, report"),
        ("arith/mul.py", "import numpy as np", "standard library only"),
        ("novelty/thing.py", "", "has no floor"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, file: str, line: str, complaint: str) -> None:
    _plant(tmp_path, file, line)
    found = list(faults(tmp_path))
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("array/layer.py", "from fpsim.kernels.mac import mac\nfrom fpsim.array.config import ArrayConfig"),
        ("verify/benches/mac.py", "from ..job import Job\nfrom . import harness\nimport cocotb"),
        ("quant/recipe.py", "import torch\nfrom fpsim import formats, dit"),
        ("__init__.py", "from fpsim.kernels.cast import encode"),
        ("arith/mul.py", "from fractions import Fraction"),
    ],
)
def test_a_proper_import_passes(tmp_path: Path, file: str, line: str) -> None:
    _plant(tmp_path, file, line)
    assert not list(faults(tmp_path))


def _plant(folder: Path, file: str, text: str) -> None:
    path = folder / "fpsim" / file
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def test_every_outside_package_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = itertools.chain.from_iterable(project["optional-dependencies"].values())
    declared = {_distribution(requirement) for requirement in [*project["dependencies"], *extras]}
    providers = packages_distributions()
    ours = {"", "fpsim", "tests", *(path.name for path in (ROOT / "tests").iterdir())}
    missing = {
        f"{path.relative_to(ROOT)}: {top}"
        for folder in ("fpsim", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for top in {name.split(".")[0] for _, name in imports(path, "")}
        if top not in sys.stdlib_module_names | ours
        and not declared & {_distribution(name) for name in providers.get(top, [])}
    }
    assert not missing


def _distribution(requirement: str) -> str:
    name = requirement
    for end in "[<>=!~; ":
        name = name.split(end)[0]
    return name.lower().replace("_", "-")
