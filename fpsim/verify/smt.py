"""Ask an SMT solver, bitwuzla, about a formula over bit vectors: where yosys' own SAT solver gives up.

yosys writes the formula (`write_smt2 -stbv`: all inputs and registers of a module are fields of one vector).
The solver runs in a process of its own, so that its time is limited, and a breakdown is an error, no verdict.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from fpsim.verify.toolchain import PIP_HINT, ToolMissing

Answer = Literal["sat", "unsat", "unknown"]

# Its own parser reads the file; the formula's last command is the question.
_PROGRAM = """
import sys
import bitwuzla
terms, options = bitwuzla.TermManager(), bitwuzla.Options()
options.set(bitwuzla.Option.PRODUCE_MODELS, True)
parser = bitwuzla.Parser(terms, options)
parser.parse(sys.argv[1], True)
solver = parser.bitwuzla()
answer = str(solver.check_sat())
print("answer", answer)
if answer == "sat":
    for term in parser.get_declared_funs():
        print("value", term.symbol(), solver.get_value(term))
"""


class SmtError(RuntimeError):
    """The solver refused its formula or broke down; the message holds the end of what it printed."""


@dataclass(frozen=True)
class SmtRun:
    """What the solver said.

    Attributes:
        answer: "unknown" where the time ran out.
        values: of the declared constants, as SMT-LIB literals, where there is a model.
    """

    answer: Answer
    values: dict[str, str]


def smt_version() -> str:
    """Name and version of the solver, for reports.

    Raises:
        ToolMissing: it is not installed.
    """
    _check()
    return f"Bitwuzla {version('bitwuzla')}"


def solve(formula: str, folder: Path, *, timeout_s: float) -> SmtRun:
    """Whether a formula has a model.

    Args:
        formula: SMT-LIB 2 over bit vectors, without the command check-sat.
        folder: where the file goes; must exist.
        timeout_s: wall time; beyond it the answer is "unknown".

    Raises:
        ToolMissing: the solver is not installed.
        SmtError: it refused the formula, or broke down.
    """
    _check()
    file = folder / "question.smt2"
    file.write_text(formula, encoding="utf-8")
    command = [sys.executable, "-c", _PROGRAM, str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return SmtRun("unknown", {})
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    answers = [words[1] for words in lines if words[0] == "answer"]
    if done.returncode != 0 or len(answers) != 1:
        raise SmtError(f"bitwuzla failed:\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    values = {words[1]: words[2] for words in lines if words[0] == "value"}
    match answers[0]:
        case "sat":
            return SmtRun("sat", values)
        case "unsat":
            return SmtRun("unsat", {})
    return SmtRun("unknown", {})


def _check() -> None:
    if importlib.util.find_spec("bitwuzla") is None:
        raise ToolMissing("Python package 'bitwuzla'", "decides proofs and mutants of the RTL", PIP_HINT)
