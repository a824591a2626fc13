"""Whether a mutant that no bench noticed computes anything else: two copies of the netlist before the solver.

First every register is cut open: if outputs and next states agree for all states and all admissible inputs,
the mutant is equivalent. If they do not (the state that tells them apart may never come), both start from
reset and run some cycles: a difference there is a hole in the bench, by the solver's inputs.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fpsim.verify.admissible import admissible
from fpsim.verify.mutants import SELECT, SELECT_BITS, Mutated, signal_widths
from fpsim.verify.units import Unit
from fpsim.verify.yosys import YosysTimeout, run_yosys

CYCLES = 14  # from reset; the longest way through a unit is shorter
TIMEOUT_S = 120.0
CUT = "cut.json"
_READ = ("hierarchy -check -top proof", "proc", "flatten", "opt_clean", "chformal -lower")
Port = tuple[str, int, str]  # direction, bits, name


def is_equivalent(mutated: Mutated, number: int) -> bool:
    """Whether outputs and next states agree for every state and every admissible input; no if undecided."""
    with tempfile.TemporaryDirectory(prefix="fpsim-equal-") as name:
        try:
            return _cut_open_is_equal(mutated, number, Path(name))
        except YosysTimeout:
            return False


def differs_from_reset(mutated: Mutated, number: int) -> bool:
    """Whether the solver finds admissible inputs, up to `CYCLES` cycles from reset, that tell them apart."""
    with tempfile.TemporaryDirectory(prefix="fpsim-differs-") as name:
        try:
            return _differs(mutated, number, Path(name))
        except YosysTimeout:
            return False


def _cut_open_is_equal(mutated: Mutated, number: int, folder: Path) -> bool:
    top = mutated.unit.top
    script = [
        f"read_verilog -sv {mutated.netlist.name}",
        f"hierarchy -top {top}",
        *("flatten", "proc", "opt", "async2sync", "dffunmap", "simplemap", "opt_clean"),
        f"write_json {CUT}",
    ]
    run_yosys(script, (mutated.netlist,), folder, timeout_s=TIMEOUT_S)
    design = json.loads((folder / CUT).read_text(encoding="utf-8"))
    ports = _cut_registers(design["modules"][top])
    (folder / CUT).write_text(json.dumps(design), encoding="utf-8")
    (folder / "harness.sv").write_text(_harness(mutated.unit, ports, number), encoding="utf-8")
    script = [f"read_json {CUT}", "read_verilog -formal -sv harness.sv", *_READ]
    prove = "sat -prove-asserts -set-assumes proof"
    log = run_yosys([*script, prove], (), folder, timeout_s=TIMEOUT_S).log
    return "no model found: SUCCESS!" in log


def _cut_registers(module: dict[str, Any]) -> list[Port]:
    """Make every flip-flop an input (its state) and an output (its next state); returns all ports."""
    flops = {name: cell for name, cell in module["cells"].items() if cell["type"] == "$_DFF_P_"}
    states = [cell["connections"]["Q"][0] for cell in flops.values()]
    nexts = [cell["connections"]["D"][0] for cell in flops.values()]
    for name in flops:
        del module["cells"][name]
    if flops:
        module["ports"]["state_cut_i"] = {"direction": "input", "bits": states}
        module["ports"]["next_cut_o"] = {"direction": "output", "bits": nexts}
    return [(port["direction"], len(port["bits"]), name) for name, port in module["ports"].items()]


def _differs(mutated: Mutated, number: int, folder: Path) -> bool:
    widths = signal_widths(mutated.unit)
    ports: list[Port] = [
        ("output" if signal.endswith("_o") else "input", bits, signal) for signal, bits in widths.items()
    ]
    (folder / "harness.sv").write_text(_harness(mutated.unit, ports, number, reset=True), encoding="utf-8")
    cycles = 1 if mutated.unit.style == "combinational" else CYCLES
    # Only the base cases, and both copies with the same state before the reset (registers without one are 0):
    # any other start would tell apart what no user can.
    prove = f"sat -tempinduct-baseonly -maxsteps {cycles} -set-init-zero -prove-asserts -set-assumes proof"
    read = f"read_verilog -formal -sv {mutated.netlist.name} harness.sv"
    script = [read, *_READ, "async2sync", prove]
    log = run_yosys(script, (mutated.netlist,), folder, timeout_s=TIMEOUT_S).log
    return "model found for base case: FAIL!" in log


def _harness(unit: Unit, ports: Sequence[Port], number: int, *, reset: bool = False) -> str:
    """Two copies of the netlist, the mutant and the original, with the same inputs."""
    inputs = [port for port in ports if port[0] == "input" and port[2] != SELECT]
    outputs = [port for port in ports if port[0] == "output"]
    lines = ["module proof (" + ", ".join(f"input logic [{bits - 1}:0] {name}" for _, bits, name in inputs)]
    lines += [");"]
    for copy, select in (("mutant", number), ("original", 0)):
        pins = [f".{name}({name})" for _, _, name in inputs]
        pins.append(f".{SELECT}({SELECT_BITS}'d{select})")
        for index, (_, bits, name) in enumerate(outputs):
            lines.append(f"  logic [{bits - 1}:0] {copy}_{index};")
            pins.append(f".{name}({copy}_{index})")
        lines.append(f"  {unit.top} u_{copy} ({', '.join(pins)});")
    if reset and unit.style == "combinational":
        lines.append("  logic started; assign started = 1'b1;")
    elif reset:
        lines += ["  logic started = 1'b0;", "  always_ff @(posedge clk_i) started <= 1'b1;"]
        lines.append("  always_comb if (!started) assume (!rst_ni);")
    lines += ["  always_comb begin", f"    assume ({admissible(unit)});"]
    offered = next((i for i, port in enumerate(outputs) if port[2].strip() == "out_valid_o"), None)
    for index, (_, _, name) in enumerate(outputs):
        # From reset data count only where they are offered, and nothing counts before it.
        data = offered is not None and name.strip() in {port.signal for port in unit.outputs}
        condition = f"if (original_{offered}) " if data else ""
        guard = f"if (started) {condition}" if reset else ""
        lines.append(f"    {guard}assert (mutant_{index} == original_{index});")
    return "\n".join([*lines, "  end", "endmodule", ""])
