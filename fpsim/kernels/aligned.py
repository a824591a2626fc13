"""Tensor cores: terms and C cut off toward zero a fixed distance below the largest exponent, then added
exactly.

Everything is float64, over many outputs at once. A term is held as its value T and the power of two 2^e that
it counts with. With the largest power Q of a step, trunc(T · 2^F / Q) is an integer below 2^53, so products,
truncations and the step's sum are exact (`_check_exact` refuses what would not be), and the sum times Q /
2^F is the exact result before its rounding. NaN and infinities take the plain IEEE sum of all terms, which
is a NaN or an infinity exactly where the step's result is one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator, Format
from fpsim.kernels.exact_plus_c import magnitude
from fpsim.kernels.operands import Side, start_sums
from fpsim.kernels.rounded import (
    Target,
    power_below,
    reciprocal,
    round_any,
    round_nearest_even,
    round_toward_zero,
    target_of,
)

_COLUMNS = 128


class Window(NamedTuple):
    """The alignment, as numbers: 2^F, the power that a zero term counts with, products per step and group."""

    fraction: float
    zero_power: float
    step: int
    group: int


@njit(cache=True, nogil=True)
def _product_terms(
    a: NDArray[np.float64],
    a_power: NDArray[np.float64],
    b_by_k: NDArray[np.float64],
    b_power: NDArray[np.float64],
    zero_power: float,
    terms: NDArray[np.float64],
    powers: NDArray[np.float64],
) -> None:
    """One term per product: its exponent is the sum of its factors'."""
    for t in range(terms.shape[0]):
        x, power, row, row_power = a[t], a_power[t], b_by_k[t], b_power[t]
        out, out_power = terms[t], powers[t]
        for j in range(row.shape[0]):
            product = x * row[j]
            out[j] = product
            out_power[j] = zero_power if product == 0.0 else power * row_power[j]


# Contraction changes nothing: products and partial sums of a group are exact in the arrays' type.
@njit(cache=True, nogil=True, fastmath={"contract"})
def _group_sum(a: NDArray[Any], b_by_k: NDArray[Any], out: NDArray[Any]) -> None:
    """out[j] = sum over k of a[k] · b_by_k[k, j]."""
    depth = a.shape[0]
    out[:] = 0
    for k in range(0, depth - 3, 4):
        a0, a1, a2, a3 = a[k], a[k + 1], a[k + 2], a[k + 3]
        b0, b1, b2, b3 = b_by_k[k], b_by_k[k + 1], b_by_k[k + 2], b_by_k[k + 3]
        for j in range(out.shape[0]):
            out[j] = out[j] + a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j]
    for k in range(depth - depth % 4, depth):
        a0, b0 = a[k], b_by_k[k]
        for j in range(out.shape[0]):
            out[j] += a0 * b0[j]


@njit(cache=True, nogil=True)
def _scale_group(
    dot: NDArray[Any],
    scale: tuple[float, float, int],
    b_scale: NDArray[np.float64],
    b_power: NDArray[np.float64],
    b_mask: NDArray[np.int64],
    zero_power: float,
    out: NDArray[np.float64],
    out_power: NDArray[np.float64],
) -> None:
    """A group's exact sum times the scales; scale is a's (value, power, mask of non-zero elements)."""
    value, power, mask = scale
    for j in range(dot.shape[0]):
        out[j] = np.float64(dot[j]) * (value * b_scale[j])
        out_power[j] = zero_power if mask & b_mask[j] == 0 else power * b_power[j]


@njit(cache=True, nogil=True)
def _largest_power(
    acc: NDArray[np.float64],
    powers: NDArray[np.float64],
    lowest: float,
    zero: float,
    out: NDArray[np.float64],
) -> None:
    """out[j] = the largest power of the terms and of C."""
    for j in range(acc.shape[0]):
        out[j] = zero if acc[j] == 0.0 else power_below(acc[j], lowest)
    for t in range(powers.shape[0]):
        row = powers[t]
        for j in range(row.shape[0]):
            out[j] = max(out[j], row[j])


