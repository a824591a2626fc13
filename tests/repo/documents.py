"""Runs what a Markdown document shows: its Python, its commands, and the output it says they print.

A block fenced as `python` is executed (all of a document's blocks share one namespace), one fenced as `sh` is
run command by command, and a block fenced as `text` right after either is the output, `...` standing for
anything.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST_COMMAND_S = 300


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the document that the text begins on."""

    language: str
    text: str
    line: int


def blocks(document: str) -> list[Block]:
    """Return the fenced blocks of a document."""
    return [
        Block(match[1], match[2], document.count("\n", 0, match.start(2)) + 1)
        for match in FENCE.finditer(document)
    ]


def commands(text: str) -> list[str]:
    """Return the commands of a shell block: comments dropped, continued lines joined."""
    joined = text.replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line) for line in joined.splitlines())
    return [" ".join(line.split()) for line in lines if line.strip()]


def faults(document: str, folder: Path, run_elsewhere: Mapping[str, str]) -> Iterator[str]:
    """Yield what a document shows that does not hold.

    Args:
        document: its text.
        folder: working directory of everything that is run.
        run_elsewhere: command (or a pattern) to the test that runs it, for those not to be run here.
    """
    namespace: dict[str, object] = {"__name__": "document"}
    for block, following in pairwise([*blocks(document), Block("", "", 0)]):
        printed: str | None
        if block.language == "python":
            printed, fault = _execute(block, namespace)
        elif block.language == "sh":
            printed, fault = _run(block, folder, run_elsewhere)
        else:
            continue
        expected = following.text if following.language == "text" else None
        if fault:
            yield f"line {block.line}: {fault}"
        elif printed is not None and expected is not None and not _matches(expected, printed):
            yield f"line {block.line}: the document shows\n{expected}\nbut this is printed:\n{printed}"
        elif printed and expected is None and block.language == "python":
            yield f"line {block.line}: this is printed but not shown:\n{printed}"


def _matches(expected: str, printed: str) -> bool:
    want, got = (
        "".join(f"{line.rstrip()}\n" for line in text.strip().splitlines()) for text in (expected, printed)
    )
    return doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)


def _execute(block: Block, namespace: dict[str, object]) -> tuple[str, str]:
    """Return what a Python block prints, and the traceback of what it raises."""
    source = "\n" * (block.line - 1) + block.text  # tracebacks then name the document's lines
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            exec(compile(source, "<document>", "exec"), namespace)
        except Exception:
            return "", traceback.format_exc()
    return printed.getvalue(), ""


def _run(block: Block, folder: Path, run_elsewhere: Mapping[str, str]) -> tuple[str | None, str]:
    """Return what a shell block prints (None where it was not run), and why it is wrong."""
    printed = ""
    here = True
    for command in commands(block.text):
        if any(fnmatchcase(command, pattern) for pattern in run_elsewhere):
            here = False
            continue
        own = re.sub(r"^\./run (?=\w)", "fpsim ", command)
        if not own.startswith("fpsim "):
            return None, f"no test runs `{command}`"
        result = _shell(own, folder)
        if result.returncode:
            return None, f"`{command}` exits with {result.returncode}:\n{result.stdout}{result.stderr}"
        printed += result.stdout
    return (printed if here else None), ""


def _shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_COMMAND_S,
        check=False,
    )
