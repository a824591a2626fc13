"""Prove one property of the RTL for all inputs, with yosys' built-in SAT solver or with bitwuzla.

A property is a module `proof` (fpsim/verify/properties/<name>.sv) that holds the unit under test, an
independent telling of what it must do, and assertions. A combinational one is proved by refuting its
negation, one with registers by temporal induction: from reset, and from any state that kept it for k cycles.
Where no invariant is at hand, a bounded one: for all inputs, for so many cycles from reset.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fpsim.verify.fault import Fault
from fpsim.verify.faults import injected
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.smt import solve
from fpsim.verify.yosys import YosysError, YosysTimeout, run_yosys

PROPERTIES = Path(__file__).resolve().parent / "properties"
TOP = "proof"
FORMULA = "proof.smt2"
DEFAULT_TIMEOUT_S = 300.0
Verdict = Literal["proved", "refuted", "undecided"]
Solver = Literal["yosys", "bitwuzla"]

_VERDICTS: tuple[tuple[str, Verdict], ...] = (
    ("SAT proof finished - no model found: SUCCESS!", "proved"),
    ("Induction step proven: SUCCESS!", "proved"),
    ("SAT proof finished - model found: FAIL!", "refuted"),
    ("SAT temporal induction proof finished - model found for base case: FAIL!", "refuted"),
    ("Reached maximum number of time steps -> proved base case for", "proved"),
)
# A pipeline that never stops computes what it would without its registers.
_TRANSPARENT = """
module \\$dff (CLK, D, Q);
  parameter WIDTH = 1, CLK_POLARITY = 1;
  input CLK; input [WIDTH-1:0] D; output [WIDTH-1:0] Q;
  assign Q = D;
endmodule
"""
_ASSERTION = re.compile(
    r"^\(define-fun \|(proof_a \d+)\|.*; \$assert\$property\.sv:(\d+)\$(\d+)$", re.MULTILINE
)
_INPUT = re.compile(r"\(\(_ extract (\d+) (\d+)\) state\).*; \\(\S+)$", re.MULTILINE)
_STEPS = re.compile(r"^\*\* Trying induction with length (\d+) \*\*", re.MULTILINE)


@dataclass(frozen=True)
class Proof:
    """A property and how it is proved.

    Attributes:
        name: short name.
        modules: RTL modules that the property holds.
        claim: what is proved, in words.
        properties: file in the folder `properties`, without .sv.
        parameters: of the module `proof`; all other sizes are not proved.
        twin: a fault that the same proof must refute.
        steps: longest induction; 0 for a combinational unit.
        bound: cycles from reset that are proved, instead of an induction; 0: no bound.
        transparent: the registers of the unit are left out; `properties` loads all of them in every cycle.
        solver: bitwuzla decides what is too wide for yosys' own; without registers alone.
        probes: names in the module `proof` that are connected to registers of the unit, "dut.<register>".
        generated: writes further SystemVerilog, as tables of the law.
        heavy: takes more than some seconds; left out of a quick run.
    """

    name: str
    modules: tuple[str, ...]
    claim: str
    properties: str
    parameters: dict[str, int]
    twin: Fault
    steps: int = 0
    bound: int = 0
    transparent: bool = False
    solver: Solver = "yosys"
    probes: dict[str, str] = field(default_factory=dict)
    generated: Callable[[], str] | None = None
    heavy: bool = False


@dataclass(frozen=True)
class ProofResult:
    """What the solver said.

    Attributes:
        name: of the proof.
        verdict: proved for all inputs; refuted by a counterexample; undecided within steps or time.
        seconds: wall time of the run.
        steps: length of the induction that decided, or the bound; 0 for a combinational unit.
        counterexample: the solver's table of signals, where it refuted.
    """

    name: str
    verdict: Verdict
    seconds: float
    steps: int = 0
    counterexample: str = ""


def prove(proof: Proof, rtl: Path | None = None, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> ProofResult:
    """Try one proof.

    Args:
        proof: what to prove.
        rtl: folder of the SystemVerilog; None: the repository's.
        timeout_s: wall time; beyond it the verdict is "undecided".

    Raises:
        ToolMissing: yosys is not installed.
        YosysError: the sources do not elaborate, or yosys broke down.
    """
    folder = default_rtl_folder() if rtl is None else rtl
    files = {file.name: file for module in proof.modules for file in sources(module, folder)}
    with tempfile.TemporaryDirectory(prefix="fpsim-proof-") as name:
        place = Path(name)
        own = PROPERTIES / f"{proof.properties}.sv"
        (place / "property.sv").write_text(own.read_text(encoding="utf-8"), encoding="utf-8")
        (place / "generated.sv").write_text(proof.generated() if proof.generated else "", encoding="utf-8")
        (place / "transparent.v").write_text(_TRANSPARENT, encoding="utf-8")
        script = _script(proof, [*files, "generated.sv", "property.sv"])
        try:
            run = run_yosys(script, tuple(files.values()), place, timeout_s=timeout_s)
        except YosysTimeout:
            return ProofResult(proof.name, "undecided", timeout_s)
        if proof.solver == "bitwuzla":
            return _ask_bitwuzla(proof, place, timeout_s, run.seconds)
    return _result(proof, run.log, run.seconds)


def twin(module: str, find: str, replace: str, meaning: str) -> Fault:
    """A fault for a proof alone: of the module fpsim_<module>, not of a unit's bench."""
    return Fault(f"{module}-twin", module, f"fpsim_{module}.sv", find, replace, meaning)


