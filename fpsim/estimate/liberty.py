"""Standard-cell data out of a Liberty file, in um2, fF, fJ, nW, ps and V whatever the file's units.

Internal energy of a transition: the mean of the file's rise and fall tables at the actual load, as
parallaxsw/OpenSTA has done since 2020 (power/Power.cc). Tables of the two supply pins add; tables that
differ only in their condition (`when`) or related pin are averaged, each related pin with equal weight.
The unit of an internal_power table is capacitive_load_unit times voltage_unit squared (Liberty manual).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

from fpsim.estimate import boolean
from fpsim.estimate.liberty_power import Arc, average_energy, power_arcs
from fpsim.estimate.liberty_table import Table, read_table
from fpsim.estimate.liberty_text import Group, LibertyText, read_liberty_text
from fpsim.estimate.liberty_timing import CellTiming, cell_timing

_EXPONENT = {"": 0, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
FO4_STEPS = 20  # the slew of the fan-out-of-four chain settles well before


@dataclass(frozen=True)
class Units:
    """What one of the file's units is worth: fF, V, ps, nW."""

    capacitance_ff: float
    voltage_v: float
    time_ps: float
    leakage_nw: float

    @property
    def energy_fj(self) -> float:
        """Worth of one unit of an internal_power table in fJ: capacitance times voltage squared."""
        return self.capacitance_ff * self.voltage_v**2


@dataclass(frozen=True)
class Pin:
    """A signal pin: direction, capacitance (fF), boolean function of an output, energy tables."""

    name: str
    direction: str
    capacitance_ff: float
    function: str | None
    is_clock: bool
    arcs: tuple[Arc, ...]


@dataclass(frozen=True)
class State:
    """A flip-flop's own text: state names, next state, clock and asynchronous inputs (None if absent)."""

    names: tuple[str, str]
    next_state: str
    clocked_on: str
    clear: str | None
    preset: str | None


