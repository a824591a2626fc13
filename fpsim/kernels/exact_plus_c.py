"""Products and the sum so far added exactly, rounded once; with a cut below a fixed bit: anchored fixed
point.

Two ways to the same bits. Where the exact sum of a step's products is provably a float64 (`_fits_float64`),
the loop runs over many outputs and the sum joins by one rounded addition. Everywhere else every output has a
long fixed-point register of 32-bit limbs (Kulisch) that holds any float64 term exactly.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Accumulator, Format
from fpsim.kernels.operands import Side, start_sums
from fpsim.kernels.rounded import Target, add_any, round_any, round_stochastic, target_of

_COLUMNS = 128
# The register: bit 0 of limb 0 is worth 2^_LOWEST. The smallest term is 2^-266 (a product of two BF16) times
# 2^-254 (two E8M0 scales), the largest below 2^(256 + 254); every term has at most 32 significant bits.
_LOWEST = -544
_LIMBS = 36
_LIMB_MASK = np.int64(0xFFFFFFFF)


@njit(cache=True, nogil=True)
def _add_to_register(register: NDArray[np.int64], term: float) -> None:
    """register += term, a finite float64 of at most 32 significant bits; carries are left in the limbs."""
    bits = np.float64(abs(term)).view(np.int64)
    if bits == 0:
        return
    significand = ((bits & 0xFFFFFFFFFFFFF) | (1 << 52)) >> 21
    place = (bits >> 52) - 1075 + 21 - _LOWEST
    shifted = significand << (place & 31)
    low, high = shifted & _LIMB_MASK, shifted >> 32
    limb = place >> 5
    if term < 0.0:
        register[limb] -= low
        register[limb + 1] -= high
    else:
        register[limb] += low
        register[limb + 1] += high


@njit(cache=True, nogil=True)
def _propagate(register: NDArray[np.int64]) -> None:
    """Carries upward: every limb but the last in 0 .. 2^32 − 1; the last one holds the sign."""
    for i in range(register.shape[0] - 1):
        register[i + 1] += register[i] >> 32
        register[i] &= _LIMB_MASK


@njit(cache=True, nogil=True)
def _register_to_odd(register: NDArray[np.int64]) -> float:
    """The register's value rounded to odd in 53 bits; 0 is +0."""
    _propagate(register)
    negative = register[-1] < 0
    if negative:
        for i in range(register.shape[0]):
            register[i] = -register[i]
        _propagate(register)
    top = register.shape[0] - 1
    while top > 0 and register[top] == 0:
        top -= 1
    sticky = np.int64(0)
    for i in range(top - 2):
        sticky |= register[i]
    significand = register[top]
    kept = 0
    while significand >> kept != 0:
        kept += 1
    exponent = _LOWEST + 32 * top
    # The bits below come from the next two limbs, 21 at least and 53 at most.
    for i in range(1, 3):
        limb = register[top - i] if top >= i else np.int64(0)
        taken = min(53 - kept, 32)
        significand = (significand << taken) | (limb >> (32 - taken))
        sticky |= limb & ((np.int64(1) << (32 - taken)) - 1)
        kept += taken
        exponent -= taken
    significand |= 1 if sticky != 0 else 0
    value = np.float64(significand) * np.int64((exponent + 1023) << 52).view(np.float64)
    return -value if negative else value


