"""Two versions of a module, RTL and netlist, cut open at their registers and paired by the registers' names.

Synthesis keeps the names of registers (`synth -nofsm`), so that the next states and outputs of both can be
compared as functions of the same states and inputs. Registers of the RTL that synthesis found to be one are
one state here, and each of them is compared; one that it left out is 0 here, and its next state must be 0,
unless nothing reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
STATE, NEXT, RESET = "state_cut_i", "next_cut_o", "reset_cut_o"


@dataclass(frozen=True)
class _Register:
    kind: str  # of flip-flop
    names: tuple[str, ...]
    pins: Mapping[str, list[Any]]

    def net(self, pin: str) -> Any:
        return self.pins[pin][0]


def cut_pair(gold: Json, gate: Json, top: str) -> int:
    """Make the registers of both designs ports, in the same order.

    Args:
        gold: yosys' JSON of the RTL, gates and flip-flops alone; changed in place.
        gate: of the netlist.
        top: name of the module in both; it becomes "gold" and "gate".

    Returns:
        How many bits are compared: next states and outputs.

    Raises:
        ValueError: a register of the netlist that the RTL has not, or of another kind.
    """
    ours, theirs = gold["modules"][top], gate["modules"][top]
    known = _take_registers(ours)
    by_name = {name: register for register in known for name in register.names}
    pairs: list[tuple[_Register, _Register]] = []
    for register in _take_registers(theirs):
        same = {id(by_name[name]): by_name[name] for name in register.names if name in by_name}
        if not same:
            raise ValueError(f"netlist: register {register.names} is none of the RTL's")
        for found in same.values():
            if found.kind != register.kind:
                raise ValueError(f"netlist: {register.names[0]} is {register.kind}, in the RTL {found.kind}")
            pairs.append((found, register))
    states = {id(register): register.net("Q") for _, register in pairs}
    first: dict[int, Any] = {}
    merged: dict[Any, Any] = {}
    for found, register in pairs:
        merged[found.net("Q")] = first.setdefault(id(register), found.net("Q"))
    kept = {id(found) for found, _ in pairs}
    read = {bit for cell in ours["cells"].values() for pin, bits in cell["connections"].items() if pin != "Y"
            for bit in bits}  # fmt: skip
    read |= {bit for port in ours["ports"].values() for bit in port["bits"]}
    gone = [register for register in known if id(register) not in kept and register.net("Q") in read]
    merged |= {register.net("Q"): "0" for register in gone}
    resets = [(a, b) for a, b in pairs if "R" in a.pins]
    _rename(ours, merged)
    for module, side in ((ours, 0), (theirs, 1)):
        nets = {
            STATE: [first[key] for key in states] if side == 0 else list(states.values()),
            NEXT: [pair[side].net("D") for pair in pairs] + [(r.net("D"), "0")[side] for r in gone],
            RESET: [pair[side].net("R") for pair in resets],
        }
        for name, bits in nets.items():
            if bits:
                direction = "input" if name == STATE else "output"
                bits = [merged.get(bit, bit) for bit in bits] if side == 0 else bits
                module["ports"][name] = {"direction": direction, "bits": bits}
    for design, name in ((gold, "gold"), (gate, "gate")):
        design["modules"] = {name: design["modules"][top]}
    outputs = (port for port in ours["ports"].values() if port["direction"] == "output")
    return sum(len(port["bits"]) for port in outputs)


def _take_registers(module: Json) -> list[_Register]:
    """Remove the flip-flops and return them."""
    names: dict[Any, list[str]] = {}
    for name, net in module["netnames"].items():
        if not net["hide_name"]:
            for i, bit in enumerate(net["bits"]):
                names.setdefault(bit, []).append(f"{name}[{i + net.get('offset', 0)}]")
    found = {name: cell for name, cell in module["cells"].items() if cell["type"].startswith("$_DFF")}
    for name in found:
        del module["cells"][name]
    return [
        _Register(
            cell["type"],
            tuple(sorted(names.get(cell["connections"]["Q"][0], []))),
            cell["connections"],
        )
        for cell in found.values()
    ]


def _rename(module: Json, nets: Mapping[Any, Any]) -> None:
    for cell in module["cells"].values():
        for bits in cell["connections"].values():
            bits[:] = [nets.get(bit, bit) for bit in bits]
    for port in module["ports"].values():
        port["bits"] = [nets.get(bit, bit) for bit in port["bits"]]
    for net in module["netnames"].values():
        net["bits"] = [nets.get(bit, bit) for bit in net["bits"]]
