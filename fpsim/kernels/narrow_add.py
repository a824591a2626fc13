"""One float32 addition that gives a narrow format's sum: the steps of `narrow_sum`, with their reasons.

Every function takes a sum x, the factors a and b of an exact product and the `Rules` of a format. Whether a
multiply-add is fused changes nothing, since all products here are exact: a · b by `narrow_sum`'s conditions,
power · magic because one factor is a power of two. It is asked for by name, as compilers contract only some.

Rounding v: with m the power of two at or below |v|, no less than the smallest normal number, and M = 1.5 ·
2^(23 − man_bits) · m, fl(fl(v + M) − M) is v to nearest even (the argument of `rounded`, in 24 bits; man_bits
of at most 21 keep v + M in M's binade). The sign of v makes the zero of a negative v that rounds to 0.

On the grid, that is where v is a multiple of the format's smallest step s and not −0, both precautions fall
away: below the normal numbers a smaller m leaves v as it is, since v + M is exact for every multiple of s;
and no v but +0 rounds to 0.

Beyond the range, "clamp" limits v before the rounding (rounding is monotone and keeps the largest values);
"infinite" puts ±BEYOND in the place of what rounds beyond them. Products of at most 2^76 are less than half
its last place below it, so that BEYOND stays what it is, and it rounds to itself: it stands for infinity
until `narrow_sum` writes that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

BEYOND = np.float32(2.0**102)
PRODUCT_MAX_EXPONENT = 76  # the largest product beside BEYOND is 2 to this
_EXPONENT = np.int32(0x7F800000)


class Rules(NamedTuple):
    """A format in float32: smallest normal number, 1.5 · 2^(23 − man_bits), largest number."""

    lowest: Any
    magic: Any
    largest: Any


def multiply_add(a: Any, b: Any, x: Any) -> Any:
    """a · b + x in float32, rounded once; a · b is exact."""
    return np.float32(np.float32(a * b) + x)


@intrinsic
def _fuse(typing_context: Any, a: Any, b: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float32(types.float32, types.float32, types.float32), generate


@overload(multiply_add)
def _compiled_multiply_add(a: Any, b: Any, x: Any) -> Any:
    def fused(a: Any, b: Any, x: Any) -> Any:
        return _fuse(a, b, x)

    return fused


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
def _power_below(v: Any) -> Any:
    return np.int32(np.float32(v).view(np.int32) & _EXPONENT).view(np.float32)


@njit(cache=True, nogil=True, forceinline=True)
def _round(v: Any, power: Any, rules: Rules) -> Any:
    return multiply_add(-power, rules.magic, multiply_add(power, rules.magic, v))


@njit(cache=True, nogil=True, forceinline=True)
def _round_anywhere(v: Any, rules: Rules) -> Any:
    return np.copysign(_round(v, max(_power_below(v), rules.lowest), rules), v)


@njit(cache=True, nogil=True, forceinline=True)
def _clamped(v: Any, rules: Rules) -> Any:
    return np.float32(min(max(v, -rules.largest), rules.largest))


@njit(cache=True, nogil=True, forceinline=True)
def _limited(r: Any, v: Any, rules: Rules) -> Any:
    return np.copysign(r if abs(r) <= rules.largest else BEYOND, v)


@njit(cache=True, nogil=True, forceinline=True)
def add_native(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b in float32."""
    return multiply_add(a, b, x)


@njit(cache=True, nogil=True, forceinline=True)
def add_half(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded to FP16."""
    return half(multiply_add(a, b, x))


@njit(cache=True, nogil=True, forceinline=True)
def add_magic(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded to a format that it cannot leave."""
    return _round_anywhere(multiply_add(a, b, x), rules)


@njit(cache=True, nogil=True, forceinline=True)
def add_magic_on_grid(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """`add_magic` on the grid."""
    v = multiply_add(a, b, x)
    return _round(v, _power_below(v), rules)


@njit(cache=True, nogil=True, forceinline=True)
def add_saturating(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, clamped to the range and rounded."""
    return _round_anywhere(_clamped(multiply_add(a, b, x), rules), rules)


@njit(cache=True, nogil=True, forceinline=True)
def add_saturating_on_grid(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """`add_saturating` on the grid."""
    v = _clamped(multiply_add(a, b, x), rules)
    return _round(v, _power_below(v), rules)


@njit(cache=True, nogil=True, forceinline=True)
def add_infinite(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """x + a · b, rounded; ±BEYOND beyond the range, and from there on."""
    v = multiply_add(a, b, x)
    return _limited(_round(v, max(_power_below(v), rules.lowest), rules), v, rules)


@njit(cache=True, nogil=True, forceinline=True)
def add_infinite_on_grid(x: Any, a: Any, b: Any, rules: Rules) -> Any:
    """`add_infinite` on the grid."""
    v = multiply_add(a, b, x)
    return _limited(_round(v, _power_below(v), rules), v, rules)


# By way, then by whether all sums lie on the grid.
ADDERS = {
    "native": (add_native, add_native),
    "half": (add_half, add_half),
    "magic": (add_magic, add_magic_on_grid),
    "saturating": (add_saturating, add_saturating_on_grid),
    "infinite": (add_infinite, add_infinite_on_grid),
}
