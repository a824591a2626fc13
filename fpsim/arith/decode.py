"""An operand code as the multiplier takes it: sign, significand, shift."""

from __future__ import annotations

from typing import NamedTuple

from fpsim.formats import Format, get


class Operand(NamedTuple):
    """A decoded operand, worth (−1)^neg · sig · 2^shift in units of its format's smallest step.

    Attributes:
        neg: the sign; −0 keeps neg = True beside sig = 0.
        sig: the significand, 0 to 8; a low nibble 0 to 15.
        shift: the power of two, 0 to 6.
    """

    neg: bool
    sig: int
    shift: int

    @property
    def value(self) -> int:
        """The signed value in units of the format's smallest step; −0 is 0."""
        magnitude = self.sig << self.shift
        return -magnitude if self.neg else magnitude


def operand_format(name: str, fmt: str | Format) -> Format:
    """The format, if it is one that the multiplier takes: 4 bits, signed, no infinity and no NaN.

    Raises:
        ValueError: any other format; `name` is the argument that the message blames.
    """
    form = get(fmt)
    if form.bits != 4 or not form.signed or form.specials != "none":
        raise ValueError(f"{name}={form.name!r}: expected e2m1, e3m0, e1m2 or int4")
    return form


def decode(code: int, fmt: str | Format, *, low: bool = False) -> Operand:
    """Decode one operand code (rtl/README.md, "decode").

    Args:
        code: 0 to 15.
        fmt: e2m1, e3m0, e1m2 or int4.
        low: the code is the low nibble of a wider integer, unsigned; int4 alone.

    Returns:
        The operand, exact. Floats: exponent field 0 has no hidden bit and shift 0; else the hidden bit
        joins the significand and the shift is the field minus 1. int4: the magnitude (0 to 8), shift 0;
        low: the code itself (0 to 15), positive, shift 0.

    Raises:
        ValueError: another format, a code that is not 0 to 15, or a low nibble of another format than int4.
    """
    form = operand_format("fmt", fmt)
    form.check_code(code)
    if low:
        if form.name != "int4":
            raise ValueError(f"low=True: {form.name} has no low nibble, expected int4")
        return Operand(False, code, 0)
    if form.kind == "int":
        negative = code >= form.n_codes // 2
        return Operand(negative, form.n_codes - code if negative else code, 0)
    sign, exponent, significand = form.fields(code)
    if exponent == 0:
        return Operand(bool(sign), significand, 0)
    return Operand(bool(sign), (1 << form.man_bits) + significand, exponent - 1)
