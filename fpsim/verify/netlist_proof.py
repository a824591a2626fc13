"""The gates that synthesis makes of a unit compute what its RTL computes: proved for every state and input.

Both are cut open at their registers (`fpsim.verify.netlist_pairs`). ABC merges what it proves equal inside
the two, from the inputs on, until nothing is left that differs; yosys' own SAT solver has the last word.
State machines are not recoded (`synth -nofsm`) and names are kept, or there would be nothing to pair.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from fpsim.verify.mutants import elaborate
from fpsim.verify.netlist_pairs import cut_pair
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.units import Unit
from fpsim.verify.yosys import YosysError, YosysTimeout, run_yosys

LIBERTY, NETLIST = "cells.lib", "netlist.v"
GOLD, GATE = "gold.json", "gate.json"
TIMEOUT_S = 300.0
_GATES = ("dffunmap", "simplemap", "opt_clean")
_EQUAL = "SAT proof finished - no model found: SUCCESS!"
_DIFFERENT = "SAT proof finished - model found: FAIL!"


@dataclass(frozen=True)
class NetlistProof:
    """What came of comparing a netlist with its RTL.

    Attributes:
        unit: name of the unit.
        parameters: what it was synthesized with; all other sizes are not proved.
        points: bits of next states and outputs that were compared.
        equal: all of them, for every state and input; False: some are not, for some state and input.
        seconds: synthesis and proof.
    """

    unit: str
    parameters: dict[str, int]
    points: int
    equal: bool
    seconds: float

    @property
    def passed(self) -> bool:
        """Every point was proved, and there were some."""
        return self.points > 0 and self.equal


def prove_netlist(
    unit: Unit,
    rtl: Path | None = None,
    *,
    liberty: Path | None = None,
    fault_seed: int | None = None,
    timeout_s: float = TIMEOUT_S,
) -> NetlistProof:
    """Synthesize a unit and prove the netlist equal to the RTL.

    Args:
        unit: the unit, with its parameters.
        rtl: folder of the SystemVerilog; None: the repository's.
        liberty: an uncompressed Liberty file to map onto; None: yosys' own gates.
        fault_seed: invert one pin of the netlist, chosen by this seed, before the proof: it must then fail.
        timeout_s: wall time of each of the four steps.

    Raises:
        ToolMissing, YosysError: see `fpsim.verify.yosys.run_yosys`.
        YosysTimeout: no answer in that time.
    """
    start = time.perf_counter()
    files = sources(unit.top, default_rtl_folder() if rtl is None else rtl)
    read = elaborate(unit.top, unit.parameters, [file.name for file in files])
    with tempfile.TemporaryDirectory(prefix="fpsim-netlist-") as name:
        folder = Path(name)
        cells: list[str] = []
        if liberty is not None:
            shutil.copy(liberty, folder / LIBERTY)
            cells = [f"read_liberty -ignore_miss_func {LIBERTY}"]
        script = [*read, "techmap", "opt_clean", *_GATES, f"write_json {GOLD}"]
        run_yosys(script, files, folder, timeout_s=timeout_s)
        script = [*read, *synthesis(unit.top, liberty is not None, fault_seed)]
        run_yosys(script, (), folder, timeout_s=timeout_s)
        script = [*cells, f"read_verilog -sv {NETLIST}", f"hierarchy -top {unit.top}", "proc", "flatten"]
        script += ["techmap", "opt_clean", *_GATES, f"write_json {GATE}"]
        run_yosys(script, (), folder, timeout_s=timeout_s)
        designs = [json.loads((folder / file).read_text(encoding="utf-8")) for file in (GOLD, GATE)]
        try:
            points = cut_pair(designs[0], designs[1], unit.top)
        except ValueError as error:
            raise YosysError(f"{unit.top}: {error}") from None
        for file, design in zip((GOLD, GATE), designs, strict=True):
            (folder / file).write_text(json.dumps(design), encoding="utf-8")
        log = run_yosys(_comparison(), (), folder, timeout_s=timeout_s).log
    if _EQUAL not in log and _DIFFERENT not in log:
        raise YosysTimeout(f"{unit.top}: yosys' solver gave no answer\n{log[-2000:]}")
    seconds = time.perf_counter() - start
    return NetlistProof(unit.name, unit.parameters, points, _EQUAL in log, seconds)


def synthesis(top: str, mapped: bool, fault_seed: int | None) -> list[str]:
    """The commands from an elaborated design to its netlist, one pin of it inverted where there is a seed."""
    cells = [f"dfflibmap -liberty {LIBERTY}", f"abc -liberty {LIBERTY}", "opt_clean"] if mapped else []
    fault = []
    if fault_seed is not None:
        fault = [
            f"mutate -list 1 -mode inv -seed {fault_seed} -o fault.ys t:* t:$_*DFF* %d",
            "script fault.ys",
        ]
    return [f"synth -nofsm -top {top}", *cells, *fault, f"write_verilog -noattr {NETLIST}"]


def _comparison() -> list[str]:
    return [
        f"read_json {GOLD}",
        f"read_json {GATE}",
        "miter -equiv -flatten gold gate miter",
        "hierarchy -top miter",
        *("techmap", "simplemap", "opt_clean"),
        "abc -g AND -script +strash;iprove",
        "opt -full",
        f"sat -prove trigger 0 -timeout {TIMEOUT_S / 4:.0f}",
    ]
