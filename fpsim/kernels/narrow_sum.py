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

"magic", "saturating", "infinite": any other format, rounded as `narrow_add` says. C is a multiple of u.
"magic" is for sums that cannot leave the format: let E be the smallest integer with P <= 2^E; a sum in the
binade from B = 2^(E + man_bits + 1) on has neighbours at least 2P apart, so from B an addition of at most P
rounds back to B (a tie goes to B, which is even). No sum passes B if no start does, so B at most the largest
value is asked, and C of at most B. Another bound: a rounding adds at most a 2^(man_bits + 1)-th, or half a
step, so K <= 2^man_bits of them at most double what all magnitudes add up to.

Otherwise every sum is limited: "saturating" clamps it, "infinite" makes what rounds beyond the range
infinite, which asks for P <= 2^76. Of each of the three there is a cheaper form "on the grid": u is a
multiple of the format's step, and no start is −0, so that by induction every exact sum, and every float32
near it, is a multiple of the step, and no zero is −0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Accumulator, Format
from fpsim.kernels.cast import decode
from fpsim.kernels.decode import max_units
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.narrow_add import ADDERS, PRODUCT_MAX_EXPONENT, Rules
from fpsim.kernels.operands import Side

COLUMNS = 256
_FLOAT32_BITS = 24
_SAFE_EXPONENT = 100


class Plan(NamedTuple):
    """One proved way: "integer", "native", "half", "magic", "saturating" or "infinite"; perhaps on the
    grid."""

    way: str
    rules: Rules
    on_grid: bool = False


def _significant_bits(fmt: Format) -> int:
    return fmt.man_bits if fmt.kind == "int" else fmt.man_bits + 1


def _log2_ceiling(x: float) -> int:
    mantissa, exponent = np.frexp(x)
    return int(exponent) - (1 if mantissa == 0.5 else 0)


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
    return _narrow_plan(fmt, acc, sums, unit, largest, product_bits, a.codes.shape[1], rules)


def _rules(fmt: Format) -> Rules:
    lowest, largest = float(2.0 ** (1 - fmt.bias)), float(fmt.max_value)
    magic = 1.5 * 2.0 ** (23 - fmt.man_bits)
    with np.errstate(over="ignore"):
        return Rules(np.float32(lowest), np.float32(magic), np.float32(largest))


def _narrow_plan(
    fmt: Format,
    acc: Accumulator,
    sums: NDArray[np.float64],
    unit: float,
    largest: float,
    product_bits: int,
    depth: int,
    rules: Rules,
) -> Plan | None:
    man_bits = fmt.man_bits
    if man_bits > 21 or not bool(np.isfinite(sums).all()):
        return None
    innocuous = product_bits <= man_bits + 1 <= 11 and (
        2.0**_FLOAT32_BITS * min(unit, float(fmt.step)) >= 2.0 ** (1 - fmt.bias)
    )
    if fmt == FORMATS["fp16"] and acc.overflow == "ieee":
        return Plan("half", rules) if innocuous else None
    start = float(np.max(np.abs(sums), initial=0.0))
    bound = 2.0 ** (_log2_ceiling(largest) + man_bits + 1)
    if depth <= 1 << man_bits:
        bound = min(bound, 2 * (start + depth * (largest + float(fmt.step))))
    way = "magic"
    if bound > min(float(fmt.max_value), 2.0**_SAFE_EXPONENT) or start > bound:
        bound = float(fmt.max_value)
        way = "saturating" if acc.overflow == "saturate" else "infinite"
    if bound > 2.0**_SAFE_EXPONENT or 1 - fmt.bias < -126:
        return None
    if not (innocuous or bound + largest <= 2.0**_FLOAT32_BITS * unit):
        return None
    if way == "infinite" and largest > 2.0**PRODUCT_MAX_EXPONENT:
        return None
    if not bool(np.all(np.fmod(sums, unit) == 0)):
        return None
    on_grid = unit >= float(fmt.step) and not bool(np.any((sums == 0) & np.signbit(sums)))
    return Plan(way, rules, on_grid)


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
        units = mac_array(a.codes, b.codes, a.fmt, b.fmt, 63)
        exact: NDArray[np.float64] = units.astype(np.float64) * float(a.fmt.step * b.fmt.step)
        return exact
    left = decode(a.codes, a.fmt)
    for start in range(0, sums.shape[1], COLUMNS):
        stop = min(start + COLUMNS, sums.shape[1])
        right = decode(np.ascontiguousarray(b.codes[start:stop].T), b.fmt)
        part = sums[:, start:stop].astype(np.float32)
        add_columns(ADDERS[plan.way][plan.on_grid], plan.rules, left, right, part)
        if plan.way == "infinite":
            part[np.abs(part) > plan.rules.largest] *= np.float32(np.inf)
        sums[:, start:stop] = part
    return sums
