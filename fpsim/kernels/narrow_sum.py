"""Sequential sums to nearest even in float32 arithmetic, where that is proved to give the same bits.

Let u be the product of the operands' smallest steps and P their largest product; let the sum's format have p
significant bits (hidden bit included). All products are multiples of u. Conditions for each way:

Every way: no scales; finite operands; rounding to nearest even; u >= 2^-100 and P <= 2^100, so that no
float32 operation has a subnormal or infinite operand or result of its own; every product has at most 24
bits (so it is a float32, and a fused multiply-add changes nothing); where products are rounded apart from
the sum, they fit p bits and the format's range, so that this rounding changes nothing.

"integer": no C, no sum above 2^p u or the largest value, any rounding but "rdn": every prefix sum is a number
of the format, nothing is ever rounded, and the exact integer product is the result.

"native": fp32, infinities as IEEE 754 has them, C finite and either 0 or at least 2^-100: the float32 adder
is the accumulator.

The other ways add in float32 and round the result to p bits. This equals one rounding of the exact sum if
 (i) the float32 sum is exact: its largest possible magnitude is at most 2^24 u; or
 (ii) the products fit p bits and p <= 11: two p-bit numbers, 24 >= 2p + 2 bits between (Figueroa, SIGNUM
 30(3), 1995), provided that the result is not subnormal in the format whenever the float32 sum is inexact;
 an inexact sum is at least 2^24 · min(u, the format's step), so 2^24 · min(u, step) >= the smallest normal
 number is asked.

"half": fp16 with IEEE's infinities: the processor's conversion to FP16 and back, which is IEEE's rounding,
subnormals and overflow included (a finite addend leaves an infinite sum infinite).

"magic", "saturating", "infinite": any other format. With m the power of two at or below the sum, no less
than the smallest normal number, and M = 1.5 · 2^(23 − man_bits) · m: fl(fl(v + M) − M) is v rounded to the
format (the argument of `rounded`, in 24 bits; man_bits of at most 21 keep v + M in M's binade). C is a
multiple of u. "magic" is for sums that cannot leave the format: let E be the smallest integer with P <=
2^E; a sum in the binade from B = 2^(E + man_bits + 1) on has neighbours at least 2P apart, so from B an
addition of at most P rounds back to B (a tie goes to B, which is even). No sum passes B if no start does,
so B at most the largest value is asked, and C of at most B. Otherwise every sum is limited:
"saturating" clamps it to the largest values before the rounding (rounding is monotone and keeps them);
"infinite" makes what rounds beyond them infinite, and there a cap on m keeps an infinite sum what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Accumulator, Format
from fpsim.kernels.cast import decode
from fpsim.kernels.decode import decode_operand, max_units
from fpsim.kernels.mac_array import mac_array_decoded
from fpsim.kernels.operands import Side

COLUMNS = 256
_FLOAT32_BITS = 24
_SAFE_EXPONENT = 100
_EXPONENT = np.int32(0x7F800000)


class Rules(NamedTuple):
    """A format in float32: smallest normal number, 1.5 · 2^(23 − man_bits), largest number, its power of
    two."""

    lowest: Any
    magic: Any
    largest: Any
    highest: Any


class Plan(NamedTuple):
    """One proved way: "integer", "native", "half", "magic", "saturating" or "infinite"."""

    way: str
    rules: Rules


@njit(cache=True, nogil=True, forceinline=True)
def add_native(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b in float32."""
    return x + a * b