@njit(nogil=True)
def _finish_step(
    rounding: Callable[..., Any],
    terms: NDArray[np.float64],
    largest: NDArray[np.float64],
    fraction: float,
    target: Target,
    buffers: NDArray[np.float64],
    acc: NDArray[np.float64],
) -> None:
    """acc[j] ← the rounded sum of C and the terms, cut off 2^-F below the largest power; zeros are +0."""
    kept, plain = buffers[0], buffers[1]
    for j in range(acc.shape[0]):
        largest[j] = reciprocal(largest[j]) * fraction
        kept[j] = np.trunc(acc[j] * largest[j])
        plain[j] = acc[j]
    for t in range(terms.shape[0]):
        row = terms[t]
        for j in range(acc.shape[0]):
            kept[j] += np.trunc(row[j] * largest[j])
            plain[j] += row[j]
    for j in range(acc.shape[0]):
        rounded = rounding(kept[j] * reciprocal(largest[j]), target) + 0.0
        acc[j] = rounded if abs(plain[j]) < np.inf else plain[j]


@njit(nogil=True)
def _step_by_products(
    rounding: Callable[..., Any],
    window: Window,
    target: Target,
    a: tuple[NDArray[np.float64], NDArray[np.float64]],
    b: tuple[NDArray[np.float64], NDArray[np.float64]],
    sums: NDArray[np.float64],
) -> None:
    """All steps of all rows; a and b are (values, powers), b's by k."""
    depth, columns = b[0].shape
    terms = np.empty((min(window.step, depth), columns))
    powers = np.empty(terms.shape)
    largest, buffers = np.empty(columns), np.empty((2, columns))
    for m in range(sums.shape[0]):
        for start in range(0, depth, window.step):
            stop = min(start + window.step, depth)
            t, p = terms[: stop - start], powers[: stop - start]
            _product_terms(
                a[0][m, start:stop], a[1][m, start:stop], b[0][start:stop], b[1][start:stop],
                window.zero_power, t, p,
            )  # fmt: skip
            _largest_power(sums[m], p, target.lowest, window.zero_power, largest)
            _finish_step(rounding, t, largest, window.fraction, target, buffers, sums[m])


@njit(nogil=True)
def _step_by_groups(
    rounding: Callable[..., Any],
    window: Window,
    target: Target,
    a: tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    b: tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    sums: NDArray[np.float64],
) -> None:
    """All steps of all rows; a and b are (values, scales, powers, masks) per group, b's by k."""
    depth, columns = b[0].shape
    count = (min(window.step, depth) + window.group - 1) // window.group
    terms, powers = np.empty((count, columns)), np.empty((count, columns))
    largest, buffers = np.empty(columns), np.empty((2, columns))
    dot = np.empty(columns, b[0].dtype)
    for m in range(sums.shape[0]):
        for start in range(0, depth, window.step):
            used = 0
            for k in range(start, min(start + window.step, depth), window.group):
                g, end = k // window.group, min(k + window.group, depth)
                _group_sum(a[0][m, k:end], b[0][k:end], dot)
                scale = (a[1][m, g], a[2][m, g], a[3][m, g])
                _scale_group(
                    dot, scale, b[1][g], b[2][g], b[3][g], window.zero_power, terms[used], powers[used]
                )
                used += 1
            _largest_power(sums[m], powers[:used], target.lowest, window.zero_power, largest)
            _finish_step(rounding, terms[:used], largest, window.fraction, target, buffers, sums[m])


def _powers(values: NDArray[np.float64], fmt: Format) -> NDArray[np.float64]:
    """2^exponent that each value counts with: no less than the smallest normal number of its format."""
    exponents = np.frexp(values)[1] - 1
    lowest = -fmt.bias if fmt.kind == "exponent" else 1 - fmt.bias
    inside = np.isfinite(values) & (values != 0)
    powers: NDArray[np.float64] = np.ldexp(1.0, np.where(inside, np.maximum(exponents, lowest), lowest))
    return powers


