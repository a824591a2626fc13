"""A mapped netlist: yosys' JSON and the library's cells, laid out as arrays for the simulation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.estimate import boolean
from fpsim.estimate.liberty import Cell, Library

CLOCK = "clk_i"
ZERO, ONE = 0, 1  # the two constant nets; an undefined bit ("x") is a constant 0

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Functions:
    """Truth tables of many nodes: node g reads `nets[start[g]:start[g+1]]`, first input in bit 0."""

    start: Ints
    nets: Ints
    table_start: Ints
    tables: NDArray[np.uint8]

    @classmethod
    def build(cls, nodes: list[tuple[list[int], tuple[int, ...]]]) -> Functions:
        """From (input nets, truth table) of every node."""
        lengths = [len(nets) for nets, _ in nodes]
        sizes = [len(table) for _, table in nodes]
        return cls(
            start=np.cumsum([0, *lengths], dtype=np.int64),
            nets=np.array([net for nets, _ in nodes for net in nets], dtype=np.int64),
            table_start=np.cumsum([0, *sizes], dtype=np.int64),
            tables=np.array([bit for _, table in nodes for bit in table], dtype=np.uint8),
        )


@dataclass(frozen=True)
class Instance:
    """A cell of the netlist and the net of each of its pins."""

    name: str
    cell: Cell
    nets: dict[str, int]


@dataclass(frozen=True, eq=False)
class Netlist:
    """A netlist ready to simulate.

    Attributes:
        instances: every cell.
        ports: net numbers of each port, bit 0 first, by name; `inputs` and `outputs` list the names (the
            clock apart).
        n_nets: number of nets, the two constants included.
        gates: functions of the combinational outputs, in an order in which inputs come first.
        gate_out: net that each gate drives.
        flops: next state of each flip-flop; the last input is its own state.
        asynchronous: the same after clear and preset have acted.
        flop_out: (net, inverted) rows of each flip-flop's outputs, `flop_out_start` cuts them.
        initial: state of each flip-flop that has taken zeros: the start, where reset does not say.
    """

    instances: tuple[Instance, ...]
    ports: dict[str, tuple[int, ...]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    n_nets: int
    gates: Functions
    gate_out: Ints
    flops: Functions
    asynchronous: Functions
    flop_out: Ints
    flop_out_start: Ints
    initial: NDArray[np.uint8]

    @property
    def clock_net(self) -> int:
        """The clock's net, -1 for a combinational unit."""
        return self.ports[CLOCK][0] if CLOCK in self.ports else -1

    def nets_of(self, ports: tuple[str, ...]) -> Ints:
        """The nets of several ports, one after the other."""
        return np.array([net for port in ports for net in self.ports[port]], dtype=np.int64)


def read_netlist(path: Path, top: str, library: Library) -> Netlist:
    """Read a flat netlist that yosys wrote with `write_json`.

    Raises:
        ValueError: a cell the library does not have, a flip-flop off the clock, a combinational loop.
    """
    module = json.loads(path.read_text())["modules"][top]
    numbers: dict[Any, int] = {"0": ZERO, "x": ZERO, "1": ONE}

    def number(bit: int | str) -> int:
        return numbers.setdefault(bit, len(numbers) - 1)

    ports = {name: tuple(map(number, port["bits"])) for name, port in module["ports"].items()}
    instances = tuple(
        Instance(name, library.cell(item["type"]), {p: number(b[0]) for p, b in item["connections"].items()})
        for name, item in module["cells"].items()
    )
    return _build(instances, ports, module["ports"], len(numbers) - 1)