@njit(cache=True, nogil=True, forceinline=True)
def add_magic(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded to the format that the rules hold."""
    v = np.float32(x + a * b)
    return _round(v, _power_below(v, rules) * rules.magic)


@njit(cache=True, nogil=True, forceinline=True)
def _power_below(v: Any, rules: Rules) -> Any:
    return max(np.int32(np.float32(v).view(np.int32) & _EXPONENT).view(np.float32), rules.lowest)


@njit(cache=True, nogil=True, forceinline=True)
def _round(v: Any, magic: Any) -> Any:
    return np.copysign(np.float32(np.float32(v + magic) - magic), v)


@njit(cache=True, nogil=True, forceinline=True)
def add_saturating(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded to the format that the rules hold and clamped to its range."""
    v = np.float32(min(max(np.float32(x + a * b), -rules.largest), rules.largest))
    return _round(v, _power_below(v, rules) * rules.magic)


@njit(cache=True, nogil=True, forceinline=True)
def add_infinite(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded to the format that the rules hold, infinite beyond its range."""
    v = np.float32(x + a * b)
    r = _round(v, min(_power_below(v, rules), rules.highest) * rules.magic)
    return r if abs(r) <= rules.largest else np.copysign(np.float32(np.inf), r)


def half(x: Any) -> Any:
    """A float32 rounded to FP16, nearest even, as float32."""
    with np.errstate(over="ignore"):
        return np.float32(np.float16(x))


@intrinsic
def _convert_half(typing_context: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        narrow = builder.fptrunc(arguments[0], cgutils.ir.HalfType())
        return builder.fpext(narrow, arguments[0].type)

    return types.float32(types.float32), generate


@overload(half)
def _compiled_half(x: Any) -> Any:
    def convert(x: Any) -> Any:
        return _convert_half(x)

    return convert


@njit(cache=True, nogil=True, forceinline=True)
def add_half(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded to FP16."""
    return half(np.float32(x + a * b))


_ADDERS = {
    "native": add_native,
    "half": add_half,
    "magic": add_magic,
    "saturating": add_saturating,
    "infinite": add_infinite,
}


def _significant_bits(fmt: Format) -> int:
    return fmt.man_bits if fmt.kind == "int" else fmt.man_bits + 1


def _log2_ceiling(x: float) -> int:
    mantissa, exponent = np.frexp(x)
    return int(exponent) - (1 if mantissa == 0.5 else 0)


def _log2_floor(x: float) -> int:
    return int(np.frexp(x)[1]) - 1


def plan(a: Side, b: Side, sums: NDArray[np.float64], has_c: bool, acc: Accumulator) -> Plan | None:
    """The fastest way whose conditions (see the module) hold for these operands; None: the general loop."""
    fmt = acc.fmt
    assert fmt is not None
    if acc.scale is not None or not (a.finite() and b.finite()):
        return None
    unit = float(a.fmt.step * b.fmt.step)
    largest = _largest(a.fmt) * _largest(b.fmt)
    product_bits = _significant_bits(a.fmt) + _significant_bits(b.fmt)
    fits = product_bits <= fmt.man_bits + 1 and unit >= float(fmt.step) and largest <= float(fmt.max_value)
    if unit < 2.0**-_SAFE_EXPONENT or largest > 2.0**_SAFE_EXPONENT or product_bits > _FLOAT32_BITS:
        return None
    if not (acc.fused or fits):
        return None
    rules = _rules(fmt)
    if _all_sums_exact(a, b, has_c, acc, unit, largest):
        return Plan("integer", rules)
    if acc.rounding != "rne":
        return None
    if fmt == FORMATS["fp32"] and acc.overflow == "ieee":
        start = np.abs(sums[sums != 0]) if has_c else sums[:0]
        safe = bool(np.all((start >= 2.0**-_SAFE_EXPONENT) & (start < np.inf)))
        return Plan("native", rules) if safe else None
    return _narrow_plan(fmt, acc, sums, unit, largest, product_bits, rules)


def _rules(fmt: Format) -> Rules:
    lowest, largest = float(2.0 ** (1 - fmt.bias)), float(fmt.max_value)
    highest = 2.0 ** (_log2_floor(largest))
    magic = 1.5 * 2.0 ** (23 - fmt.man_bits)
    with np.errstate(over="ignore"):
        return Rules(np.float32(lowest), np.float32(magic), np.float32(largest), np.float32(highest))


def _narrow_plan(
    fmt: Format,
    acc: Accumulator,
    sums: NDArray[np.float64],
    unit: float,
    largest: float,
    product_bits: int,
    rules: Rules,
) -> Plan | None:
    man_bits = fmt.man_bits
    if man_bits > 21:
        return None
    innocuous = product_bits <= man_bits + 1 <= 11 and (
        2.0**_FLOAT32_BITS * min(unit, float(fmt.step)) >= 2.0 ** (1 - fmt.bias)
    )
    if fmt == FORMATS["fp16"] and acc.overflow == "ieee":
        return Plan("half", rules) if innocuous and bool(np.isfinite(sums).all()) else None
    bound = 2.0 ** (_log2_ceiling(largest) + man_bits + 1)
    way = "magic"
    if bound > min(float(fmt.max_value), 2.0**_SAFE_EXPONENT) or bool(np.any(np.abs(sums) > bound)):
        bound = float(fmt.max_value)
        way = "saturating" if acc.overflow == "saturate" else "infinite"
    if bound > 2.0**_SAFE_EXPONENT or 1 - fmt.bias < -126 or not bool(np.isfinite(sums).all()):
        return None
    if not (innocuous or bound + largest <= 2.0**_FLOAT32_BITS * unit):
        return None
    return Plan(way, rules) if bool(np.all(np.fmod(sums, unit) == 0)) else None


def _largest(fmt: Format) -> float:
    """The largest magnitude of a format."""
    low = fmt.value(fmt.n_codes // 2) if fmt.kind == "int" else fmt.max_value
    return float(max(fmt.max_value, abs(low))) if not isinstance(low, str) else float(fmt.max_value)


def _all_sums_exact(a: Side, b: Side, has_c: bool, acc: Accumulator, unit: float, largest: float) -> bool:
    """Whether every prefix sum, a multiple of u of at most K · P, is a number of acc.fmt.

    Then nothing is ever rounded and the integer product is the result. From +0, an exact sum of 0 is +0 in
    every mode but "rdn".
    """
    fmt = acc.fmt
    assert fmt is not None
    plain = a.fmt.bits <= 8 and b.fmt.bits <= 8 and a.fmt.specials == b.fmt.specials == "none"
    most = a.codes.shape[1] * largest
    return (
        plain
        and not has_c
        and acc.rounding != "rdn"
        and max(max_units(a.fmt), max_units(b.fmt)) < 1 << 12
        and most <= 2.0 ** (fmt.man_bits + 1) * unit
        and most <= float(fmt.max_value)
        and unit >= float(fmt.step)
    )


def add_all(
    plan: Plan, a: Side, b: Side, sums: NDArray[np.float64], add_columns: Callable[..., None]
) -> NDArray[np.float64]:
    """The sums by one of the ways; `sums` holds the start."""
    if plan.way == "integer":
        units = mac_array_decoded(
            decode_operand(a.codes, a.fmt), decode_operand(b.codes, b.fmt), a.fmt, b.fmt, 63
        )
        exact: NDArray[np.float64] = units.astype(np.float64) * float(a.fmt.step * b.fmt.step)
        return exact
    left = decode(a.codes, a.fmt)
    for start in range(0, sums.shape[1], COLUMNS):
        stop = min(start + COLUMNS, sums.shape[1])
        right = decode(np.ascontiguousarray(b.codes[start:stop].T), b.fmt)
        part = sums[:, start:stop].astype(np.float32)
        add_columns(_ADDERS[plan.way], plan.rules, left, right, part)
        sums[:, start:stop] = part
    return sums
