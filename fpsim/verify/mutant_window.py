"""A mutant is decided where it is: a window of gates around the altered pin, in which nothing else counts.

What leaves the window is the same in both for every value of what enters it: then the mutant computes what
the unit computes. Inputs of the window are any bits, so a proof holds in every state; a difference says
nothing, for it may need bits that never come together, and a larger window is tried.

Why windows: a whole unit has multipliers and roundings behind the altered pin, through which a solver does
not see; the reason of an equivalence mostly lies some gates away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fpsim.verify.mutants import SELECT
from fpsim.verify.smt import solve

SIZES = ((6, 8), (12, 16), (25, 25), (50, 50), (100, 100))  # gates ahead of the pin, and behind
TIMEOUT_S = 20.0  # of one window
Net = int | str  # as yosys' JSON has them: a number, or a constant
Cell = dict[str, Any]

# Of what yosys' simplemap leaves: the function as SMT-LIB.
_GATES = {
    "$_BUF_": "{A}",
    "$_NOT_": "(not {A})",
    "$_AND_": "(and {A} {B})",
    "$_OR_": "(or {A} {B})",
    "$_XOR_": "(xor {A} {B})",
    "$_MUX_": "(ite {S} {B} {A})",
}
_CONSTANTS: dict[Net, bool] = {"0": False, "1": True, "x": False, "z": False}


class Gates:
    """The gates of a unit with mutants, cut open at its registers.

    Attributes:
        drivers: gate behind each net that has one.
        users: gates that read a net.
        order: nets with a gate, each after those that it reads.
        outputs: nets that leave the unit, next states among them.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        """Read a module of yosys' JSON.

        Raises:
            ValueError: a cell that is no gate.
        """
        self.drivers: dict[Net, Cell] = {}
        self.users: dict[Net, list[Net]] = {}
        for name, cell in module["cells"].items():
            if cell["type"] == "$scopeinfo":  # a name that flattening left
                continue
            if cell["type"] not in _GATES:
                raise ValueError(f"{name}: a {cell['type']}, expected one of {', '.join(_GATES)}")
            self.drivers[cell["connections"]["Y"][0]] = cell
        for net, cell in self.drivers.items():
            for read in reads(cell):
                self.users.setdefault(read, []).append(net)
        ports = module["ports"].values()
        self.outputs = {net for port in ports if port["direction"] == "output" for net in port["bits"]}
        self._select = module["ports"][SELECT]["bits"]
        self.order = self._ordered()

    def constants(self, number: int) -> dict[Net, bool]:
        """Nets that hold one value while that mutant is chosen."""
        known: dict[Net, bool] = dict(_CONSTANTS)
        known |= {net: bool(number >> i & 1) for i, net in enumerate(self._select)}
        for net in self.order:
            value = _value(self.drivers[net], known)
            if value is not None:
                known[net] = value
        return known

    def altered(self, number: int) -> dict[Net, int]:
        """Nets that a mutant may change, with their distance from its pin in gates."""
        without, chosen = self.constants(0), self.constants(number)
        seeds = [net for net in self.order if without.get(net) != chosen.get(net)]
        reached = dict.fromkeys(seeds, 0)
        left = deque(seeds)
        while left:
            net = left.popleft()
            for user in self.users.get(net, []):
                if user not in reached and not (user in without and user in chosen):
                    reached[user] = reached[net] + 1
                    left.append(user)
        return reached

    def _ordered(self) -> list[Net]:
        waits = {net: sum(read in self.drivers for read in reads(cell)) for net, cell in self.drivers.items()}
        ready = deque(net for net, count in waits.items() if count == 0)
        order: list[Net] = []
        while ready:
            order.append(ready.popleft())
            for net in self.users.get(order[-1], []):
                waits[net] -= reads(self.drivers[net]).count(order[-1])
                if waits[net] == 0:
                    ready.append(net)
        if len(order) != len(self.drivers):
            raise ValueError("module: its gates form a loop")
        return order


def reads(cell: Cell) -> list[Net]:
    """The nets that a gate reads."""
    return [bits[0] for pin, bits in cell["connections"].items() if pin != "Y"]


def same_in_a_window(module: Mapping[str, Any], number: int, folder: Path) -> str:
    """What proved that a mutant computes what the unit computes, in words; empty: no window did.

    Args:
        module: of yosys' JSON, gates alone, with `mutsel_i`.
        number: of the mutant.
        folder: for the solver's files; must exist.
    """
    gates = Gates(module)
    altered = gates.altered(number)
    before = ""
    for ahead, behind in SIZES:
        formula = window(gates, number, altered, ahead, behind)
        if formula == before:  # all that there is between registers
            break
        before = formula
        if solve(formula, folder, timeout_s=TIMEOUT_S).answer == "unsat":
            return f"the solver, in a window of {ahead} gates ahead of the pin and {behind} behind"
    return ""


def window(gates: Gates, number: int, altered: Mapping[Net, int], ahead: int, behind: int) -> str:
    """The question whether anything that leaves the window may differ, as SMT-LIB.

    Args:
        gates: of the unit with its mutants.
        number: of the mutant.
        altered: see `Gates.altered`.
        ahead: gates from the pin on that are in the window.
        behind: gates before those.
    """
    inner = {net for net, distance in altered.items() if distance <= ahead}
    shared, edge = set[Net](), inner
    for _ in range(behind):
        edge = {
            read
            for net in edge
            for read in reads(gates.drivers[net])
            if read in gates.drivers and read not in altered and read not in shared
        }
        shared |= edge
    copies = {"m": gates.constants(number), "o": gates.constants(0)}
    lines = ["(set-logic QF_BV)"]
    declared = set[Net]()
    body: list[str] = []

    def term(net: Net, copy: str) -> str:
        if net in copies[copy]:
            return str(copies[copy][net]).lower()
        if net in inner:
            return f"{copy}{net}"
        if net not in shared and net not in declared:
            declared.add(net)
            lines.append(f"(declare-const n{net} Bool)")
        return f"n{net}"

    for net in gates.order:
        cell = gates.drivers[net]
        for copy in "mo" if net in inner else "o" if net in shared else "":
            if net not in copies[copy]:
                pins = {pin: term(bits[0], copy) for pin, bits in cell["connections"].items() if pin != "Y"}
                name = f"{copy}{net}" if net in inner else f"n{net}"
                body.append(f"(define-fun {name} () Bool {_GATES[cell['type']].format(**pins)})")
    leaving = [
        net
        for net in inner
        if net in gates.outputs
        or any(user in altered and user not in inner for user in gates.users.get(net, []))
    ]
    differ = [f"(xor {term(net, 'm')} {term(net, 'o')})" for net in leaving]
    return "\n".join([*lines, *body, f"(assert (or false false {' '.join(differ)}))", ""])


def _value(cell: Cell, known: Mapping[Net, bool]) -> bool | None:
    pins = {pin: known.get(bits[0]) for pin, bits in cell["connections"].items() if pin != "Y"}
    a, b = pins["A"], pins.get("B")
    match cell["type"]:
        case "$_BUF_":
            return a
        case "$_NOT_":
            return None if a is None else not a
        case "$_AND_":
            return False if False in (a, b) else None if None in (a, b) else True
        case "$_OR_":
            return True if True in (a, b) else None if None in (a, b) else False
        case "$_XOR_":
            return None if a is None or b is None else a != b
    if pins["S"] is None:
        return a if a == b else None
    return b if pins["S"] else a