def _build(
    instances: tuple[Instance, ...],
    ports: dict[str, tuple[int, ...]],
    port_info: dict[str, dict[str, Any]],
    n_nets: int,
) -> Netlist:
    flops = [item for item in instances if item.cell.state is not None]
    for item in flops:
        _check_clock(item, ports)
    sources = {net for name, bits in ports.items() if port_info[name]["direction"] == "input" for net in bits}
    sources |= {ZERO, ONE} | {net for item in flops for net, _ in _flop_outputs(item)}
    gate_out, gates = _ordered_gates(instances, sources)
    flop_outputs = [_flop_outputs(item) for item in flops]
    names = {
        direction: tuple(n for n, p in port_info.items() if p["direction"] == direction and n != CLOCK)
        for direction in ("input", "output")
    }
    return Netlist(
        instances=instances,
        ports=ports,
        inputs=names["input"],
        outputs=names["output"],
        n_nets=n_nets,
        gates=Functions.build(gates),
        gate_out=np.array(gate_out, dtype=np.int64),
        flops=Functions.build([_flop_node(item, _next_state) for item in flops]),
        asynchronous=Functions.build([_flop_node(item, _after_asynchronous) for item in flops]),
        flop_out=np.array([row for rows in flop_outputs for row in rows], dtype=np.int64).reshape(-1, 2),
        flop_out_start=np.cumsum([0, *map(len, flop_outputs)], dtype=np.int64),
        initial=np.array([_flop_node(item, _next_state)[1][0] for item in flops], dtype=np.uint8),
    )


def _check_clock(item: Instance, ports: dict[str, tuple[int, ...]]) -> None:
    assert item.cell.state is not None
    clocked_on = item.cell.state.clocked_on.strip("() ")
    if clocked_on not in item.nets or CLOCK not in ports or item.nets[clocked_on] != ports[CLOCK][0]:
        raise ValueError(
            f"{item.name} ({item.cell.name}): clocked on {clocked_on!r}, expected {CLOCK} rising"
        )


def _ordered_gates(
    instances: tuple[Instance, ...], sources: set[int]
) -> tuple[list[int], list[tuple[list[int], tuple[int, ...]]]]:
    """Combinational outputs sorted so that every gate follows the drivers of its inputs."""
    tables: dict[tuple[str, str], tuple[tuple[str, ...], tuple[int, ...]]] = {}
    drivers: dict[int, tuple[list[int], tuple[int, ...]]] = {}
    readers: dict[int, list[int]] = {}
    waiting: dict[int, int] = {}
    for item in instances:
        for pin in () if item.cell.state else item.cell.pins.values():
            if pin.direction != "output" or pin.name not in item.nets:
                continue
            key = (item.cell.name, pin.name)
            if key not in tables:
                inputs = boolean.names(pin.function or "")
                tables[key] = (inputs, boolean.truth_table(pin.function or "", inputs))
            nets = [item.nets[name] for name in tables[key][0]]
            out = item.nets[pin.name]
            drivers[out] = (nets, tables[key][1])
            pending = {net for net in nets if net not in sources}
            waiting[out] = len(pending)
            for net in pending:
                readers.setdefault(net, []).append(out)
    order = [out for out, count in waiting.items() if count == 0]
    for out in order:  # grows while it is walked
        for reader in readers.get(out, ()):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                order.append(reader)
    if len(order) != len(drivers):
        raise ValueError(f"{len(drivers) - len(order)} gates are in a loop or undriven")
    return order, [drivers[out] for out in order]


def _flop_outputs(item: Instance) -> list[tuple[int, int]]:
    """(net, inverted) of each connected output of a flip-flop."""
    state = item.cell.state
    assert state is not None
    rows = []
    for pin in item.cell.pins.values():
        if pin.direction == "output" and pin.name in item.nets:
            if pin.function not in state.names:
                raise ValueError(f"{item.cell.name}.{pin.name}: function {pin.function!r} is not its state")
            rows.append((item.nets[pin.name], state.names.index(pin.function)))
    return rows


def _flop_node(item: Instance, rule: Callable[[Cell], tuple[int, ...]]) -> tuple[list[int], tuple[int, ...]]:
    """Input nets and table; the state, the table's last input, has no net."""
    return [item.nets[pin] for pin in item.cell.inputs], rule(item.cell)


def _next_state(cell: Cell) -> tuple[int, ...]:
    assert cell.state is not None
    return boolean.truth_table(cell.state.next_state, (*cell.inputs, cell.state.names[0]))


def _after_asynchronous(cell: Cell) -> tuple[int, ...]:
    """State after clear and preset: clear wins (neither is ever active together with the other here)."""
    state = cell.state
    assert state is not None
    inputs = (*cell.inputs, state.names[0])
    held = boolean.truth_table(state.names[0], inputs)
    clear = boolean.truth_table(state.clear or "0", inputs)
    preset = boolean.truth_table(state.preset or "0", inputs)
    return tuple((h | p) & (1 - c) for h, p, c in zip(held, preset, clear, strict=True))
