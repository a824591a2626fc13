"""The scale of a quantized row: an amplitude of 11 significant bits, then a TF32 number."""

from __future__ import annotations

from fractions import Fraction

from fpsim.arith.align import FP16_UNIT_EXPONENT, MAX_EFFECTIVE_EXPONENT
from fpsim.arith.cast import encode
from fpsim.arith.checks import MAX_GUARD_BITS, check_int
from fpsim.formats import get

TF32 = get("tf32")
AMPLITUDE_BITS = TF32.man_bits + 1


def amplitude(amax: int) -> int:
    """Round amax to 11 significant bits, to nearest, ties to even (rtl/README.md, "row_scale").

    Args:
        amax: the largest magnitude of a row's integers, at least 0.

    Returns:
        The amplitude A: amax itself below 2^11; a power of two where the rounding carries.

    Raises:
        ValueError: a negative amax.
    """
    check_int("amax", amax, 0, None)
    dropped = max(amax.bit_length() - AMPLITUDE_BITS, 0)
    return round(Fraction(amax, 1 << dropped)) << dropped  # round: ties to even


def row_scale(amp: int, exp: int, guard_bits: int) -> int:
    """The row scale ρ = amp · 2^(exp − 25 − guard_bits) as TF32 bits, exact (rtl/README.md, "row_scale").

    Args:
        amp: the amplitude, at most 11 significant bits.
        exp: the row exponent of `align`, 1 to 31 (31: a row that holds an infinity or a NaN).
        guard_bits: of `align`, 0 to 8.

    Returns:
        19 bits: 1 sign (always 0), 8 exponent, 10 significand. A normal number, or 0 where amp = 0.

    Raises:
        ValueError: an argument out of range, or an amp that TF32 cannot hold.
    """
    check_int("amp", amp, 0, None)
    check_int("exp", exp, 1, MAX_EFFECTIVE_EXPONENT + 1)
    check_int("guard_bits", guard_bits, 0, MAX_GUARD_BITS)
    if amplitude(amp) != amp:
        raise ValueError(f"amp={amp}: expected at most {AMPLITUDE_BITS} significant bits")
    scale = amp * Fraction(2) ** (exp - FP16_UNIT_EXPONENT - guard_bits)
    return encode(scale, TF32, overflow="error")
