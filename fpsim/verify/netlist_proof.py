"""The gates that synthesis makes of a unit compute what its RTL computes: proved point by point.

yosys pairs registers and outputs of both by name and proves each pair equal, by induction across cycles.
State machines are not recoded (`synth -nofsm`) and names are kept, or there would be nothing to pair.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fpsim.verify.mutants import elaborate
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.units import Unit
from fpsim.verify.yosys import YosysError, run_yosys

LIBERTY, NETLIST = "cells.lib", "netlist.v"
TIMEOUT_S = 900.0
# Names that are neither ports nor registers are hidden: what synthesis computes there is its own affair.
_ONLY_REGISTERS = ("select -set registers t:*dff* %co1:+[Q]", "rename -hide w:* x:* %d @registers %d")
_FOUND = re.compile(r"Found (\d+) \$equiv cells in equiv")
_STATUS = re.compile(r"Of those cells (\d+) are proven and (\d+) are unproven\.")


@dataclass(frozen=True)
class NetlistProof:
    """What came of comparing a netlist with its RTL.

    Attributes:
        unit: name of the unit.
        parameters: what it was synthesized with; all other sizes are not proved.
        points: bits of registers and outputs that were compared.
        unproven: how many of them could not be proved equal.
        seconds: synthesis and proof.
    """

    unit: str
    parameters: dict[str, int]
    points: int
    unproven: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Every point was proved, and there were some."""
        return self.points > 0 and self.unproven == 0


def prove_netlist(
    unit: Unit, rtl: Path | None = None, *, liberty: Path | None = None, fault_seed: int | None = None
) -> NetlistProof:
    """Synthesize a unit and prove the netlist equal to the RTL.

    Args:
        unit: the unit, with its parameters.
        rtl: folder of the SystemVerilog; None: the repository's.
        liberty: an uncompressed Liberty file to map onto; None: yosys' own gates.
        fault_seed: invert one pin of the netlist, chosen by this seed, before the proof: it must then fail.

    Raises:
        ToolMissing, YosysError: see `fpsim.verify.yosys.run_yosys`.
        YosysTimeout: no answer in 15 minutes.
    """
    files = sources(unit.top, default_rtl_folder() if rtl is None else rtl)
    with tempfile.TemporaryDirectory(prefix="fpsim-netlist-") as name:
        folder = Path(name)
        if liberty is not None:
            shutil.copy(liberty, folder / LIBERTY)
        names = [file.name for file in files]
        start = elaborate(unit.top, unit.parameters, names)
        synthesis = run_yosys(
            [*start, *_synthesis(unit.top, liberty is not None, fault_seed)],
            files,
            folder,
            timeout_s=TIMEOUT_S,
        )
        proof = run_yosys(_comparison(unit, names, liberty is not None), (), folder, timeout_s=TIMEOUT_S)
    found, status = _FOUND.findall(proof.log), _STATUS.findall(proof.log)
    if not found or not status:
        raise YosysError(f"{unit.top}: yosys did not say what it proved\n{proof.log[-2000:]}")
    return NetlistProof(
        unit.name,
        unit.parameters,
        int(found[-1]),
        int(status[-1][1]),
        synthesis.seconds + proof.seconds,
    )


def _synthesis(top: str, mapped: bool, fault_seed: int | None) -> list[str]:
    cells = [f"dfflibmap -liberty {LIBERTY}", f"abc -liberty {LIBERTY}", "opt_clean"] if mapped else []
    fault = []
    if fault_seed is not None:
        fault = [f"mutate -list 1 -mode inv -seed {fault_seed} -o fault.ys", "script fault.ys"]
    return [f"synth -nofsm -top {top}", *cells, *fault, f"write_verilog -noattr {NETLIST}"]


def _comparison(unit: Unit, files: list[str], mapped: bool) -> list[str]:
    cells = [f"read_liberty -ignore_miss_func {LIBERTY}"] if mapped else []
    return [
        *elaborate(unit.top, unit.parameters, files),
        "opt_clean",
        *_ONLY_REGISTERS,
        f"rename {unit.top} gold",
        "design -stash gold",
        *cells,
        f"read_verilog -sv {NETLIST}",
        f"hierarchy -top {unit.top}",
        "proc",
        "flatten",
        "opt_clean",
        f"rename {unit.top} gate",
        "design -stash gate",
        "design -copy-from gold -as gold gold",
        "design -copy-from gate -as gate gate",
        "equiv_make gold gate equiv",
        "hierarchy -top equiv",
        "async2sync",
        "equiv_simple -undef",
        "equiv_induct -undef",
        "equiv_status",
    ]
