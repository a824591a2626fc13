"""The exact product of two decoded operands."""

from __future__ import annotations

from fpsim.arith.decode import Operand


def mul(a: Operand, b: Operand) -> int:
    """Multiply two operands of any two formats (rtl/README.md, "mul").

    Returns:
        The exact product, a signed integer in units of the two formats' smallest steps multiplied; at most
        64 · 64 = 4096 in magnitude (14 bits signed), 15 · 64 = 960 with a low nibble. A zero
        product is plain 0 whatever the signs.
    """
    magnitude = (a.sig * b.sig) << (a.shift + b.shift)
    return -magnitude if a.neg != b.neg else magnitude
