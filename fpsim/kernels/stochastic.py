"""Sums whose additions round stochastically, by random bits that the caller gives for every rounding.

A magnitude whose place between its two neighbours is `frac`, from 0 to 1, goes up where floor(frac · 2^n) and
the n random bits together reach 2^n. That is a comparison with a number of as many bits as the format's
significand and n together, so a sum rounded to odd (`rounded`) decides as the exact one while these are at
most 51. A sequential sum is a tree of one leaf: the same products, additions and random bits in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator
from fpsim.kernels import _check
from fpsim.kernels.operands import Side, start_sums
from fpsim.kernels.rounded import Target, odd_sum, round_stochastic, signed_zero, target_of

_COLUMNS = 128
_ODD_BITS = 51
_MOST_BITS = 32


def random_values(random_bits: Any, outputs: tuple[int, int], depth: int, acc: Accumulator) -> NDArray[Any]:
    """The (M, N, acc.roundings(K)) array of a pair of random bits, checked.

    (M, N, 0) where acc is not stochastic.

    Raises:
        ValueError: random bits that are missing, needless, or of another type, shape or range.
    """
    if acc.rounding != "stochastic":
        if random_bits is not None:
            raise ValueError(f"random_bits: expected None with rounding={acc.rounding!r}")
        return np.empty((*outputs, 0), np.uint32)
    if not isinstance(random_bits, tuple) or len(random_bits) != 2:
        raise ValueError(
            f"random_bits={type(random_bits).__name__}: rounding='stochastic' expects a pair (integer array, "
            "number of bits in each)"
        )
    count = random_count(random_bits, acc)
    values = _check.array("random_bits", random_bits[0], ("uint8", "uint16", "uint32", "int64"))
    expected = (*outputs, acc.roundings(depth))
    if values.shape != expected:
        raise ValueError(
            f"random_bits.shape={values.shape}: expected {expected}, one for each rounding of an output"
        )
    _check.values_within("random_bits", values, 0, (1 << count) - 1)
    return values


def random_count(random_bits: Any, acc: Accumulator) -> int:
    """Number of bits of each random value; 0 without. Raises ValueError for one that is out of range."""
    if random_bits is None:
        return 0
    assert acc.fmt is not None
    most = min(_MOST_BITS, _ODD_BITS - 1 - acc.fmt.man_bits)
    return _check.integer("random_bits count", random_bits[1], 1, most)


@njit(cache=True, nogil=True, forceinline=True)
def _add(x: Any, t: Any, random: Any, full: float, target: Target) -> Any:
    return round_stochastic(signed_zero(odd_sum(x, t), x, t, target), random, full, target)


@njit(cache=True, nogil=True)
def _add_row(
    a: NDArray[np.float64],
    b_by_k: NDArray[np.float64],
    random: NDArray[np.float64],
    rule: tuple[int, bool, float],
    target: Target,
    acc: NDArray[np.float64],
) -> None:
    """acc[j] plus one tree's sum after the other.

    random[i, j] is for rounding i; rule is (width, fused, 2^n).
    """
    width, fused, full = rule
    depth, columns = b_by_k.shape
    levels = np.empty((2, min(width, max(depth, 1)), columns))
    draw = 0
    for start in range(0, depth, width):
        count = min(width, depth - start)
        for i in range(count):
            x, row, out = a[start + i], b_by_k[start + i], levels[0, i]
            for j in range(columns):
                out[j] = x * row[j]
            if not fused:
                bits = random[draw]
                for j in range(columns):
                    out[j] = round_stochastic(out[j], bits[j], full, target)
                draw += 1
        which = 0
        while count > 1:
            for i in range(count // 2):
                left, right = levels[which, 2 * i], levels[which, 2 * i + 1]
                out, bits = levels[1 - which, i], random[draw]
                for j in range(columns):
                    out[j] = _add(left[j], right[j], bits[j], full, target)
                draw += 1
            if count & 1:
                levels[1 - which, count // 2] = levels[which, count - 1]
            count = (count + 1) // 2
            which = 1 - which
        root, bits = levels[which, 0], random[draw]
        for j in range(columns):
            acc[j] = _add(acc[j], root[j], bits[j], full, target)
        draw += 1


def stochastic(
    a: Side, b: Side, c: NDArray[np.float32] | None, acc: Accumulator, random: NDArray[Any], count: int
) -> NDArray[np.float64]:
    """Sequential sums and trees whose roundings are all stochastic.

    Args:
        a, b: (M, K) and (N, K) operands.
        c: (M, N) float32 numbers of acc.fmt, or None for +0.
        acc: kind "sequential" or "tree".
        random: (M, N, acc.roundings(K)) integers of `count` bits, in the order that `roundings` states.

    Returns:
        (M, N) float64 values of acc.fmt. NaN, infinities and zeros as IEEE 754 has them.
    """
    sums = start_sums(c, (a.codes.shape[0], b.codes.shape[0]), acc)
    left = a.rows(0, sums.shape[0])
    rule = (acc.step, acc.fused, 2.0**count)
    target = target_of(acc)
    for start in range(0, sums.shape[1], _COLUMNS):
        stop = min(start + _COLUMNS, sums.shape[1])
        right = np.ascontiguousarray(b.rows(start, stop).T)
        part = np.ascontiguousarray(sums[:, start:stop])
        for m in range(sums.shape[0]):
            bits = np.ascontiguousarray(random[m, start:stop].T, np.float64)
            _add_row(left[m], right, bits, rule, target, part[m])
        sums[:, start:stop] = part
    return sums
