"""Cycle simulation of a mapped netlist, counting the transitions of every net.

Two models of delay. Zero delay: a net changes at most once in a cycle; what a functional model can see.
Unit delay: every gate takes one and the same time, so paths of unequal length make glitches, and with no
inertia in the gates none of them dies: an upper bound (cost-model's "glitch bound"), measured per netlist.
Inputs and flip-flops change together at the start of a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from fpsim.estimate.netlist import ONE, Functions, Netlist

Ints = NDArray[np.int64]
Bits = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Activity:
    """What a run showed.

    Attributes:
        cycles: counted cycles.
        toggles: transitions of each net in them; the clock's net is not in (two in every cycle).
        outputs: uint8 (all cycles, output bits), every output port's bits, sampled at the end of a cycle.
        weighted: float64 (all cycles, sets of weights), each cycle's transitions summed under the weights.
    """

    cycles: int
    toggles: Ints
    outputs: Bits
    weighted: Floats


def simulate(
    netlist: Netlist,
    stimulus: Bits,
    *,
    skip: int = 0,
    unit_delay: bool = False,
    weights: Floats | None = None,
) -> Activity:
    """Run a netlist.

    Args:
        netlist: the netlist.
        stimulus: uint8 (cycles, input bits): the bits of `netlist.inputs`, port after port, bit 0 first.
        skip: cycles at the start that are run but not counted (reset, filling).
        unit_delay: count the transitions of the unit-delay model instead of the zero-delay one.
        weights: float64 (sets, nets), what a transition of each net weighs, for `Activity.weighted`.

    Raises:
        ValueError: the stimulus has not one column per input bit, nothing is left to count, or weights are
            not one per net.
    """
    inputs = netlist.nets_of(netlist.inputs)
    if stimulus.ndim != 2 or stimulus.shape[1] != len(inputs) or stimulus.dtype != np.uint8:
        raise ValueError(f"stimulus: {stimulus.dtype} {stimulus.shape}, expected uint8 (..., {len(inputs)})")
    if not 0 <= skip < len(stimulus):
        raise ValueError(f"skip={skip}: expected 0 to {len(stimulus) - 1}, fewer than the stimulus has")
    per_net = np.zeros((0, netlist.n_nets)) if weights is None else np.ascontiguousarray(weights, np.float64)
    if per_net.ndim != 2 or per_net.shape[1] != netlist.n_nets:
        raise ValueError(f"weights: {per_net.shape}, expected (sets, {netlist.n_nets})")
    weighted = np.zeros((len(stimulus), len(per_net)))
    fan_start, fan_gates = _fanout(netlist)
    values = np.zeros(netlist.n_nets, dtype=np.uint8)
    values[ONE] = 1
    toggles = np.zeros(netlist.n_nets, dtype=np.int64)
    outputs = netlist.nets_of(netlist.outputs)
    seen = np.zeros((len(stimulus), len(outputs)), dtype=np.uint8)
    _run(
        np.ascontiguousarray(stimulus), inputs, outputs, skip, unit_delay, values, toggles, seen,
        netlist.gate_out, *_arrays(netlist.gates), fan_start, fan_gates,
        netlist.initial.copy(), *_arrays(netlist.flops), *_arrays(netlist.asynchronous)[2:],
        netlist.flop_out_start, netlist.flop_out, per_net, weighted,
    )  # fmt: skip
    return Activity(len(stimulus) - skip, toggles, seen, weighted)


def _arrays(functions: Functions) -> tuple[Any, ...]:
    return functions.start, functions.nets, functions.table_start, functions.tables


def _fanout(netlist: Netlist) -> tuple[Ints, Ints]:
    """Gates that read each net, cut by the first array."""
    gates = netlist.gates
    reader = np.repeat(np.arange(len(netlist.gate_out)), np.diff(gates.start))
    order = np.argsort(gates.nets, kind="stable")
    counts = np.bincount(gates.nets, minlength=netlist.n_nets)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), reader[order].astype(np.int64)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _lookup(
    node: int, values: Bits, start: Ints, nets: Ints, table_start: Ints, tables: Bits, state: int
) -> int:
    """Value of a node's function; `state` (0 or 1) is the input above the nets, if the table has one."""
    word = np.int64(0)
    count = start[node + 1] - start[node]
    for i in range(count):
        word |= np.int64(values[nets[start[node] + i]]) << i
    return int(tables[table_start[node] + (word | (np.int64(state) << count))])


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _settle(values: Bits, gate_out: Ints, start: Ints, nets: Ints, table_start: Ints, tables: Bits) -> None:
    """Zero delay: every gate once, in order."""
    for gate in range(gate_out.size):
        values[gate_out[gate]] = _lookup(gate, values, start, nets, table_start, tables, 0)


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _ripple(
    before: Bits, values: Bits, toggles: Ints, gate_out: Ints, start: Ints, nets: Ints,
    table_start: Ints, tables: Bits, fan_start: Ints, fan_gates: Ints,
) -> None:  # fmt: skip
    """Unit delay: from the settled `before` to `values` (its sources changed), counting every change."""
    changed = np.flatnonzero(before != values)
    stamp = np.full(gate_out.size, -1, np.int64)
    step = 0
    while changed.size:
        touched = np.empty(gate_out.size, np.int64)
        n_touched = 0
        for net in changed:
            toggles[net] += 1
            for i in range(fan_start[net], fan_start[net + 1]):
                if stamp[fan_gates[i]] != step:
                    stamp[fan_gates[i]] = step
                    touched[n_touched] = fan_gates[i]
                    n_touched += 1
        result = np.empty(n_touched, np.uint8)
        for i in range(n_touched):
            result[i] = _lookup(touched[i], values, start, nets, table_start, tables, 0)
        n_changed = 0
        changed = np.empty(n_touched, np.int64)
        for i in range(n_touched):
            net = gate_out[touched[i]]
            if values[net] != result[i]:
                values[net] = result[i]
                changed[n_changed] = net
                n_changed += 1
        changed = changed[:n_changed]
        step += 1


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _drive(values: Bits, state: Bits, flop_out_start: Ints, flop_out: Ints) -> None:
    """Put the flip-flops' states on their output nets."""
    for flop in range(state.size):
        for i in range(flop_out_start[flop], flop_out_start[flop + 1]):
            values[flop_out[i, 0]] = state[flop] ^ flop_out[i, 1]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _run(
    stimulus: Bits, inputs: Ints, outputs: Ints, skip: int, unit_delay: bool, values: Bits, toggles: Ints,
    seen: Bits, gate_out: Ints, start: Ints, nets: Ints, table_start: Ints, tables: Bits, fan_start: Ints,
    fan_gates: Ints, state: Bits, flop_start: Ints, flop_nets: Ints, next_start: Ints, next_tables: Bits,
    async_start: Ints, async_tables: Bits, flop_out_start: Ints, flop_out: Ints, per_net: Floats,
    weighted: Floats,
) -> None:  # fmt: skip
    """All cycles: inputs and states change, the netlist settles, outputs are noted, the clock rises."""
    scratch = np.zeros_like(toggles)
    for cycle in range(stimulus.shape[0]):
        counted = toggles.copy() if per_net.shape[0] else toggles
        before = values.copy()
        for i in range(inputs.size):
            values[inputs[i]] = stimulus[cycle, i]
        _drive(values, state, flop_out_start, flop_out)
        if unit_delay and cycle > 0:
            counts = toggles if cycle >= skip else scratch
            _ripple(before, values, counts, gate_out, start, nets, table_start, tables, fan_start, fan_gates)
        _settle(values, gate_out, start, nets, table_start, tables)
        forced = False
        for flop in range(state.size):
            held = state[flop]
            state[flop] = _lookup(flop, values, flop_start, flop_nets, async_start, async_tables, held)
            forced |= state[flop] != held
        if forced:  # clear and preset come from reset, straight from an input: once is enough
            _drive(values, state, flop_out_start, flop_out)
            _settle(values, gate_out, start, nets, table_start, tables)
        if not unit_delay and cycle >= skip and cycle > 0:
            for net in range(values.size):
                toggles[net] += values[net] != before[net]
        for i in range(per_net.shape[0]):
            for net in range(counted.size):
                weighted[cycle, i] += per_net[i, net] * (toggles[net] - counted[net])
        for i in range(outputs.size):
            seen[cycle, i] = values[outputs[i]]
        for flop in range(state.size):  # an active clear holds through the edge
            after = _lookup(flop, values, flop_start, flop_nets, next_start, next_tables, state[flop])
            state[flop] = _lookup(flop, values, flop_start, flop_nets, async_start, async_tables, after)
