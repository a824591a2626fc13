"""What always holds of a unit's registers, and of a mutant's beside them: found and proved by the solver.

An induction that starts in any state also starts in states that never come, as a queue that offers nothing
but has a spare word. Most are excluded by clauses over two bits each ("a spare word only behind a word"). And
a mutant may differ where it does no harm ("the spare word is the same, or there is none"). In both cases
every such clause is a candidate, and those that the reset or a cycle can break are dropped until the rest
keep each other.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from functools import partial

from fpsim.verify.smt import SmtRun

COPIES = ("mutant", "original")
_STATE = "(|pair_n state_{}_i| s0)"
MAX_CONTROL = 8  # bits of which a mutant's harmless difference may depend
MAX_BITS = 48  # with a known value after the reset; a unit with more has wide registers that are reset
Clause = tuple[tuple[int, int], ...]  # (bit of the state, its value), one of which holds
Ask = Callable[[Sequence[str]], SmtRun]


class Known:
    """What is known of the states of a unit.

    Attributes:
        after_reset: the bits whose value a reset decides, with that value; none where time ran out.
        invariants: clauses of one or two of them that hold in every state from the reset on.
    """

    def __init__(self, bits: int, ask: Ask) -> None:
        """Find out.

        Args:
            bits: of the state.
            ask: whether assertions over one cycle, the constant s0 of the formula, have a model. It knows
                the functions `legal_o`, `reset_o`, and of both copies `state_…_i` and `next_…_o`.
        """
        self._bits, self._ask = bits, ask
        self.after_reset = self._find_after_reset()
        few = 0 < len(self.after_reset) <= MAX_BITS
        self.invariants = self._find_invariants() if few else []

    def alike(self) -> list[str]:
        """Assertions about s0 that always hold: of which bits, and when, the mutant has what the unit has."""
        control = sorted(self.after_reset) if len(self.after_reset) <= MAX_CONTROL else []
        literals = [(bit, value) for bit in control for value in (0, 1)]
        found: list[tuple[int, Clause]] = [
            (bit, clause)
            for bit in range(self._bits)
            for clause in ((), *((literal,) for literal in literals if literal[0] != bit))
        ]
        held = [assertion(clause, "s0") for clause in self.invariants]
        same = f"(= {_STATE.format('mutant')} {_STATE.format('original')})"
        starts = [
            ["(assert (|pair_n reset_o| s0))", f"(assert {same})"],
            held,
        ]
        for round_of in (0, 1):
            while found:
                now = [f"(assert {_alike(*one, *map(_STATE.format, COPIES))})" for one in found]
                broken = " ".join(f"(not {_alike(*one, 'next_mutant', 'next')})" for one in found)
                lines = [*starts[round_of], *(now if round_of else []), f"(assert (or false {broken}))"]
                run = self._ask([*_next(self._bits), *lines])
                if run.answer == "unsat":
                    break
                if run.answer == "unknown":
                    return []
                mutant, original = self._values(run, "next_mutant"), self._values(run, "next")
                found = [
                    (bit, clause)
                    for bit, clause in found
                    if mutant[bit] == original[bit] or any(original[b] == v for b, v in clause)
                ]
        return [f"(assert {_alike(*one, *map(_STATE.format, COPIES))})" for one in found]

    def _find_after_reset(self) -> dict[int, int]:
        known: dict[int, int] | None = None
        while known is None or known:
            other = [f"(not {_term(((bit, value),), 'next')})" for bit, value in (known or {}).items()]
            some = [f"(assert (or false {' '.join(other)}))"] if other else []
            run = self._ask([*_next(self._bits), "(assert (|pair_n reset_o| s0))", *some])
            if run.answer == "unknown":
                return {}
            if run.answer == "unsat":
                break
            values = self._values(run, "next")
            known = values if known is None else {b: v for b, v in known.items() if values[b] == v}
        return known or {}

    def _find_invariants(self) -> list[Clause]:
        literals = [(bit, value) for bit in sorted(self.after_reset) for value in (0, 1)]
        pairs = (pair for pair in itertools.combinations(literals, 2) if pair[0][0] != pair[1][0])
        every = itertools.chain(((literal,) for literal in literals), pairs)
        found: list[Clause] = list(filter(partial(_holds, values=self.after_reset), every))
        while found:
            broken = " ".join(f"(not {_term(clause, 'next')})" for clause in found)
            held = [assertion(clause, "s0") for clause in found]
            run = self._ask([*_next(self._bits), *held, f"(assert (or false {broken}))"])
            if run.answer == "unsat":
                return found
            if run.answer == "unknown":
                return []
            found = list(filter(partial(_holds, values=self._values(run, "next")), found))
        return []

    def _values(self, run: SmtRun, name: str) -> dict[int, int]:
        """The bits of a constant in a model."""
        literal = run.values[name]
        if not re.fullmatch(f"#b[01]{{{self._bits}}}", literal):
            raise ValueError(f"{name}={literal!r}: expected #b and {self._bits} bits")
        return dict(enumerate(int(bit) for bit in reversed(literal[2:])))


def assertion(clause: Clause, cycle: str) -> str:
    """The assertion that a clause holds of the original's state in a cycle."""
    return f"(assert {_term(clause, f'(|pair_n state_original_i| {cycle})')})"


def _next(bits: int) -> list[str]:
    lines = []
    for copy, name in zip(COPIES, ("next_mutant", "next"), strict=True):
        lines.append(f"(declare-const {name} (_ BitVec {bits}))")
        lines.append(f"(assert (= {name} (|pair_n next_{copy}_o| s0)))")
    return lines


def _holds(clause: Clause, values: dict[int, int]) -> bool:
    return any(values[bit] == value for bit, value in clause)


def _extract(bit: int, state: str) -> str:
    return f"((_ extract {bit} {bit}) {state})"


def _term(clause: Clause, state: str) -> str:
    terms = [f"(= {_extract(bit, state)} #b{value})" for bit, value in clause]
    return terms[0] if len(terms) == 1 else f"(or {' '.join(terms)})"


def _alike(bit: int, unless: Clause, mutant: str, original: str) -> str:
    """That the bit is the same in both, or the clause holds of the original."""
    same = f"(= {_extract(bit, mutant)} {_extract(bit, original)})"
    return f"(or {same} {_term(unless, original)})" if unless else same