def refute_twin(proof: Proof) -> ProofResult:
    """The same proof on a copy of our RTL that has the proof's fault; anything but "refuted" is a hole.

    The twin judges the property, not the RTL at hand, and a fault is a place in ours.
    """
    with injected(proof.twin) as folder:
        return prove(proof, folder)


def _script(proof: Proof, files: list[str]) -> list[str]:
    sets = "".join(f" -set {name} {value}" for name, value in proof.parameters.items())
    # Packages first: the order of `sources`.
    script = [
        f"read_verilog -formal -sv {' '.join(files)}",
        *([f"chparam{sets} {TOP}"] if sets else []),
        f"hierarchy -check -top {TOP}",
        "proc",
        "flatten",
        "memory_map",
        *(f"connect -set {own} \\{inner}" for own, inner in proof.probes.items()),
        *(("opt", "techmap -map transparent.v", "opt -full") if proof.transparent else ()),
        "async2sync",
        "chformal -lower",
        "opt -fast",
    ]
    if proof.solver == "bitwuzla":
        return [*script, "opt -full", "dffunmap", f"write_smt2 -stbv {FORMULA}"]
    induction = f"-tempinduct -maxsteps {proof.steps}" if proof.steps else ""
    if proof.bound:
        induction = f"-tempinduct-baseonly -maxsteps {proof.bound}"
    return [*script, f"sat {induction} -prove-asserts -set-assumes {TOP}"]


def _ask_bitwuzla(proof: Proof, folder: Path, timeout_s: float, elapsed: float) -> ProofResult:
    """Ask for the assertions one by one, in their order in the property: each may use those before it."""
    formula = (folder / FORMULA).read_text(encoding="utf-8")
    if "; yosys-smt2-register" in formula:
        raise ValueError(f"proof={proof.name!r}: bitwuzla is asked about units without registers alone")
    found = sorted((int(line), int(serial), name) for name, line, serial in _ASSERTION.findall(formula))
    if not found:
        raise YosysError(f"{proof.name}: no assertion reached the solver")
    start = time.perf_counter()
    text = f"(set-logic QF_BV)\n{formula}\n(declare-const s |{TOP}_s|)\n(assert (|{TOP}_u| s))\n"
    for _, _, name in found:
        left = timeout_s - (time.perf_counter() - start)
        run = solve(f"{text}(assert (not (|{name}| s)))\n", folder, timeout_s=max(left, 0.1))
        seconds = elapsed + time.perf_counter() - start
        if run.answer == "unknown":
            return ProofResult(proof.name, "undecided", seconds)
        if run.answer == "sat":
            values = [
                f"{port} = {_field(run.values['s'], high, low)}"
                for high, low, port in _INPUT.findall(formula)
            ]
            return ProofResult(proof.name, "refuted", seconds, counterexample="\n".join(values))
        text += f"(assert (|{name}| s))\n"
    return ProofResult(proof.name, "proved", seconds)


def _field(literal: str, high: str, low: str) -> str:
    """Bits of a model's literal, in binary."""
    bits = literal.removeprefix("#b")[::-1]
    return bits[int(low) : int(high) + 1][::-1]


def _result(proof: Proof, log: str, seconds: float) -> ProofResult:
    if "Import proof for assert" not in log:
        raise YosysError(f"{proof.name}: no assertion reached the solver")
    verdict: Verdict = next((word for text, word in _VERDICTS if text in log), "undecided")
    table = log[log.find("Signal Name") :] if verdict == "refuted" else ""
    lines = [line for line in table.splitlines() if line.strip()]
    steps = [int(length) for length in _STEPS.findall(log)]
    length = max(steps, default=proof.bound)
    return ProofResult(proof.name, verdict, seconds, length, "\n".join(lines[:200]))