def _per_product(x: Side, start: int, stop: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values times scales, and powers times the scales' powers."""
    powers = _powers(x.unscaled(start, stop), x.fmt)
    if x.scales is not None and x.scale_fmt is not None:
        spread = np.repeat(_powers(x.scales[start:stop], x.scale_fmt), x.block, axis=1)
        powers *= spread[:, : powers.shape[1]]
    return x.rows(start, stop), powers


def _per_group(
    x: Side, start: int, stop: int, group: int, dtype: type[np.floating[Any]]
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Values, and per group: the scale, its power, and bits that are set where an element is not zero."""
    values = x.unscaled(start, stop).astype(dtype)
    rows, depth = values.shape
    groups = -(-depth // group)
    padded = np.zeros((rows, groups * group), np.bool_)
    padded[:, :depth] = values != 0
    bits = np.int64(1) << np.arange(group, dtype=np.int64)
    masks = (padded.reshape(rows, groups, group) * bits).sum(axis=2)
    scales = np.ones((rows, groups))
    powers = np.ones((rows, groups))
    if x.scales is not None and x.scale_fmt is not None:
        of_group = np.arange(groups) * group // x.block
        scales = x.scales[start:stop][:, of_group]
        powers = _powers(scales, x.scale_fmt)
        masks = np.where(scales == 0, 0, masks)
    return values, scales, powers, masks


def _check_exact(a: Format, b: Format, acc: Accumulator) -> None:
    """Refuse formats whose cut-off terms and their sum a float64 might not hold."""
    terms = acc.step // acc.group + 1
    if acc.group == 1:
        bits = 4  # four significands below 2
        if a.kind == "int" or b.kind == "int":
            raise ValueError(f"a_fmt={a.name!r}, b_fmt={b.name!r}: expected float formats with group=1")
    else:
        bits = (acc.group * magnitude(a) * magnitude(b)).numerator.bit_length() + 2
        fine = acc.group * magnitude(a) * magnitude(b) / (a.step * b.step) <= 1 << 45
        bits = bits if fine else 64
    if bits + acc.fraction_bits + terms.bit_length() > 53:
        raise ValueError(
            f"fraction_bits={acc.fraction_bits}: expected fewer with step={acc.step}, group={acc.group}, "
            f"{a.name} and {b.name}"
        )


def aligned(a: Side, b: Side, c: NDArray[np.float32] | None, acc: Accumulator) -> NDArray[np.float64]:
    """Steps of `acc.step` products on a tensor core.

    Args:
        a, b: (M, K) and (N, K) operands.
        c: (M, N) float32, or None for +0.
        acc: kind "aligned" with C inside; see `Accumulator`.

    Returns:
        (M, N) float64 values of acc.fmt; zeros are +0. NaN and infinities as IEEE 754 has them.

    Raises:
        ValueError: integer operands with group 1, or a window too wide for exact float64 sums.
    """
    _check_exact(a.fmt, b.fmt, acc)
    sums = start_sums(c, (a.codes.shape[0], b.codes.shape[0]), acc)
    sums += 0.0
    window = Window(2.0**acc.fraction_bits, 2.0**acc.zero_exponent, acc.step, acc.group)
    rounding: Any = {"rne": round_nearest_even, "rtz": round_toward_zero}.get(acc.rounding, round_any)
    target = target_of(acc)
    largest = acc.group * magnitude(a.fmt) * magnitude(b.fmt) / (a.fmt.step * b.fmt.step)
    dtype = (
        np.float32
        if largest <= 1 << 24 and min(a.fmt.step, b.fmt.step) >= Fraction(1, 1 << 50)
        else np.float64
    )
    rows = sums.shape[0]
    whole = _per_product(a, 0, rows) if acc.group == 1 else _per_group(a, 0, rows, acc.group, dtype)
    for start in range(0, sums.shape[1], _COLUMNS):
        stop = min(start + _COLUMNS, sums.shape[1])
        columns: Any = (
            _per_product(b, start, stop) if acc.group == 1 else _per_group(b, start, stop, acc.group, dtype)
        )
        loop = _step_by_products if acc.group == 1 else _step_by_groups
        by_k = tuple(np.ascontiguousarray(x.T) for x in columns)
        part = np.ascontiguousarray(sums[:, start:stop])
        loop(rounding, window, target, whole, by_k, part)
        sums[:, start:stop] = part
    return sums