@njit(cache=True, nogil=True)
def _dot_in_register(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    scales: NDArray[np.float64],
    rule: tuple[int, int, float, float],
    target: Target,
    random: NDArray[Any],
    x: float,
) -> float:
    """One output: rule is (step, block or 0, 2^F of the cut or 0, 2^n of the random bits); scales hold the
    blocks' products, random one number for each step, or none."""
    step, block, cut, full = rule
    register = np.zeros(_LIMBS, np.int64)
    for start in range(0, a.shape[0], step):
        plain = x
        register[:] = 0
        for k in range(start, min(start + step, a.shape[0])):
            term = a[k] * b[k]
            if cut != 0.0 and abs(term) < np.inf:
                term = np.trunc(term * cut) / cut
            if block != 0:
                term = term * scales[k // block]
            plain = plain + term
            if abs(term) < np.inf:
                _add_to_register(register, term)
        if abs(plain) < np.inf:
            _add_to_register(register, x)
            odd = _register_to_odd(register)
            if random.shape[0] > 0:
                x = round_stochastic(odd, np.float64(random[start // step]), full, target)
            else:
                x = round_any(odd, target)
        else:
            x = plain
    return x


@njit(cache=True, nogil=True)
def _all_in_registers(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    a_scales: NDArray[np.float64],
    b_scales: NDArray[np.float64],
    rule: tuple[int, int, float, float],
    target: Target,
    random: NDArray[Any],
    sums: NDArray[np.float64],
) -> None:
    for m in range(a.shape[0]):
        for n in range(b.shape[0]):
            scales = a_scales[m] * b_scales[n]
            sums[m, n] = _dot_in_register(a[m], b[n], scales, rule, target, random[m, n], sums[m, n])


# Contraction changes nothing: every product and partial sum is exact.
@njit(cache=True, nogil=True, fastmath={"contract"})
def _all_in_float64(
    a: NDArray[np.float64],
    b_by_k: NDArray[np.float64],
    step: int,
    target: Target,
    sums: NDArray[np.float64],
) -> None:
    depth, columns = b_by_k.shape
    dot = np.empty(columns)
    for m in range(a.shape[0]):
        acc = sums[m]
        for start in range(0, depth, step):
            dot[:] = 0.0
            for k in range(start, min(start + step, depth)):
                x, row = a[m, k], b_by_k[k]
                for j in range(columns):
                    dot[j] += x * row[j]
            for j in range(columns):
                acc[j] = add_any(acc[j], dot[j], target)


def _fits_float64(a: Format, b: Format, step: int, acc: Accumulator) -> bool:
    """Whether any sum of `step` products, scales included, is a float64, and no product is cut.

    The products of one block are multiples of the two formats' smallest steps times the scales'; a UE4M3
    scale has 4 bits, two of them 8. A step may not straddle blocks.
    """
    unit = a.step * b.step
    cut = Fraction(1, 1 << acc.fraction_bits) if acc.kind == "aligned" else unit
    if acc.scale is not None and acc.block % step:
        return False
    scale_bits = 8 if acc.scale == FORMATS["ue4m3"] else 0
    most = step * magnitude(a) * magnitude(b) / unit
    return unit >= cut and most * (1 << scale_bits) <= 1 << 53


def magnitude(fmt: Format) -> Fraction:
    """The largest magnitude among a format's finite values."""
    if fmt.kind == "int" and fmt.signed:
        return fmt.n_codes // 2 * fmt.scale
    return fmt.max_value


def exact_plus_c(
    a: Side, b: Side, c: NDArray[np.float32] | None, acc: Accumulator, random: NDArray[Any], count: int
) -> NDArray[np.float64]:
    """Sums of `acc.step` products and the sum so far, rounded once per step.

    Args:
        a, b: (M, K) and (N, K) operands.
        c: (M, N) float32, or None for +0.
        acc: kind "exact-plus-c", or "aligned" with C outside (products are cut off below 2^-fraction_bits
            before the scales).
        random: (M, N, steps) integers of `count` bits where acc is stochastic, else (M, N, 0).

    Returns:
        (M, N) float64 values of acc.fmt. An exact sum of 0 is +0; NaN and infinities as IEEE 754 has them.

    Raises:
        ValueError: products that acc.integer_bits do not hold.
    """
    sums = start_sums(c, (a.codes.shape[0], b.codes.shape[0]), acc)
    outside = acc.kind == "aligned"
    if outside and magnitude(a.fmt) * magnitude(b.fmt) >= 1 << acc.integer_bits:
        raise ValueError(
            f"integer_bits={acc.integer_bits}: products of {a.fmt.name} and {b.fmt.name} reach "
            f"{float(magnitude(a.fmt) * magnitude(b.fmt))}; expected more bits or narrower formats"
        )
    step = acc.step or max(a.codes.shape[1], 1)
    target = target_of(acc)
    if acc.rounding != "stochastic" and _fits_float64(a.fmt, b.fmt, step, acc):
        left = a.rows(0, sums.shape[0])
        for start in range(0, sums.shape[1], _COLUMNS):
            stop = min(start + _COLUMNS, sums.shape[1])
            right = np.ascontiguousarray(b.rows(start, stop).T)
            part = np.ascontiguousarray(sums[:, start:stop])
            _all_in_float64(left, right, step, target, part)
            sums[:, start:stop] = part
        return sums
    rule = (step, acc.block, 2.0**acc.fraction_bits if outside else 0.0, 2.0**count)
    ones = [np.ones((x.codes.shape[0], 1)) if x.scales is None else x.scales for x in (a, b)]
    left = a.unscaled(0, sums.shape[0])
    for start in range(0, sums.shape[1], _COLUMNS):
        stop = min(start + _COLUMNS, sums.shape[1])
        right = b.unscaled(start, stop)
        part = np.ascontiguousarray(sums[:, start:stop])
        bits = np.ascontiguousarray(random[:, start:stop])
        _all_in_registers(left, right, ones[0], ones[1][start:stop], rule, target, bits, part)
        sums[:, start:stop] = part
    return sums
