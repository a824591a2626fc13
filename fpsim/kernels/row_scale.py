"""The scale of a row: an amplitude of eleven significant bits and its TF32 number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check
from fpsim.kernels._bits import bit_length


@njit(cache=True, nogil=True)
def _amplitude(amax: int) -> int:
    """amax >= 0 rounded to 11 significant bits, nearest, ties to even."""
    d: int = max(bit_length(amax) - 11, 0)
    return ((2 * amax + (1 << d) - 1 + ((amax >> d) & 1)) >> (d + 1)) << d


@njit(cache=True, nogil=True)
def _row_scale_bits(amp: int, exp: int, guard_bits: int) -> int:
    """TF32 bits of amp · 2^(exp - 25 - guard_bits); amp has at most 11 significant bits."""
    if amp == 0:
        return 0
    top: int = bit_length(amp) - 1
    significand = (amp << 10) >> top
    return ((top + exp - 25 - guard_bits + 127) << 10) | (significand & 1023)


@njit(cache=True, nogil=True)
def _amplitudes(amax: NDArray[Any], out: NDArray[np.int32]) -> None:
    for m in range(amax.shape[0]):
        out[m] = _amplitude(int(amax[m]))


@njit(cache=True, nogil=True)
def _row_scales(
    amp: NDArray[np.int32], exp: NDArray[np.int32], guard_bits: int, out: NDArray[np.uint32]
) -> None:
    for m in range(amp.shape[0]):
        out[m] = _row_scale_bits(int(amp[m]), int(exp[m]), guard_bits)


def amplitude(amax: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.int32]:
    """Round magnitudes to 11 significant bits, nearest, ties to even (rtl/README.md, "row_scale").

    Args:
        amax: (M,) int32 or int64, 0 to 2^30.

    Returns:
        (M,) int32; a carry gives the next power of two.

    Raises:
        ValueError: another dtype or shape, or a value outside of the range.
    """
    checked = _check.array("amax", amax, ("int32", "int64"), 1)
    _check.values_within("amax", checked, 0, _check.AMPLITUDE_MAX)
    out = np.empty(checked.shape, np.int32)
    _amplitudes(checked, out)
    return out


def row_scale(amp: NDArray[np.int32], exp: NDArray[np.int32] | int, guard_bits: int) -> NDArray[np.uint32]:
    """The TF32 number amp · 2^(exp - 25 - guard_bits), exact.

    Args:
        amp: (M,) int32 amplitudes, 0 to 2^30, of at most 11 significant bits.
        exp: row exponents, (M,) int32 or one integer, 1 to 31 (31: a row flagged as special).
        guard_bits: 0 to 8.

    Returns:
        (M,) uint32, the 19-bit TF32 code: sign bit 18 (0), exponent bits 17 to 10, significand bits 9 to 0.

    Raises:
        ValueError: an argument outside of the above.
    """
    amps = _check.array("amp", amp, "int32", 1)
    _check.values_within("amp", amps, 0, _check.AMPLITUDE_MAX)
    guard = _check.integer("guard_bits", guard_bits, 0, _check.GUARD_BITS_MAX)
    if isinstance(exp, np.ndarray):
        exps = _check.array("exp", exp, "int32", 1)
        _check.length("exp", exps, amps.shape[0], "one exponent per row")
        _check.values_within("exp", exps, _check.ROW_EXP_MIN, _check.SPECIAL_EXP)
    else:
        static = _check.integer("exp", exp, _check.ROW_EXP_MIN, _check.SPECIAL_EXP)
        exps = np.full(amps.shape, static, np.int32)
    wide = amps != amplitude(amps)
    if wide.any():
        raise ValueError(f"amp holds {int(amps[wide][0])}: expected at most 11 significant bits")
    out = np.empty(amps.shape, np.uint32)
    _row_scales(amps, exps, guard, out)
    return out