@dataclass(frozen=True)
class Cell:
    """A standard cell. Area in um2, leakage in nW."""

    name: str
    area_um2: float
    leakage_nw: float
    pins: dict[str, Pin]
    state: State | None
    units: Units

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input pins, sorted."""
        return tuple(sorted(name for name, pin in self.pins.items() if pin.direction == "input"))

    def energy_fj(self, pin: str, slew_ps: float, load_ff: float) -> float:
        """Mean internal energy of one transition of a pin, at an input slew and an output load."""
        arcs = self.pins[pin].arcs
        if self.state is not None and self.pins[pin].direction == "output":
            # A flip-flop's output moves with its clock; the arcs of clear and preset are not in the run.
            clock = boolean.names(self.state.clocked_on)
            arcs = tuple(arc for arc in arcs if not arc.related_pin or arc.related_pin in clock)
        slew, load = slew_ps / self.units.time_ps, load_ff / self.units.capacitance_ff
        return average_energy(arcs, slew, load) * self.units.energy_fj


class Library:
    """A Liberty library; cells are parsed when first asked for."""

    def __init__(self, text: LibertyText) -> None:
        self._text = text
        self._cells: dict[str, Cell] = {}
        self._timings: dict[str, CellTiming] = {}
        self._templates = {
            group.args[0]: group for group in text.header.all("lu_table_template", "power_lut_template")
        }
        self.path = text.path
        self.name = text.header.args[0]
        self.cell_names = tuple(text.cells)
        self.units = _units(text.header, text.path)
        self.voltage_v = _required(text.header, "nom_voltage", text.path) * self.units.voltage_v
        self.temperature_c = _required(text.header, "nom_temperature", text.path)

    @classmethod
    def read(cls, path: Path) -> Library:
        """Read a file, plain or gzip; ValueError if it is unreadable, no Liberty or cut short."""
        return cls(read_liberty_text(path))

    def cell(self, name: str) -> Cell:
        """A cell by name; ValueError if the library has none of that name."""
        if name not in self._cells:
            self._cells[name] = self._read_cell(self._text.cell(name))
        return self._cells[name]

    def timing(self, name: str) -> CellTiming:
        """Delays and setup times of a cell, in the file's own units; ValueError if there is no such cell."""
        if name not in self._timings:
            self._timings[name] = cell_timing(self._text.cell(name), self._table)
        return self._timings[name]

    @cached_property
    def nand2(self) -> Cell:
        """The smallest two-input NAND, the gate equivalent's cell, found by its function."""
        return self._smallest((1, 1, 1, 0))

    @cached_property
    def inverter(self) -> Cell:
        """The smallest inverter, found by its function."""
        return self._smallest((1, 0))

    @cached_property
    def fo4_slew_ps(self) -> float:
        """Transition time of an endless chain of smallest inverters, each loaded with four of its like.

        The one slew at which every energy table is read, in the file's own slew definition.
        """
        group = self._text.cell(self.inverter.name)
        (pin,) = self.inverter.inputs
        load = 4 * self.inverter.pins[pin].capacitance_ff / self.units.capacitance_ff
        timing = [arc for out in group.all("pin") for arc in out.all("timing")]
        tables = [
            self._table(table) for arc in timing for table in arc.all("rise_transition", "fall_transition")
        ]
        if not tables:
            raise ValueError(f"{self.path}: {group.args[0]} has no transition tables")
        slew = 0.0
        for _ in range(FO4_STEPS):
            slew = fmean(table.at(slew, load) for table in tables)
        return slew * self.units.time_ps

    def excluded(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """Cells that synthesis must not use: marked `dont_use`, or matching one of the patterns."""
        marked = re.compile(r"\bdont_use\s*:\s*\"?true")
        return tuple(
            name
            for name, text in self._text.cells.items()
            if any(re.search(pattern, name) for pattern in patterns) or marked.search(text)
        )

    def _smallest(self, table: tuple[int, ...]) -> Cell:
        inputs = len(table).bit_length() - 1
        found = []
        for name, text in self._text.cells.items():
            functions = re.findall(r'\bfunction\s*:\s*"([^"]*)"', text)
            if len(functions) == 1 and len(boolean.names(functions[0])) == inputs:
                cell = self.cell(name)
                if set(boolean.names(functions[0])) == set(cell.inputs):
                    values = boolean.truth_table(functions[0], cell.inputs)
                    found += [cell] if values == table else []
        if not found:
            raise ValueError(f"{self.path}: no cell with the truth table {table}")
        return min(found, key=lambda cell: (cell.area_um2, cell.name))

    def _table(self, group: Group) -> Table:
        return read_table(group, self._templates, self.path)

    def _read_cell(self, group: Group) -> Cell:
        name = group.args[0]
        area = _required(group, "area", self.path)
        pins = {pin.args[0]: self._read_pin(pin) for pin in group.all("pin")}
        leakage = _leakage(group) * self.units.leakage_nw
        return Cell(name, area, leakage, pins, _state(group), self.units)

    def _read_pin(self, group: Group) -> Pin:
        return Pin(
            name=group.args[0],
            direction=group.attributes.get("direction", ""),
            capacitance_ff=(group.number("capacitance") or 0.0) * self.units.capacitance_ff,
            function=group.attributes.get("function"),
            is_clock=group.attributes.get("clock") == "true",
            arcs=power_arcs(group, self._table),
        )


def _units(header: Group, path: Path) -> Units:
    scale, unit = (part.strip().strip('"') for part in _text(header, "capacitive_load_unit", path).split(","))
    return Units(
        capacitance_ff=float(scale) * 10.0 ** (_exponent(unit, "F", path) + 15),
        voltage_v=_quantity(header, "voltage_unit", "V", 0, path),
        time_ps=_quantity(header, "time_unit", "s", -12, path),
        leakage_nw=_quantity(header, "leakage_power_unit", "W", -9, path),
    )


def _quantity(header: Group, name: str, base: str, exponent: int, path: Path) -> float:
    """A unit's worth in 10^exponent of the base unit."""
    text = _text(header, name, path)
    match = re.fullmatch(r"\s*([\d.]+)\s*(\w+)\s*", text)
    if match is None:
        raise ValueError(f"{path}: {name} is {text!r}, expected a number and a unit")
    return float(match[1]) * 10.0 ** (_exponent(match[2], base, path) - exponent)


def _exponent(unit: str, base: str, path: Path) -> int:
    if unit[-1:].upper() != base.upper() or unit[:-1].lower() not in _EXPONENT:
        raise ValueError(f"{path}: unit {unit!r}: expected {base} with one of the prefixes m, u, n, p, f")
    return _EXPONENT[unit[:-1].lower()]


def _text(group: Group, name: str, path: Path) -> str:
    if name not in group.attributes:
        raise ValueError(f"{path}: {group.name} ({', '.join(group.args)}) lacks {name}")
    return group.attributes[name]


def _required(group: Group, name: str, path: Path) -> float:
    return float(_text(group, name, path))


def _leakage(group: Group) -> float:
    """Leakage in the file's unit: the cell's figure, else its unconditional groups (one per supply pin,
    added), else the mean over the conditions."""
    whole = group.number("cell_leakage_power")
    if whole is not None:
        return whole
    by_condition: dict[str, float] = {}
    for part in group.all("leakage_power"):
        when = part.attributes.get("when", "")
        by_condition[when] = by_condition.get(when, 0.0) + (part.number("value") or 0.0)
    if "" in by_condition:
        return by_condition[""]
    return fmean(by_condition.values()) if by_condition else 0.0


def _state(group: Group) -> State | None:
    flops = group.all("ff")
    if not flops:
        return None
    text = flops[0].attributes
    return State(
        names=(flops[0].args[0], flops[0].args[1]),
        next_state=text.get("next_state", ""),
        clocked_on=text.get("clocked_on", ""),
        clear=text.get("clear"),
        preset=text.get("preset"),
    )
