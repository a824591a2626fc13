"""Mutants of a unit: one netlist that holds them all, chosen at run time by an added input.

yosys flattens the unit, maps it to gates and flip-flops, and alters one place for each mutant: a pin inverted
or stuck. `mutsel_i` = 0 is the unit itself, so one build of the simulator runs every mutant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fpsim.verify.rtl_files import sources
from fpsim.verify.units import Port, Unit
from fpsim.verify.yosys import YosysError, run_yosys

SELECT = "mutsel_i"
SELECT_BITS = 16
LIST_FILE = "mutants.ys"
# Of yosys' five modes; the others mix a pin with another one, which may close a combinational loop.
MODES = ("inv", "const0", "const1")
_FIELD = re.compile(r" -(\w+) (\S+)")


@dataclass(frozen=True)
class Mutant:
    """One altered place.

    Attributes:
        number: what `mutsel_i` chooses it by, from 1.
        mode: what is done to the pin: inv, const0, const1.
        place: cell and pin in the flattened netlist, and the wire at an output that has a name.
        source: files and lines of the RTL that the cell came from.
    """

    number: int
    mode: str
    place: str
    source: str


@dataclass(frozen=True)
class Mutated:
    """A unit with its mutants.

    Attributes:
        unit: the unit's ports as the benches see them.
        folder: holds `<top>.sv`, the netlist.
        mutants: what can be chosen, number 1 first.
    """

    unit: Unit
    folder: Path
    mutants: tuple[Mutant, ...]

    @property
    def netlist(self) -> Path:
        """The SystemVerilog file."""
        return self.folder / f"{self.unit.top}.sv"

    @property
    def buildable(self) -> Unit:
        """The unit as the simulator must build it: with `mutsel_i`, its parameters fixed already."""
        select = Port(SELECT, SELECT_BITS)
        unit = self.unit
        return Unit(unit.name, unit.style, unit.kinds, {}, (*unit.inputs, select), unit.outputs)


def mutate(unit: Unit, count: int, seed: int, rtl: Path, folder: Path) -> Mutated:
    """Write a netlist with mutants into a folder.

    Args:
        unit: the unit, with the parameters that the netlist fixes.
        count: mutants wanted, 1 to 32,767; a small unit may have fewer places.
        seed: chooses the places.
        rtl: folder of the SystemVerilog.
        folder: where the netlist goes; must exist and be empty.

    Raises:
        ValueError: a count out of range.
        ToolMissing, YosysError: see `fpsim.verify.yosys.run_yosys`.
    """
    if not 1 <= count < 1 << SELECT_BITS - 1:
        raise ValueError(f"count={count}: expected an integer from 1 to {(1 << SELECT_BITS - 1) - 1}")
    files = sources(unit.top, rtl)
    script = [
        *elaborate(unit.top, unit.parameters, [file.name for file in files]),
        "techmap",
        "opt -full",
        "write_rtlil flat.il",
        f"mutate -list {2 * count} -seed {seed} -ctrl {SELECT} {SELECT_BITS} 1 -o {LIST_FILE}",
    ]
    run_yosys(script, files, folder)
    mutants = _choose(folder / LIST_FILE, count)
    if not mutants:
        raise YosysError(f"{unit.top}: yosys found no place to alter")
    script = [
        "read_rtlil flat.il",
        f"script {LIST_FILE}",
        "opt_clean",
        f"rename {unit.top} {unit.top}_mutants",
        "splitnets -ports",
        "clean",
        f"write_verilog -noattr {unit.top}.v",
    ]
    run_yosys(script, (), folder)
    netlist = folder / f"{unit.top}.v"
    for file in files:
        (folder / file.name).unlink()
    text = netlist.read_text(encoding="utf-8")
    netlist.with_suffix(".sv").write_text(text + _wrapper(unit, text), encoding="utf-8")
    netlist.unlink()
    return Mutated(unit, folder, mutants)


def signal_widths(unit: Unit) -> dict[str, int]:
    """Bits of every port of a unit with mutants, by signal."""
    data = {port.signal: port.width for port in unit.inputs + unit.outputs}
    return {signal: data.get(signal, 1) for signal in unit.signals} | {SELECT: SELECT_BITS}


def _wrapper(unit: Unit, netlist: str) -> str:
    """The unit's own ports around a netlist of single bits: in whole words Verilator would see loops."""
    ports, pins = [], []
    for signal, bits in signal_widths(unit).items():
        direction = "output" if signal.endswith("_o") else "input"
        ports.append(f"  {direction} logic [{bits - 1}:0] {signal}")
        whole = [f".{signal}({signal})"]
        scalar = f"\\{signal}[0]" not in netlist  # a vector of one bit is split too
        pins += whole if scalar else [f".\\{signal}[{i}] ({signal}[{i}])" for i in range(bits)]
    header = ",\n".join(ports)
    return (
        f"\nmodule {unit.top} (\n{header}\n);\n  {unit.top}_mutants u_mutants (\n    "
        + ",\n    ".join(pins)
        + "\n  );\nendmodule\n"
    )


def elaborate(top: str, parameters: Mapping[str, int], files: list[str]) -> list[str]:
    """The commands that read sources, set parameters and flatten."""
    sets = "".join(f" -set {name} {value}" for name, value in parameters.items())
    return [
        f"read_verilog -sv {' '.join(files)}",
        *([f"chparam{sets} {top}"] if sets else []),
        f"hierarchy -check -top {top}",
        "proc",
        "flatten",
        "memory_map",
        "opt",
        f"rename -top {top}",
    ]


def _choose(file: Path, count: int) -> tuple[Mutant, ...]:
    """Keep the first `count` mutants of the modes that are used, in the file too."""
    mutants: list[Mutant] = []
    kept: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("mutate -ctrl "):
            continue
        number = int(line.split()[4])
        fields = dict(_FIELD.findall(line))
        if fields["mode"] not in MODES or len(mutants) == count:
            continue
        kept.append(line)
        origins = dict.fromkeys(re.findall(r" -src (?!/share)(\S+)", line))
        place = f"{fields['cell']}.{fields['port']}[{fields['portbit']}]"
        if "wire" in fields:
            place += f" on {fields['wire']}[{fields['wirebit']}]"
        mutants.append(Mutant(number, fields["mode"], place, " ".join(origins)))
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return tuple(mutants)
