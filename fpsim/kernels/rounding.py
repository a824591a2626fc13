"""The inner loops of `cast`: floating-point bits to codes of any format, and codes to float32 bits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels._bits import bit_length

RNE, RNA, RTZ, RUP, RDN, STOCHASTIC = range(6)
KIND_FLOAT, KIND_INT, KIND_EXPONENT = range(3)
OVERFLOW_SATURATE, OVERFLOW_INF, OVERFLOW_ERROR = range(3)
OK, BAD_NAN, BAD_OVERFLOW, BAD_NEGATIVE = range(4)

_FAR = 1 << 40  # a magnitude beyond every format's codes


class Source(NamedTuple):
    """The floats that are read: stored significand bits, bias, all-ones exponent field."""

    man_bits: int
    bias: int
    last_field: int


class Target(NamedTuple):
    """The format of the codes, as integers."""

    kind: int
    man_bits: int
    bias: int
    exp_bits: int
    max_positive: int  # largest magnitude code of a positive number
    max_negative: int  # and of a negative one; -1: unsigned
    inf: int  # magnitude code of infinity; -1: none
    nan: int  # code of NaN; -1: refused
    has_nan: int  # 1: a negative NaN has the sign bit as well
    sign_bit: int  # 0: unsigned
    scale: int  # the values' common factor is scale · 2^scale_exp, scale of 24 bits; 0: no factor
    scale_exp: int


class Mode(NamedTuple):
    """How to round and what to do beyond the range; numbers as named above."""

    rounding: int
    overflow: int
    torch_tie: int
    random_count: int


@njit(cache=True, nogil=True)
def _increment(rest: int, shift: int, odd: int, negative: bool, mode: Mode, random: int) -> int:
    """1 where a discarded rest · 2^-shift, 0 <= rest < 2^shift, rounds the magnitude up, else 0.

    Comparisons become sums, so that a coin toss of the data costs no mispredicted branch.
    """
    if mode.rounding == STOCHASTIC:
        spare = shift - mode.random_count
        top = rest >> min(spare, 62) if spare >= 0 else rest << -spare
        return (top + random) >> mode.random_count
    if mode.rounding == RNE or mode.rounding == RNA:
        half = 1 << (min(shift, 62) - 1)
        return int(rest + (odd if mode.rounding == RNE else 1) > half)
    away = (mode.rounding == RUP and not negative) or (mode.rounding == RDN and negative)
    return int(rest > 0) if away else 0


@njit(cache=True, nogil=True)
def _round_magnitude(
    significand: int, exp: int, negative: bool, target: Target, mode: Mode, random: int
) -> int:
    """Magnitude code of significand · 2^exp (below 2^53), as if the exponent field had no end.

    The code of a float is ((field - 1) << man_bits) + q with q the rounded significand (hidden bit
    included; field 1 for subnormals), so a carry moves into the exponent field by itself. E8M0 has neither
    subnormals nor zero; its last place is the hidden bit, always odd, so a nearest-even tie goes up.
    """
    if significand == 0:
        return 0
    top = bit_length(significand) - 1 + exp  # floor(log2)
    if target.kind == KIND_INT:
        field = 1
        last_place = 0
        if top > 32:
            return _FAR
    elif target.kind == KIND_EXPONENT:
        field = top + target.bias
        last_place = top
    else:
        field = max(top + target.bias, 1)
        last_place = field - target.bias - target.man_bits
    shift = last_place - exp
    kept = significand >> min(shift, 62) if shift > 0 else significand << -shift
    code = field if target.kind == KIND_EXPONENT else ((field - 1) << target.man_bits) + kept
    if shift > 0:
        rest = significand - (kept << min(shift, 62))
        odd = 1 if target.kind == KIND_EXPONENT else code & 1
        if mode.torch_tie:
            odd = int(code > 0)
        code += _increment(rest, shift, odd, negative, mode, random)
    return max(code, 0)


@njit(cache=True, nogil=True)
def _quotient(significand: int, exp: int, target: Target) -> tuple[int, int]:
    """significand · 2^exp (below 2^53) divided by the scale: (significand, exp) of at least 51 bits, below
    2^53, the last of which is set where anything was cut off.

    Midpoints and random bits of a scaled format (at most 8 bits, at most 32 random ones) end above that last
    bit, so the quotient rounds as the exact one does. A long division by a number from 2^23 to 2^24 in two
    digits, 39 bits and 13.
    """
    if significand == 0:
        return 0, exp
    up = 53 - bit_length(significand)
    numerator = significand << (up + 9)
    high = numerator // target.scale
    rest = (numerator - high * target.scale) << 13
    low = rest // target.scale
    sticky = int(rest - low * target.scale > 0)
    return (high << 14) | (low << 1) | sticky, exp - up - 23 - target.scale_exp


@njit(cache=True, nogil=True)
def _overflow_magnitude(infinite: bool, negative: bool, largest: int, target: Target, mode: Mode) -> int:
    """Magnitude code of a number beyond the largest finite one."""
    # IEEE 754 section 7.4: a finite number that is rounded toward zero stays finite.
    toward_zero = (
        mode.rounding == RTZ or (mode.rounding == RDN and not negative) or (mode.rounding == RUP and negative)
    )
    return target.inf if mode.overflow == OVERFLOW_INF and (infinite or not toward_zero) else largest


@njit(cache=True, nogil=True)
def encode_bits(
    bits: NDArray[Any],
    source: Source,
    target: Target,
    mode: Mode,
    random: NDArray[np.int64],
    out: NDArray[Any],
) -> tuple[int, int]:
    """Codes of flat floating-point bits (as signed integers) into out.

    random holds the random bits of each element; it is empty unless the rounding is stochastic.
    Returns (OK, 0), or the reason and the index of the first element that is refused.
    """
    for i in range(bits.shape[0]):
        raw = int(bits[i])
        negative = raw < 0
        sign = target.sign_bit if negative else 0
        field = (raw >> source.man_bits) & source.last_field
        stored = raw & ((1 << source.man_bits) - 1)
        infinite = field == source.last_field
        if infinite and stored != 0:
            if target.nan < 0:
                return BAD_NAN, i
            out[i] = target.nan | (sign if target.has_nan else 0)
            continue
        significand = stored | ((1 << source.man_bits) if field else 0)
        largest = target.max_negative if negative else target.max_positive
        if largest < 0 and significand != 0:
            if mode.overflow == OVERFLOW_ERROR:
                return BAD_NEGATIVE, i
            out[i] = 0
            continue
        magnitude = _FAR
        if not infinite:
            exp = max(field, 1) - source.bias - source.man_bits
            if target.scale:
                significand, exp = _quotient(significand, exp, target)
            draw = int(random[i]) if mode.rounding == STOCHASTIC else 0
            magnitude = _round_magnitude(significand, exp, negative, target, mode, draw)
        if magnitude > max(largest, 0):
            if mode.overflow == OVERFLOW_ERROR:
                return BAD_OVERFLOW, i
            magnitude = _overflow_magnitude(infinite, negative, largest, target, mode)
        if target.kind == KIND_INT:
            out[i] = (-magnitude if negative else magnitude) & (2 * target.max_positive + 1)
        else:
            out[i] = magnitude | sign
    return OK, 0


@njit(cache=True, nogil=True)
def encode_four_bit(bits: NDArray[np.int32], bounds: NDArray[np.int32], out: NDArray[np.uint8]) -> bool:
    """Codes of flat float32 bits in a signed 4-bit float: index i + 1 from the magnitude bits bounds[i] on.

    Non-negative floats order as their bits do. False where some element is NaN (out is then void).
    """
    b0, b1, b2, b3 = bounds[0], bounds[1], bounds[2], bounds[3]
    b4, b5, b6 = bounds[4], bounds[5], bounds[6]
    top = np.int32(0)
    for i in range(bits.shape[0]):
        magnitude = np.int32(bits[i] & 0x7FFFFFFF)
        top = max(top, magnitude)
        index = int(magnitude >= b0) + int(magnitude >= b1) + int(magnitude >= b2) + int(magnitude >= b3)
        index += int(magnitude >= b4) + int(magnitude >= b5) + int(magnitude >= b6)
        out[i] = index | (8 if bits[i] < 0 else 0)
    return bool(top <= 0x7F800000)


@njit(cache=True, nogil=True)
def _float32_bits(significand: int, exp: int) -> int:
    """float32 bits of significand · 2^exp (at most 24 bits); -1 where float32 does not hold it."""
    if significand == 0:
        return 0
    while significand & 1 == 0:
        significand >>= 1
        exp += 1
    top: int = bit_length(significand) - 1 + exp
    last_place = max(top, -126) - 23
    if top > 127 or exp < last_place:
        return -1
    # From 2^-126 on, the hidden bit adds 1 to the field, as in `_round_magnitude`.
    return ((max(top, -126) + 126) << 23) + (significand << (exp - last_place))


@njit(cache=True, nogil=True)
def decode_codes(codes: NDArray[Any], fmt: Target, out: NDArray[np.uint32]) -> int:
    """float32 bits of flat codes; returns the index of the first code float32 does not hold, or -1."""
    for i in range(codes.shape[0]):
        code = int(codes[i])
        negative = (code & fmt.sign_bit) != 0
        magnitude = code & ((1 << (fmt.exp_bits + fmt.man_bits)) - 1)
        if fmt.kind == KIND_INT:
            bits = _float32_bits(fmt.sign_bit - magnitude if negative else magnitude, 0)
        elif magnitude > fmt.max_positive:
            bits = 0x7F800000 if magnitude == fmt.inf else 0x7FC00000
        elif fmt.kind == KIND_EXPONENT:
            bits = _float32_bits(1, magnitude - fmt.bias)
        else:
            field = magnitude >> fmt.man_bits
            hidden = (1 << fmt.man_bits) if field else 0
            significand = (magnitude & ((1 << fmt.man_bits) - 1)) | hidden
            bits = _float32_bits(significand, max(field, 1) - fmt.bias - fmt.man_bits)
        if bits < 0:
            return i
        out[i] = bits | (0x80000000 if negative else 0)
    return -1
