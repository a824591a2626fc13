"""Energy of a mapped netlist's activity, by the recipe of a power tool with the activity counted.

    dynamic = sum over nets:  toggles * 1/2 * (pin capacitance + wire) * V^2
            + sum over pins:  toggles * mean internal energy of a transition (at the library's FO4 slew)

Wires: `wire` times the pin capacitance of the net (0: none; 1: the assumption of cost-model 3.2). A unit
pays for its own input pins and clock pins; its outputs are unloaded. The clock toggles twice a cycle on
every flip-flop; a clock tree is not included. Leakage is reported apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.estimate.liberty import Library
from fpsim.estimate.netlist import Netlist
from fpsim.estimate.simulate import Activity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Energy:
    """Dynamic energy of a run in fJ.

    Attributes:
        logic_fj: nets and pins of everything but the flip-flops.
        register_fj: the flip-flops' data pins and outputs, and the nets they drive.
        clock_fj: the clock's net and the flip-flops' clock pins.
    """

    logic_fj: float
    register_fj: float
    clock_fj: float

    @property
    def total_fj(self) -> float:
        """All of it."""
        return self.logic_fj + self.register_fj + self.clock_fj


def net_loads_ff(netlist: Netlist, wire: float) -> Floats:
    """Capacitance of each net: input pins and wire, in fF."""
    loads = np.zeros(netlist.n_nets)
    for item in netlist.instances:
        for pin, net in item.nets.items():
            if item.cell.pins[pin].direction == "input":
                loads[net] += item.cell.pins[pin].capacitance_ff
    return loads * (1.0 + wire)


def toggle_energy_fj(netlist: Netlist, library: Library, wire: float) -> Floats:
    """Energy of one transition of each net in fJ, (nets,): what `dynamic_energy` multiplies transitions with.

    The clock's net has its two transitions of a cycle together, so that a cycle's energy is this vector times
    the cycle's transitions, with 1 for the clock.
    """
    loads = net_loads_ff(netlist, wire)
    energies = 0.5 * loads * library.voltage_v**2
    slew = library.fo4_slew_ps
    for item in netlist.instances:
        for name, net in item.nets.items():
            load = float(loads[net]) if item.cell.pins[name].direction == "output" else 0.0
            energies[net] += item.cell.energy_fj(name, slew, load)
    if netlist.clock_net >= 0:
        energies[netlist.clock_net] *= 2.0
    return energies


def dynamic_energy(netlist: Netlist, library: Library, activity: Activity, wire: float) -> Energy:
    """Energy of the counted cycles.

    Args:
        netlist: the netlist that ran.
        library: the library it is mapped on.
        activity: its transitions.
        wire: wire capacitance as a multiple of the pin capacitance, 0 or more.
    """
    loads = net_loads_ff(netlist, wire)
    toggles = activity.toggles.astype(np.float64)
    if netlist.clock_net >= 0:
        toggles[netlist.clock_net] = 2.0 * activity.cycles
    nets_fj = 0.5 * loads * library.voltage_v**2 * toggles
    is_register_net = np.zeros(netlist.n_nets, dtype=bool)
    is_register_net[netlist.flop_out[:, 0]] = True
    energy = {"logic": 0.0, "register": float(nets_fj[is_register_net].sum()), "clock": 0.0}
    if netlist.clock_net >= 0:
        energy["clock"] = float(nets_fj[netlist.clock_net])
    energy["logic"] = float(nets_fj.sum()) - energy["register"] - energy["clock"]
    for part, value in _internal(netlist, library, toggles, loads).items():
        energy[part] += value
    return Energy(energy["logic"], energy["register"], energy["clock"])


def _internal(netlist: Netlist, library: Library, toggles: Floats, loads: Floats) -> dict[str, float]:
    """Energy inside the cells, by part, in fJ."""
    slew = library.fo4_slew_ps
    known: dict[tuple[str, str, float], float] = {}
    parts = {"logic": 0.0, "register": 0.0, "clock": 0.0}
    for item in netlist.instances:
        for name, net in item.nets.items():
            if toggles[net] == 0.0:
                continue
            pin = item.cell.pins[name]
            load = float(loads[net]) if pin.direction == "output" else 0.0
            key = (item.cell.name, name, load)
            if key not in known:
                known[key] = item.cell.energy_fj(name, slew, load)
            part = "logic" if item.cell.state is None else "clock" if net == netlist.clock_net else "register"
            parts[part] += known[key] * float(toggles[net])
    return parts
