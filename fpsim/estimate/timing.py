"""Longest path of a mapped netlist: a static pass over the library's delay tables.

Every net has, for each edge, a latest arrival and a largest slew, kept apart (as abc's `stime` and, by its
default, OpenSTA do): an upper bound over the paths that meet there. Delays and slews are read at the net's
own load, pins and wire, as its energy is. Flip-flops launch at their clock-to-output delay and ask for
their setup time. Ours where nothing is given: input ports and the clock change with the library's FO4 slew,
at the clock's edge; output ports drive four inverters. Reset is no path; the clock tree is ideal; nothing is
derated for variation. False paths count: a figure here is never too fast for the netlist as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from fpsim.estimate.energy import net_loads_ff
from fpsim.estimate.liberty import Library
from fpsim.estimate.liberty_table import Table
from fpsim.estimate.netlist import Netlist

RESET = "rst_ni"
FAN_OUT = 4
NEVER = -1.0e30  # arrival of an edge that does not come

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """A longest path: its delay in ps, setup included, and the gates on it (a launching flip-flop is one)."""

    delay_ps: float
    gates: int


@dataclass(frozen=True)
class Timing:
    """Longest paths by where they start and end; None where there is none."""

    register_to_register: Path | None
    input_to_register: Path | None
    register_to_output: Path | None
    input_to_output: Path | None

    @property
    def longest(self) -> Path:
        """The longest of them: what the clock's period must be with ports at the clock's edge."""
        return max(self._all().values(), key=lambda path: path.delay_ps, default=Path(0.0, 0))

    def by_ends(self) -> dict[str, float]:
        """Delay in ps of each that there is, by its attribute's name."""
        return {name: round(path.delay_ps, 1) for name, path in self._all().items()}

    def _all(self) -> dict[str, Path]:
        return {name: path for name, path in vars(self).items() if path is not None}


def longest_paths(
    netlist: Netlist,
    library: Library,
    wire: float,
    *,
    input_slew_ps: float | None = None,
    output_load_ff: float | None = None,
) -> Timing:
    """Longest paths of a netlist.

    Args:
        netlist: the netlist.
        library: the library it is mapped on.
        wire: wire capacitance as a multiple of the pin capacitance, 0 or more; wires have no resistance.
        input_slew_ps: slew of input ports and clock; None: the library's FO4 slew.
        output_load_ff: load of an output port; None: four of the smallest inverters.

    Raises:
        ValueError: a cell on the netlist without delay tables.
    """
    slew = library.fo4_slew_ps if input_slew_ps is None else input_slew_ps
    if output_load_ff is None:
        (pin,) = library.inverter.inputs
        output_load_ff = FAN_OUT * library.inverter.pins[pin].capacitance_ff
    loads = net_loads_ff(netlist, wire)
    outputs = netlist.nets_of(netlist.outputs)
    np.add.at(loads, outputs, output_load_ff)
    graph = _Graph(netlist, library, loads / library.units.capacitance_ff, slew / library.units.time_ps)
    ports = netlist.nets_of(tuple(name for name in netlist.inputs if name != RESET))
    found = []
    for start in ("register", "input"):
        arrival, slews, gates = graph.empty()
        if start == "input":
            arrival[ports], slews[ports] = 0.0, graph.slew
            graph.propagate(graph.gates, arrival, slews, gates)
        elif netlist.clock_net >= 0:
            clock = netlist.clock_net
            arrival[clock], slews[clock] = 0.0, graph.slew
            graph.propagate(graph.launches, arrival, slews, gates)
            arrival[clock] = NEVER
            graph.propagate(graph.gates, arrival, slews, gates)
        found.append((graph.latest_capture(arrival, slews, gates), graph.latest(outputs, arrival, gates)))
    (to_register, to_output), (in_register, in_output) = found
    return Timing(to_register, in_register, to_output, in_output)


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Arcs in the order in which they are walked: columns are source net, its edge, net, edge, delay table,
    slew table; and each one's load."""

    rows: Ints
    loads: Floats


