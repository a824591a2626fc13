"""Whether a mutant that no bench noticed computes anything else: it and the original before the solver.

Both are cut open at their registers, so that one question spans as many cycles as it likes:

- equivalent: from any state that both share, through cycles in which they agreed, they agree in the next one;
  and so they do from reset. One cycle of any state is enough for most. For the others states that never come
  are ruled out: by longer ways, and by what always holds of the registers. Or the registers differ, but only
  where nothing is offered.
- by a lemma: what is known of a unit's registers (`fpsim.verify.mutant_lemmas`) rules such states out.
- different: some admissible inputs from reset lead to another output. That is a hole in the bench.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpsim.verify.admissible import admissible
from fpsim.verify.mutant_invariants import Known, assertion
from fpsim.verify.mutant_lemmas import Lemma, lemmas, verilog, wire
from fpsim.verify.mutant_window import same_in_a_window
from fpsim.verify.mutants import SELECT, SELECT_BITS, Mutated
from fpsim.verify.smt import Answer, SmtRun, solve
from fpsim.verify.units import Unit
from fpsim.verify.yosys import run_yosys

INDUCTIONS = (2, 5, 12)  # cycles of the windows that are tried, one after the other
CYCLES = 20  # from reset; the longest way through a unit is shorter
TIMEOUT_S = 60.0  # of one question
LEMMA_TIMEOUT_S = 300.0  # of one question of a lemma: no guess, so worth waiting for
CUT, PAIR = "cut.json", "pair.smt2"
STATE, NEXT = "state_cut_i", "next_cut_o"
PROBE = "probe."  # before the name of a register that a lemma names
Port = tuple[str, int, str]  # direction, bits, name


@dataclass(frozen=True)
class Pair:
    """A mutant beside the original, both cut open, as one formula.

    Attributes:
        formula: defines the functions of one cycle.
        registers: bits of their state; without any one cycle says all.
        folder: for the solver's files.
    """

    formula: str
    registers: int
    folder: Path

    def equivalent(self, *, deep: bool = True) -> str:
        """What proved it, in words; empty: no proof. Not deep: for every state, or not at all."""
        if self._ask(self._step(1)) == "unsat":
            return "the solver, for every state"
        if not (deep and self.registers):
            return ""
        known = Known(self.registers, lambda lines: self._solve([*_cycles(1), *lines]))
        held = [assertion(clause, "s0") for clause in known.invariants]
        for cycles in INDUCTIONS:
            step = [*self._step(cycles), *held]
            if self._ask(step) == "unsat" and self._ask(self._base(cycles)) == "unsat":
                return f"the solver, by induction over {cycles} cycles with {len(held)} invariants"
        alike = known.alike()
        if (
            alike
            and self._ask([*_cycles(1), *held, *alike, _assert(f"(not {_is('offered_o', 0)})")]) == "unsat"
        ):
            return f"the solver: what is offered agrees, by {len(alike)} invariants over both"
        return ""

    def holds(self, lemma: Lemma) -> str:
        """What proved it with the lemma that the formula was made with, in words; empty: no proof."""
        alike, alike_next = _is("alike_o", 0), _is("alike_o", 1)
        if not lemma.alike:
            alike, alike_next = _same_state(0)[0], _is("follow_o", 0)
        names = [f"known_{i}_o" for i in range(len(lemma.known))]
        wrong = [f"(not {_is(name, 1)})" for name in names]
        before = [*_cycles(2), *_follow(0)]
        reset = [*map(_assert, _same_state(0)), _assert(_is("reset_o", 0))]
        questions = [[*before, *reset, _assert(f"(or {' '.join(wrong)} (not {alike_next}))")]]
        before += [_assert(alike), *(_assert(_is(name, 0)) for name in names)]
        wrong.append(f"(or (not {_is('offered_o', 0)}) (not {alike_next}))")
        questions += [[*before, _assert(goal)] for goal in wrong]
        if any(self._ask(question, LEMMA_TIMEOUT_S) != "unsat" for question in questions):
            return ""
        return f"the solver, with a lemma: {lemma.why}"

    def differs(self) -> int:
        """Cycles from reset within which the solver found another output; 0: none found."""
        for cycles in (4, 8, CYCLES) if self.registers else (1,):
            if self._ask(self._difference(cycles)) == "sat":
                return cycles
        return 0

    def _ask(self, lines: Sequence[str], timeout_s: float | None = None) -> Answer:
        return self._solve(lines, timeout_s).answer

    def _solve(self, lines: Sequence[str], timeout_s: float | None = None) -> SmtRun:
        text = "\n".join([self.formula, *lines, ""])
        return solve(text, self.folder, timeout_s=timeout_s or TIMEOUT_S)

    def _step(self, cycles: int) -> list[str]:
        lines = [*_cycles(cycles), *(map(_assert, _same_state(0)) if self.registers else ())]
        for i in range(cycles - 1):
            lines += [_assert(_is("agree_o", i)), *_follow(i)]
        return [*lines, _assert(f"(not {_is('agree_o', cycles - 1)})")]

    def _base(self, cycles: int) -> list[str]:
        # Registers without a reset hold the same, whatever it is: nothing set them before.
        lines = [*_cycles(cycles), *map(_assert, _same_state(0)), _assert(_is("reset_o", 0))]
        for i in range(cycles - 1):
            lines += _follow(i)
        wrong = [f"(not {_is('agree_o', i)})" for i in range(1, cycles)]
        return [*lines, _assert(f"(or (not {_is('follow_o', 0)}) {' '.join(wrong)})")]

    def _difference(self, cycles: int) -> list[str]:
        lines = _cycles(cycles)
        if not self.registers:
            return [*lines, _assert(f"(not {_is('offered_o', 0)})")]
        lines += [*map(_assert, _same_state(0)), _assert(_is("reset_o", 0))]
        for i in range(cycles - 1):
            lines += _follow(i)
        wrong = [f"(not {_is('offered_o', i)})" for i in range(1, cycles)]
        return [*lines, _assert(f"(or false {' '.join(wrong)})")]


def pair(mutated: Mutated, number: int, folder: Path, lemma: Lemma | None = None) -> Pair:
    """The formula of one mutant.

    Args:
        mutated: the unit's netlist.
        number: of the mutant; 0 compares the unit with itself.
        folder: an empty one, for the files.
        lemma: what `Pair.holds` is to be asked.

    Raises:
        ToolMissing, YosysError: see `fpsim.verify.yosys.run_yosys`.
        ValueError: the unit has no such register as the lemma names.
    """
    design, top = _cut_open(mutated, folder), mutated.unit.top
    ports = _cut_registers(design["modules"][top])
    if lemma:
        ports += _probed(design["modules"][top], lemma)
    (folder / CUT).write_text(json.dumps(design), encoding="utf-8")
    (folder / "harness.sv").write_text(_harness(mutated.unit, ports, number, lemma), encoding="utf-8")
    script = [
        f"read_json {CUT}",
        "read_verilog -sv harness.sv",
        *("hierarchy -check -top pair", "proc", "flatten", "opt -full", "clean"),
        f"write_smt2 -stbv {PAIR}",
    ]
    run_yosys(script, (), folder)
    formula = "(set-logic QF_BV)\n" + (folder / PAIR).read_text(encoding="utf-8")
    return Pair(formula, sum(bits for _, bits, name in ports if name == STATE), folder)


def is_equivalent(mutated: Mutated, number: int, *, deep: bool = True) -> str:
    """What proved the mutant equivalent for all admissible inputs, in words; empty: no proof.

    Args:
        mutated: the unit's netlist.
        number: of the mutant.
        deep: rule out states that never come, which may take minutes; else windows and one question.
    """
    with tempfile.TemporaryDirectory(prefix="fpsim-equal-") as name:
        folder = Path(name)
        module = _cut_open(mutated, folder)["modules"][mutated.unit.top]
        _cut_registers(module)
        how = same_in_a_window(module, number, folder)
        return how or pair(mutated, number, folder).equivalent(deep=deep)


def is_equivalent_by_a_lemma(mutated: Mutated, number: int) -> str:
    """As `is_equivalent`, with what is known of the unit's registers."""
    for lemma in lemmas(mutated.unit.name):
        with tempfile.TemporaryDirectory(prefix="fpsim-lemma-") as name:
            if how := pair(mutated, number, Path(name), lemma).holds(lemma):
                return how
    return ""


