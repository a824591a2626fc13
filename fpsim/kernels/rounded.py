"""Rounding a float64 to a narrower float format, and rounded addition, for the loops over many outputs.

Everything here is a float64 (or int64) operation without a branch on data, so that a loop over outputs
becomes vector code. Two facts carry the proofs:

* Magic numbers. Let P be the power of two at or below |v| (no less than the format's smallest normal number)
  and q = P · 2^-man_bits, the spacing of the format's values there. With M = 1.5 · 2^52 · q the float64
  spacing around M is q, and |v| < 2P stays inside M's binade, so fl(v + M) − M is v rounded to a multiple of
  q, ties to the even multiple: the format's nearest-even rounding, subnormals included. The subtraction is
  exact.
* Rounding to odd (Boldo and Melquiond, IEEE TC 57(4), 2008). s = fl(x + t) with its exact error e (Knuth's
  TwoSum); where e is not 0 and s is even, the float64 beside s on e's side stands for the sum: it compares
  with every number of 51 or fewer bits as x + t does, so any rounding of it to a format is the rounding of
  x + t.

No operand is subnormal in float64, so flush-to-zero modes change nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Accumulator

RNE, RNA, RTZ, RUP, RDN = range(5)
_MODES = ("rne", "rna", "rtz", "rup", "rdn", "stochastic")
_EXPONENT = np.int64(0x7FF << 52)
_TWO_EXPONENT_BIASES = np.int64(2046 << 52)


class Target(NamedTuple):
    """The format of a sum and its rules, as numbers."""

    lowest: float  # the smallest normal number
    magic: float  # 1.5 · 2^(52 − man_bits)
    spacing: float  # 2^−man_bits: distance of the values from 1 to 2
    largest: float  # the largest finite number
    beyond: float  # what a positive sum beyond it becomes
    below: float  # and a negative one
    mode: int
    keep_zero_sign: int  # 1: an exact zero has IEEE's sign; 0: it is +0


def target_of(acc: Accumulator) -> Target:
    """An accumulator's rounding as the loops want it."""
    fmt = acc.fmt
    assert fmt is not None
    largest = float(fmt.max_value)
    infinite = (acc.overflow != "saturate", acc.overflow != "saturate")
    if acc.overflow == "ieee":  # section 7.4: a rounding toward zero stays finite
        infinite = (acc.rounding not in ("rtz", "rdn"), acc.rounding not in ("rtz", "rup"))
    return Target(
        2.0 ** (1 - fmt.bias),
        1.5 * 2.0 ** (52 - fmt.man_bits),
        2.0**-fmt.man_bits,
        largest,
        np.inf if infinite[0] else largest,
        -np.inf if infinite[1] else -largest,
        _MODES.index(acc.rounding),
        int(acc.kind in ("sequential", "tree")),
    )


@njit(cache=True, nogil=True, forceinline=True)
def power_below(v: Any, lowest: float) -> Any:
    """The larger of 2^floor(log2 |v|) and `lowest`, for a finite v."""
    bits = np.int64(np.float64(v).view(np.int64) & _EXPONENT)
    return max(bits.view(np.float64), lowest)


@njit(cache=True, nogil=True, forceinline=True)
def reciprocal(power: Any) -> Any:
    """1 / power of a power of two from 2^-1022 to 2^1023."""
    bits = np.int64(_TWO_EXPONENT_BIASES - np.float64(power).view(np.int64))
    return bits.view(np.float64)


@njit(cache=True, nogil=True, forceinline=True)
def _limited(r: Any, v: Any, target: Target) -> Any:
    """r with the overflow rule and v's sign of zero; an infinite or NaN v stays."""
    r = np.copysign(r, v)
    r = target.beyond if r > target.largest else r
    r = target.below if r < -target.largest else r
    return r if abs(v) < np.inf else v


@njit(cache=True, nogil=True, forceinline=True)
def round_nearest_even(v: Any, target: Target) -> Any:
    """v in the target's format, ties to even."""
    magic = power_below(v, target.lowest) * target.magic
    return _limited((v + magic) - magic, v, target)


