"""Every document holds: examples print what it shows, commands are tested, links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.repo import documents
from tests.repo.tree import ROOT, repository_files, text_of

# Commands of the documents that are too long, or too intrusive, to be run here, and what runs them instead.
RUN_ELSEWHERE = {
    "git clone *": ".ci/run",  # CI begins with a clone
    "cd *": ".ci/run",
    "./run test": ".ci/run",
    "./run lint": ".ci/run",
    "./run check": ".ci/run",
    "./run demo": "tests/demo/test_demo.py::test_the_demo_runs_every_stage_and_writes_one_report",
    "./run bench": "tests/bench/test_jobs.py::test_every_job_runs_and_compares",
    "./run setup": ".ci/run",
    "./run test *": "tests/repo/test_run_script.py::test_more_arguments_go_to_pytest",
    "./run notebooks": "tests/repo/test_run_script.py::test_jobs_run_in_the_environment",
    "make *": "tests/repo/test_run_script.py::test_make_calls_the_script",
}

DOCUMENTS = [path for path in repository_files() if path.suffix == ".md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_everything_a_document_shows_holds(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("golden", "rtl", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    assert not list(documents.faults(text_of(path) or "", tmp_path, RUN_ELSEWHERE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_inside_the_repository_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!\w+:)([^)#\s]+)", text_of(path) or "")
    assert not [target for target in targets if not (ROOT / path.parent / target).exists()]


@pytest.mark.parametrize("runner", sorted(set(RUN_ELSEWHERE.values())))
def test_what_runs_a_command_instead_exists(runner: str) -> None:
    file, _, name = runner.partition("::")
    assert (ROOT / file).is_file()
    if name:
        functions = [
            node.name
            for node in ast.parse(text_of(Path(file)) or "").body
            if isinstance(node, ast.FunctionDef)
        ]
        assert name in functions


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("```python\nprint(2 + 2)\n```\n```text\n5\n```\n", "line 2: the document shows\n5"),
        ("```python\nprint(2 + 2)\n```\n", "printed but not shown"),
        ("```python\nx = 1\n1 / 0\n```\n", 'File "<document>", line 3'),
        ("```sh\nfrobnicate --all\n```\n", "no test runs `frobnicate --all`"),
        ("```sh\nfpsim no-such-command\n```\n", "exits with"),
    ],
)
def test_a_wrong_document_is_refused(document: str, complaint: str, tmp_path: Path) -> None:
    found = list(documents.faults(document, tmp_path, {}))
    assert len(found) == 1
    assert complaint in found[0]


def test_a_right_document_passes(tmp_path: Path) -> None:
    document = (
        "```sh\ngit clone somewhere # comment\n```\n"
        "```text\nanything at all\n```\n"
        "```python\nx = 2\n```\n"
        "and then\n\n"
        "```python\nprint(x + 2)\nprint('seconds', 1.25)\n```\n"
        "```text\n4\nseconds ...\n```\n"
        "```\na picture ─► not run\n```\n"
    )
    assert not list(documents.faults(document, tmp_path, {"git clone *": "elsewhere"}))


def test_commands_are_read_as_a_shell_reads_them() -> None:
    assert documents.commands("# first\nfpsim a \\\n  --b 1  # why\n\nfpsim c\n") == [
        "fpsim a --b 1",
        "fpsim c",
    ]
