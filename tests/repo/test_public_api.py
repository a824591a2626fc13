"""What `fpsim` offers exists, and everything public says what it does."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import fpsim
from tests.repo.tree import repository_files, text_of

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public_definitions(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """Yield (name, node) of a module, its public functions and its public classes."""
    yield "the module", tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node.name, node


def test_every_name_offered_exists_once_and_is_documented() -> None:
    assert len(set(fpsim.__all__)) == len(fpsim.__all__) > 0
    assert not [name for name in fpsim.__all__ if not inspect.getdoc(getattr(fpsim, name))]


def test_every_public_definition_has_a_docstring() -> None:
    sources = [path for path in repository_files() if path.parts[0] == "fpsim" and path.suffix == ".py"]
    assert sources
    assert not [
        f"{path}: {name}"
        for path in sources
        for name, node in public_definitions(ast.parse(text_of(path) or ""))
        if not ast.get_docstring(node)
    ]
