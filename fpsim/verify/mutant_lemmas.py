"""What is known of a unit's registers beyond what is found of itself, so that a mutant's proof may use it.

A lemma is a claim, never an assumption: the solver proves it of every state from the reset on before it
counts, so one that is wrong, or that an altered unit has outgrown, proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_REGISTER = re.compile(r"\b(original|mutant)\.([A-Za-z_][\w.]*)")


@dataclass(frozen=True)
class Lemma:
    """What always holds; expressions of SystemVerilog over `original.<register>` and `mutant.<register>`.

    Attributes:
        why: the argument, in words.
        known: what holds of the original's registers; each is proved from all of them.
        alike: what holds between the two; empty: all their registers are the same.
    """

    why: str
    known: tuple[str, ...]
    alike: str = ""

    @property
    def expressions(self) -> dict[str, str]:
        """The expressions by the name of their output: known_0_o, …, alike_o"""
        named = {f"known_{i}_o": text for i, text in enumerate(self.known)}
        return named | ({"alike_o": self.alike} if self.alike else {})

    @property
    def registers(self) -> tuple[str, ...]:
        """Names of the registers that occur, without doubles."""
        texts = " ".join(self.expressions.values())
        return tuple(dict.fromkeys(name for _, name in _REGISTER.findall(texts)))


def wire(copy: str, register: str) -> str:
    """Name of the wire that carries a register of a copy, "original" or "mutant"."""
    return f"{copy}_at_{register.replace('.', '_at_')}"


def verilog(expression: str) -> str:
    """An expression over those wires."""
    return _REGISTER.sub(lambda found: wire(found[1], found[2]), expression)


def lemmas(unit: str) -> Sequence[Lemma]:
    """Those of a unit, most have none."""
    return _LEMMAS.get(unit, ())


_NO_MINUS_ZERO = Lemma(
    "a sum starts as +0, and every product is a multiple of the smallest FP32 number, so that nothing rounds"
    " to 0: -0 never comes",
    ("original.acc_q != 32'h8000_0000",),
)

# 2^-20: a quarter times two smallest scales, 2^-9. Field of its top bit: 127 - 20.
_STEP, _TOP = 107, 153
_ACC, _EXP = "original.u_accumulate.acc_q", "original.u_accumulate.acc_q[30:23]"
_ON_THE_GRID = Lemma(
    "blocks are multiples of 2^-20, so the sum is one, too, and its exponent field is 0 or 107 and more",
    (
        "!original.u_control.valid_q[0] || (original.side_q[4:0] >= 5'd2 && original.side_q[4:0] <= 5'd30)",
        "!original.u_control.valid_q[1] || (original.side_q2[4:0] >= 5'd2 && original.side_q2[4:0] <= 5'd30)",
        "!original.u_control.valid_q[2] || original.sig_q3 == '0 || (original.sig_q3[18]"
        f" && original.field_q3 >= 10'd{_STEP} && original.field_q3 <= 10'd{_TOP}"
        f" && ((original.sig_q3 << (original.field_q3 - 10'd{_STEP - 1})) & 19'h7ffff) == '0)",
        f"{_ACC}[30:0] == '0 || ({_EXP} >= 8'd{_STEP}"
        f" && (({_ACC}[22:0] << ({_EXP} - 8'd{_STEP})) & 23'h7fffff) == '0)",
    ),
)

_SPANLESS = Lemma(
    "under a span of 0 the mutant's steps bring in ones where the unit's bring in zeros, and nine ones round"
    " to 256, in 8 bits the same 0",
    ("original.left_q <= 4'd9",),
    " && ".join(
        [
            *(f"mutant.{name} == original.{name}" for name in ("busy_q", "left_q", "span_q", "format_q")),
            "mutant.remainder_q == original.remainder_q",
            "(!original.busy_q || (original.span_q != '0 ? mutant.bits_q == original.bits_q"
            " : (mutant.bits_q == (original.bits_q | ~(9'h1ff << (4'd9 - original.left_q)))"
            " && (original.bits_q & ~(9'h1ff << (4'd9 - original.left_q))) == '0)))",
        ]
    ),
)

_LEMMAS: dict[str, tuple[Lemma, ...]] = {
    "mac_float": (_NO_MINUS_ZERO,),
    "dot_nvfp4": (_ON_THE_GRID,),
    "zero_point": (_SPANLESS,),
}
