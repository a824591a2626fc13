"""The gates that synthesis makes of a unit, in the unit's own bench: for netlists that no proof reaches.

The bench sees the unit's ports and parameters as ever; what is behind them is the flattened netlist.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from fpsim.verify.job import Job
from fpsim.verify.mutants import elaborate
from fpsim.verify.netlist_proof import NETLIST, synthesis
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.runner import Run, simulate
from fpsim.verify.units import Unit
from fpsim.verify.yosys import run_yosys

TIMEOUT_S = 300.0


def simulate_netlist(job: Job, *, fault_seed: int | None = None) -> Run:
    """Synthesize a unit and run its bench on the netlist; returns only if every compared bit was right.

    Args:
        job: unit, configuration, kinds of vectors; its `rtl` is what is synthesized.
        fault_seed: invert one pin of the netlist, chosen by this seed: the bench must then fail.

    Raises:
        ToolMissing, YosysError: see `fpsim.verify.yosys.run_yosys`.
        RtlMismatch, SimulationError, BuildError: see `fpsim.verify.runner.simulate`.
    """
    unit = job.unit
    files = sources(unit.top, default_rtl_folder() if job.rtl is None else Path(job.rtl))
    with tempfile.TemporaryDirectory(prefix="fpsim-gates-") as name:
        folder = Path(name, "run")
        folder.mkdir()
        script = elaborate(unit.top, unit.parameters, [file.name for file in files])
        *made, write = synthesis(unit.top, False, fault_seed)
        script += [*made, "splitnets", "clean", write]  # in whole words Verilator would see loops
        run_yosys(script, files, folder, timeout_s=TIMEOUT_S)
        rtl = Path(name, "rtl")
        rtl.mkdir()
        text = (folder / NETLIST).read_text(encoding="utf-8")
        (rtl / f"{unit.top}.sv").write_text(_as_the_unit(unit, text), encoding="utf-8")
        # Its build is of use to nobody else: kept with it, not beside the others.
        return simulate(replace(job, rtl=str(rtl)), cache=Path(name, "build"))


def _as_the_unit(unit: Unit, netlist: str) -> str:
    """The netlist under another name, and a module with the unit's name, parameters and ports around it."""
    inner = f"netlist_of_{unit.name}"
    text, count = re.subn(rf"^module {unit.top}\(", f"module {inner}(", netlist, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"netlist: {count} modules {unit.top}, expected one")
    widths = {port.signal: port.width for port in unit.inputs + unit.outputs}
    ports = ",\n".join(
        f"  {'output' if signal.endswith('_o') else 'input'} wire [{widths.get(signal, 1) - 1}:0] {signal}"
        for signal in unit.signals
    )
    sets = ", ".join(f"parameter int {name} = {value}" for name, value in unit.parameters.items())
    pins = ", ".join(f".{signal}({signal})" for signal in unit.signals)
    header = f" #({sets})" if sets else ""
    return f"{text}\nmodule {unit.top}{header} (\n{ports}\n);\n  {inner} gates ({pins});\nendmodule\n"
