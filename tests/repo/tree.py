"""Which files the repository holds, for the tests that read them."""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def repository_files() -> tuple[Path, ...]:
    """Paths of the repository's files, relative to `ROOT`: what git tracks, or all but .gitignore's names."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        paths = [Path(name) for name in listed.split("\0") if name]
        return tuple(path for path in paths if (ROOT / path).is_file())
    ignored = [".git"] + [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()]
    files = (path.relative_to(ROOT) for path in sorted(ROOT.rglob("*")) if path.is_file())
    return tuple(
        path
        for path in files
        if not any(fnmatch.fnmatch(part, name) for part in path.parts for name in ignored)
    )


@cache
def text_of(path: Path) -> str | None:
    """Text of a file of the repository, or None where it is not UTF-8 text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