def differs_from_reset(mutated: Mutated, number: int) -> int:
    """Cycles from reset within which admissible inputs lead to another output; 0: none found."""
    with tempfile.TemporaryDirectory(prefix="fpsim-differs-") as name:
        return pair(mutated, number, Path(name)).differs()


def _cut_open(mutated: Mutated, folder: Path) -> dict[str, Any]:
    """yosys' JSON of the netlist as gates and plain flip-flops."""
    top = mutated.unit.top
    script = [
        f"read_verilog -sv {mutated.netlist.name}",
        f"hierarchy -top {top}",
        *("flatten", "proc", "opt", "async2sync", "dffunmap", "simplemap", "opt_clean"),
        f"write_json {CUT}",
    ]
    run_yosys(script, (mutated.netlist,), folder)
    design: dict[str, Any] = json.loads((folder / CUT).read_text(encoding="utf-8"))
    return design


def _cut_registers(module: dict[str, Any]) -> list[Port]:
    """Make every flip-flop an input (its state) and an output (its next state); returns all ports."""
    flops = {name: cell for name, cell in module["cells"].items() if cell["type"] == "$_DFF_P_"}
    states = [cell["connections"]["Q"][0] for cell in flops.values()]
    nexts = [cell["connections"]["D"][0] for cell in flops.values()]
    for name in flops:
        del module["cells"][name]
    if flops:
        module["ports"][STATE] = {"direction": "input", "bits": states}
        module["ports"][NEXT] = {"direction": "output", "bits": nexts}
    return [(port["direction"], len(port["bits"]), name) for name, port in module["ports"].items()]