@njit(cache=True, nogil=True, forceinline=True)
def round_toward_zero(v: Any, target: Target) -> Any:
    """v in the target's format, cut off."""
    spacing = power_below(v, target.lowest) * target.spacing
    return _limited(np.trunc(v * reciprocal(spacing)) * spacing, v, target)


@njit(cache=True, nogil=True, forceinline=True)
def round_any(v: Any, target: Target) -> Any:
    """v in the target's format, by target.mode."""
    spacing = power_below(v, target.lowest) * target.spacing
    scaled = v * reciprocal(spacing)
    kept = np.trunc(scaled)
    rest = scaled - kept
    size = abs(rest)
    mode = target.mode
    nearest = (mode == RNE) | (mode == RNA)
    tie = (size == 0.5) & ((mode == RNA) | (np.trunc(kept * 0.5) * 2.0 != kept))
    up = (mode == RUP) & (rest > 0.0)
    down = (mode == RDN) & (rest < 0.0)
    away = 1.0 if (nearest & ((size > 0.5) | tie)) | up | down else 0.0
    return _limited((kept + np.copysign(away, v)) * spacing, v, target)


@njit(cache=True, nogil=True, forceinline=True)
def round_stochastic(v: Any, random: Any, full: float, target: Target) -> Any:
    """v in the target's format, up in magnitude where floor(rest · full) + random reaches full = 2^n."""
    spacing = power_below(v, target.lowest) * target.spacing
    scaled = v * reciprocal(spacing)
    kept = np.trunc(scaled)
    up = np.floor(abs(scaled - kept) * full) + random >= full
    return _limited((kept + np.copysign(1.0 if up else 0.0, v)) * spacing, v, target)


@njit(cache=True, nogil=True, forceinline=True)
def odd_sum(x: Any, t: Any) -> Any:
    """x + t rounded to odd: it compares with every number of at most 51 bits as the exact sum does."""
    s = x + t
    back = s - x
    error = (x - (s - back)) + (t - back)
    bits = np.float64(s).view(np.int64)
    # The neighbour on the error's side is one step up in magnitude where signs agree, else one step down.
    step = np.int64(1) - 2 * np.int64((error > 0.0) != (s > 0.0))
    inexact = np.int64((error != 0.0) & (abs(s) < np.inf)) & (~bits & np.int64(1))
    return np.int64(bits + step * inexact).view(np.float64)


@njit(cache=True, nogil=True, forceinline=True)
def signed_zero(s: Any, x: Any, t: Any, target: Target) -> Any:
    """s, the sum of x and t; an exact zero with the sign that the target's rule gives it."""
    a_minus = (np.float64(x).view(np.int64) | np.float64(t).view(np.int64)) < 0
    minus_zero = (s == 0.0) & a_minus & (target.mode == RDN) & (target.keep_zero_sign != 0)
    plus_zero = (s == 0.0) & (target.keep_zero_sign == 0)
    s = -0.0 if minus_zero else s
    return 0.0 if plus_zero else s


@njit(cache=True, nogil=True, forceinline=True)
def add_any(x: Any, t: Any, target: Target) -> Any:
    """x + t, both exact, rounded once by the target's rules."""
    return round_any(signed_zero(odd_sum(x, t), x, t, target), target)


@njit(cache=True, nogil=True, forceinline=True)
def add_nearest_even(x: Any, t: Any, target: Target) -> Any:
    """`add_any` where the mode is nearest even."""
    return round_nearest_even(signed_zero(odd_sum(x, t), x, t, target), target)


@njit(cache=True, nogil=True, forceinline=True)
def add_arrays(
    x: NDArray[np.float64], t: NDArray[np.float64], target: Target, out: NDArray[np.float64]
) -> None:
    """out[i] = x[i] + t[i], rounded once, of flat arrays."""
    for i in range(out.shape[0]):
        out[i] = add_any(x[i], t[i], target)
