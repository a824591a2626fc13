"""The repository stays small, tidy and free of traces of the machine it was written on."""

from __future__ import annotations

import re
from pathlib import Path

from tests.repo.tree import ROOT, repository_files, text_of

FOLDERS = {".ci", "fpsim", "golden", "notebooks", "rtl", "tests"}
FILES = {
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
    "run",
}
MOST_LINES = {".py": 400, ".sv": 250}
MOST_BYTES = 3_000_000

MACHINE_PATH = re.compile(r"(?<![\w.~$}>-])/(?:work|root|tmp|home|Users)/\w")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")


def places(pattern: re.Pattern[str]) -> list[str]:
    """Return `file:line: text` of every line of the repository that the pattern is found in."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in repository_files()
        for number, line in enumerate((text_of(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_top_level_holds_only_what_is_listed() -> None:
    at_top = {path.parts[0] for path in repository_files()}
    assert at_top <= FOLDERS | FILES
    assert {"README.md", "pyproject.toml", "run", "fpsim", "rtl", "tests"} <= at_top


def test_no_source_file_is_too_long() -> None:
    lengths = {
        path: len((text_of(path) or "").splitlines())
        for path in repository_files()
        if path.suffix in MOST_LINES
    }
    assert len(lengths) > 50
    assert not {str(path): n for path, n in lengths.items() if n >= MOST_LINES[path.suffix]}


def test_no_file_is_too_large() -> None:
    sizes = {path: (ROOT / path).stat().st_size for path in repository_files()}
    assert not {str(path): size for path, size in sizes.items() if size > MOST_BYTES}


def test_no_file_names_a_path_of_one_machine() -> None:
    assert MACHINE_PATH.search('open("' + "/" + 'tmp/x")')
    assert not places(MACHINE_PATH)


def test_nothing_is_left_to_be_done_later() -> None:
    assert UNFINISHED.search("# TO" + "DO: later")
    assert not places(UNFINISHED)


def test_every_package_says_what_it_is() -> None:
    folders = {
        path.parent for path in repository_files() if path.suffix == ".py" and path.parts[0] == "fpsim"
    }
    assert not {str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()}


def test_scripts_can_be_executed() -> None:
    for script in (Path("run"), Path(".ci/run")):
        assert (ROOT / script).stat().st_mode & 0o111