def _probed(module: dict[str, Any], lemma: Lemma) -> list[Port]:
    """Make the lemma's registers outputs, too; returns those ports."""
    ports: list[Port] = []
    for register in lemma.registers:
        pattern = re.compile(rf"u_mutants\.{re.escape(register)}(?:\[(\d+)\])?")
        found = [(pattern.fullmatch(name), net["bits"]) for name, net in module["netnames"].items()]
        bits = {int(match[1] or 0): nets[0] for match, nets in found if match}
        if sorted(bits) != list(range(len(bits))) or not bits:
            raise ValueError(f"lemma: no register {register!r}, or not all of its bits")
        name = PROBE + register
        module["ports"][name] = {"direction": "output", "bits": [bits[i] for i in range(len(bits))]}
        ports.append(("output", len(bits), name))
    return ports


def _harness(unit: Unit, ports: Sequence[Port], number: int, lemma: Lemma | None = None) -> str:
    """The module `pair`: one cycle of the mutant and of the original, with the same inputs."""
    inputs = [port for port in ports if port[0] == "input" and port[2] not in (SELECT, STATE)]
    outputs = [port for port in ports if port[0] == "output" and port[2] != NEXT and PROBE not in port[2]]
    probes = [port for port in ports if PROBE in port[2]]
    state_bits = next((bits for _, bits, name in ports if name == STATE), 0)
    claims = {name: verilog(text) for name, text in lemma.expressions.items()} if lemma else {}
    header = [f"input logic [{bits - 1}:0] {name}" for _, bits, name in inputs]
    header += [f"output logic {name}_o" for name in ("agree", "offered", "follow", "legal", "reset")]
    header += [f"output logic {name}" for name in claims]
    for copy in ("mutant", "original") if state_bits else ():
        header += [f"input logic [{state_bits - 1}:0] state_{copy}_i"]
        header += [f"output logic [{state_bits - 1}:0] next_{copy}_o"]
    lines = ["module pair (" + ", ".join(header) + ");"]
    for copy, select in (("mutant", number), ("original", 0)):
        pins = [f".{name}({name})" for _, _, name in inputs]
        pins.append(f".{SELECT}({SELECT_BITS}'d{select})")
        if state_bits:
            pins += [f".{STATE}(state_{copy}_i)", f".{NEXT}(next_{copy}_o)"]
        named = [(f"{copy}_{index}", bits, name) for index, (_, bits, name) in enumerate(outputs)]
        named += [(wire(copy, name.removeprefix(PROBE)), bits, f"\\{name} ") for _, bits, name in probes]
        for inner, bits, name in named:
            lines.append(f"  logic [{bits - 1}:0] {inner};")
            pins.append(f".{name}({inner})")
        lines.append(f"  {unit.top} u_{copy} ({', '.join(pins)});")
    # To the user data count only where they are offered.
    valid = next((i for i, port in enumerate(outputs) if port[2].strip() == "out_valid_o"), None)
    data = {port.signal for port in unit.outputs} if valid is not None else set()
    same = [f"mutant_{i} == original_{i}" for i in range(len(outputs))]
    offered = [
        f"(!original_{valid} || {same[i]})" if outputs[i][2].strip() in data else same[i]
        for i in range(len(outputs))
    ]
    follow = "next_mutant_o == next_original_o" if state_bits else "1'b1"
    has_reset = any(name == "rst_ni" for _, _, name in inputs)
    return "\n".join(
        [
            *lines,
            f"  assign follow_o  = {follow};",
            f"  assign agree_o   = follow_o && {' && '.join(same)};",
            f"  assign offered_o = {' && '.join(offered)};",
            f"  assign legal_o   = {admissible(unit)};",
            f"  assign reset_o   = {'!rst_ni' if has_reset else '1' + chr(39) + 'b0'};",
            *(f"  assign {name} = {text};" for name, text in claims.items()),
            "endmodule",
            "",
        ]
    )


def _assert(term: str) -> str:
    return f"(assert {term})"


def _is(name: str, cycle: int) -> str:
    return f"(|pair_n {name}| s{cycle})"


def _cycles(count: int) -> list[str]:
    """The constants s0, s1, …, one for the inputs and states of each cycle, every one admissible."""
    declared = [f"(declare-const s{i} |pair_s|)" for i in range(count)]
    return declared + [_assert(_is("legal_o", i)) for i in range(count)]


def _same_state(cycle: int) -> list[str]:
    return [f"(= {_is('state_mutant_i', cycle)} {_is('state_original_i', cycle)})"]


def _follow(cycle: int) -> list[str]:
    """The next cycle's states are what this one makes of its own."""
    return [
        _assert(f"(= {_is(f'state_{copy}_i', cycle + 1)} {_is(f'next_{copy}_o', cycle)})")
        for copy in ("mutant", "original")
    ]