class _Graph:
    """A netlist's arcs, in the library's own units of time and capacitance."""

    def __init__(self, netlist: Netlist, library: Library, loads: Floats, slew: float) -> None:
        self.slew, self._n_nets = slew, netlist.n_nets
        self._time_ps = library.units.time_ps
        self._tables = _Tables()
        flops: list[tuple[int, ...]] = []
        captures: list[tuple[int, ...]] = []
        by_net: dict[int, list[tuple[int, ...]]] = {}
        for item in netlist.instances:
            timing = library.timing(item.cell.name)
            for pin, net in item.nets.items():
                if item.cell.pins[pin].direction == "output":
                    arcs: list[tuple[int, ...]] = [
                        (item.nets[arc.source], arc.source_edge, net, arc.edge,
                         self._tables.add(arc.delay), self._tables.add(arc.transition))
                        for arc in timing.delays.get(pin, ())
                        if arc.source in item.nets
                    ]  # fmt: skip
                    if not arcs and item.cell.inputs:
                        raise ValueError(f"{library.path}: cell {item.cell.name} has no delay tables")
                    if item.cell.state is not None:
                        flops += arcs
                    else:
                        by_net[net] = arcs
                else:
                    setups = timing.setups.get(pin, ())
                    captures += [(net, arc.edge, self._tables.add(arc.table)) for arc in setups]
        self.launches = _arcs(flops, loads)
        self.gates = _arcs([arc for net in netlist.gate_out.tolist() for arc in by_net[net]], loads)
        self._captures = np.array(captures, np.int64).reshape(-1, 3)
        self._arrays = self._tables.arrays()

    def empty(self) -> tuple[Floats, Floats, Ints]:
        """Arrival, slew and gates of each net and edge, with nothing on its way."""
        return (
            np.full((self._n_nets, 2), NEVER),
            np.zeros((self._n_nets, 2)),
            np.zeros((self._n_nets, 2), np.int64),
        )

    def propagate(self, arcs: _Arcs, arrival: Floats, slews: Floats, gates: Ints) -> None:
        _propagate(arcs.rows, arcs.loads, arrival, slews, gates, *self._arrays)

    def latest_capture(self, arrival: Floats, slews: Floats, gates: Ints) -> Path | None:
        """The latest data of a flip-flop, its setup time included."""
        best = None
        for net, edge, table in self._captures.tolist():
            if arrival[net, edge] > NEVER / 2:
                setup = self._tables.known[table].at(float(slews[net, edge]), self.slew)
                needed = float(arrival[net, edge] + setup) * self._time_ps
                if best is None or needed > best.delay_ps:
                    best = Path(needed, int(gates[net, edge]))
        return best

    def latest(self, nets: Ints, arrival: Floats, gates: Ints) -> Path | None:
        """The latest of some nets."""
        times = arrival[nets].reshape(-1)
        if not times.size or times.max() < NEVER / 2:
            return None
        place = int(times.argmax())
        return Path(float(times[place]) * self._time_ps, int(gates[nets].reshape(-1)[place]))


def _arcs(rows: list[tuple[int, ...]], loads: Floats) -> _Arcs:
    array = np.array(rows, np.int64).reshape(-1, 6)
    return _Arcs(array, loads[array[:, 2]])


class _Tables:
    """Distinct tables, laid out one behind the other for the kernel."""

    def __init__(self) -> None:
        self.known: list[Table] = []
        self._places: dict[int, int] = {}

    def add(self, table: Table) -> int:
        """The table's number."""
        if id(table) not in self._places:
            self._places[id(table)] = len(self.known)
            self.known.append(table)
        return self._places[id(table)]

    def arrays(self) -> tuple[Ints, Floats]:
        """Rows (place, slews, loads) and the numbers: a table's slews, its loads, its values by rows."""
        numbers: list[float] = []
        rows = []
        for table in self.known:
            rows.append((len(numbers), len(table.slews), len(table.loads)))
            numbers += [*table.slews, *table.loads, *(value for row in table.values for value in row)]
        return np.array(rows, np.int64).reshape(-1, 3), np.array(numbers, np.float64)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _segment(numbers: Floats, place: int, count: int, value: float) -> int:
    """First point of the segment that holds the value; the outermost ones go on beyond the axis."""
    index = 0
    while index < count - 2 and numbers[place + index + 1] <= value:
        index += 1
    return index


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _at(tables: Ints, numbers: Floats, table: int, slew: float, load: float) -> float:
    """What `Table.at` gives."""
    place, n_slews, n_loads = tables[table, 0], tables[table, 1], tables[table, 2]
    row, col = _segment(numbers, place, n_slews, slew), _segment(numbers, place + n_slews, n_loads, load)
    values = place + n_slews + n_loads
    part = 0.0
    if n_loads > 1:
        first = numbers[place + n_slews + col]
        part = (load - first) / (numbers[place + n_slews + col + 1] - first)
    at = values + row * n_loads + col
    low = float(numbers[at])
    if n_loads > 1:
        low += part * (numbers[at + 1] - numbers[at])
    if n_slews == 1:
        return low
    at += n_loads
    high = float(numbers[at])
    if n_loads > 1:
        high += part * (numbers[at + 1] - numbers[at])
    first = numbers[place + row]
    return float(low + (slew - first) / (numbers[place + row + 1] - first) * (high - low))


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _propagate(
    rows: Ints, loads: Floats, arrival: Floats, slews: Floats, gates: Ints, tables: Ints, numbers: Floats
) -> None:
    """Walk the arcs in order: sources come first."""
    for i in range(rows.shape[0]):
        source, source_edge, net, edge = rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3]
        if arrival[source, source_edge] < NEVER / 2:
            continue
        slew = slews[source, source_edge]
        then = arrival[source, source_edge] + _at(tables, numbers, rows[i, 4], slew, loads[i])
        slews[net, edge] = max(slews[net, edge], _at(tables, numbers, rows[i, 5], slew, loads[i]))
        if then > arrival[net, edge]:
            arrival[net, edge] = then
            gates[net, edge] = gates[source, source_edge] + 1
