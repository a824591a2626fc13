"""Prove one property of the RTL for all inputs, with yosys and its built-in SAT solver.

A property is a module `proof` (fpsim/verify/properties/<name>.sv) that holds the unit under test, an
independent telling of what it must do, and assertions. A combinational one is proved by refuting its
negation, one with registers by temporal induction: from reset, and from any state that kept it for k cycles.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fpsim.verify.fault import Fault
from fpsim.verify.faults import injected
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.yosys import YosysError, YosysTimeout, run_yosys

PROPERTIES = Path(__file__).resolve().parent / "properties"
TOP = "proof"
DEFAULT_TIMEOUT_S = 300.0
Verdict = Literal["proved", "refuted", "undecided"]

_VERDICTS: tuple[tuple[str, Verdict], ...] = (
    ("SAT proof finished - no model found: SUCCESS!", "proved"),
    ("Induction step proven: SUCCESS!", "proved"),
    ("SAT proof finished - model found: FAIL!", "refuted"),
    ("SAT temporal induction proof finished - model found for base case: FAIL!", "refuted"),
)
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
        steps: length of the induction that decided; 0 for a combinational unit.
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
        script = _script(proof, [*files, "generated.sv", "property.sv"])
        try:
            run = run_yosys(script, tuple(files.values()), place, timeout_s=timeout_s)
        except YosysTimeout:
            return ProofResult(proof.name, "undecided", timeout_s)
    return _result(proof, run.log, run.seconds)


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
        "async2sync",
        "chformal -lower",
        "opt -fast",
    ]
    induction = f"-tempinduct -maxsteps {proof.steps}" if proof.steps else ""
    return [*script, f"sat {induction} -prove-asserts -set-assumes {TOP}"]


def _result(proof: Proof, log: str, seconds: float) -> ProofResult:
    if "Import proof for assert" not in log:
        raise YosysError(f"{proof.name}: no assertion reached the solver")
    verdict: Verdict = next((word for text, word in _VERDICTS if text in log), "undecided")
    table = log[log.find("Signal Name") :] if verdict == "refuted" else ""
    lines = [line for line in table.splitlines() if line.strip()]
    steps = [int(length) for length in _STEPS.findall(log)]
    return ProofResult(proof.name, verdict, seconds, max(steps, default=0), "\n".join(lines[:200]))
