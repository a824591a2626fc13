"""Operands, scales and C of a matrix product that rounds, checked and decoded to float64."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Accumulator, Format
from fpsim.kernels import _check
from fpsim.kernels.cast import decode, encode

OPERAND_BITS_MAX = 19  # tf32: two significands of 11 bits and two of a UE4M3 scale fill 30
_DTYPES = ("uint8", "uint16", "uint32")


@njit(cache=True, nogil=True)
def widen(bits: NDArray[np.uint32], out: NDArray[np.float64]) -> None:
    """Flat float32 bits as float64, by integers alone: subnormals survive a flush-to-zero mode."""
    for i in range(bits.shape[0]):
        raw = np.int64(bits[i])
        field = (raw >> 23) & 255
        stored = raw & 0x7FFFFF
        magnitude = np.float64(0.0)
        if field == 0:
            magnitude = np.float64(stored) * 2.0**-149
        elif field == 255:
            magnitude = np.float64(np.inf if stored == 0 else np.nan)
        else:
            magnitude = np.int64(((field + 896) << 52) | (stored << 29)).view(np.float64)
        out[i] = -magnitude if raw >> 31 else magnitude


@njit(cache=True, nogil=True)
def narrow(values: NDArray[np.float64], nan: int, out: NDArray[np.uint32]) -> None:
    """float32 bits of flat float64 that float32 holds, by integers alone; every NaN has the bits `nan`."""
    for i in range(values.shape[0]):
        v = values[i]
        raw = np.float64(v).view(np.int64)
        sign = np.int64(1 << 31) if raw < 0 else np.int64(0)
        magnitude = abs(v)
        if np.isnan(v):
            out[i] = nan
        elif magnitude == np.inf:
            out[i] = sign | 0x7F800000
        elif magnitude < 2.0**-126:
            out[i] = sign | np.int64(magnitude * 2.0**149)
        else:
            out[i] = sign | (((raw & 0x7FFFFFFFFFFFFFFF) >> 29) - (np.int64(896) << 23))


def to_float64(codes: NDArray[Any], fmt: Format) -> NDArray[np.float64]:
    """Exact values of codes."""
    values = decode(codes, fmt)
    out = np.empty(values.shape, np.float64)
    widen(values.reshape(-1).view(np.uint32), out.reshape(-1))
    return out


def to_float32(values: NDArray[np.float64], nan: int) -> NDArray[np.float32]:
    """float64 that float32 holds, as float32."""
    out = np.empty(values.shape, np.uint32)
    narrow(np.ascontiguousarray(values).reshape(-1), nan, out.reshape(-1))
    return out.view(np.float32)


@dataclass(frozen=True)
class Side:
    """One operand of a product that rounds.

    Attributes:
        codes: (R, K) codes of fmt.
        scales: (R, ceil(K / block)) float64 values of the scales; None without.
    """

    codes: NDArray[Any]
    fmt: Format
    scales: NDArray[np.float64] | None = None
    scale_fmt: Format | None = None
    block: int = 0

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """(stop − start, K) float64 values, times the scales: exact."""
        values = self.unscaled(start, stop)
        if self.scales is not None:
            spread = np.repeat(self.scales[start:stop], self.block, axis=1)
            with np.errstate(invalid="ignore"):
                values *= spread[:, : values.shape[1]]
        return values

    def unscaled(self, start: int, stop: int) -> NDArray[np.float64]:
        """(stop − start, K) float64 values without the scales."""
        return to_float64(self.codes[start:stop], self.fmt)

    def finite(self) -> bool:
        """Whether no operand and no scale is NaN or infinite."""
        if self.scales is not None and not bool(np.isfinite(self.scales).all()):
            return False
        if not self.fmt.has_nan:
            return True
        magnitudes = self.codes & self.codes.dtype.type(self.fmt.magnitude_mask)
        return not self.codes.size or int(magnitudes.max()) <= self.fmt.max_magnitude_code


def side(name: str, codes: Any, fmt: Format, scale_codes: Any, acc: Accumulator) -> Side:
    """Check one operand and its scales.

    Raises:
        ValueError: names the argument, the value and what is legal.
    """
    if fmt.bits > OPERAND_BITS_MAX or fmt.kind == "exponent":
        raise ValueError(f"{name}_fmt={fmt.name!r}: expected a float or integer format of at most 19 bits")
    _check_scale(name, fmt, acc)
    dtype = _DTYPES[0] if fmt.bits <= 8 else _DTYPES[1] if fmt.bits <= 16 else _DTYPES[2]
    checked = _check.array(name, codes, dtype, 2)
    _check.values_within(name, checked, 0, fmt.n_codes - 1)
    if acc.scale is None:
        if scale_codes is not None:
            raise ValueError(f"{name}_scale: expected None, since the accumulator has no block scales")
        return Side(checked, fmt)
    if scale_codes is None:
        raise ValueError(f"{name}_scale=None: expected {acc.scale.name} codes, one per {acc.block} elements")
    scales = _check.array(f"{name}_scale", scale_codes, "uint8", 2)
    expected = (checked.shape[0], -(-checked.shape[1] // acc.block))
    if scales.shape != expected:
        raise ValueError(
            f"{name}_scale.shape={scales.shape}: expected {expected}, one per {acc.block} elements"
        )
    _check.values_within(f"{name}_scale", scales, 0, acc.scale.n_codes - 1)
    return Side(checked, fmt, to_float64(scales, acc.scale), acc.scale, acc.block)


def _check_scale(name: str, fmt: Format, acc: Accumulator) -> None:
    """Refuse a scale that would have to be rounded, or that an alignment has no place for.

    A power of two moves the exponents and nothing else. Any other scale makes products of up to 64 bits:
    hardware sums the unscaled values and multiplies by the scales afterwards, and so does the caller.
    """
    if acc.kind == "aligned" and fmt.scale != 1:
        raise ValueError(f"{name}_fmt.scale={fmt.scale}: expected 1 under an aligned accumulator")
    if fmt.scale.numerator & (fmt.scale.numerator - 1):
        raise ValueError(
            f"{name}_fmt.scale={fmt.scale}: expected a power of two; take {name}_fmt.scaled(1) and multiply "
            "the result by the scale"
        )


def start_sums(c: Any, shape: tuple[int, int], acc: Accumulator) -> NDArray[np.float64]:
    """C rounded to the accumulator's format, (M, N) float64; +0 where c is None.

    Raises:
        ValueError: another dtype or shape, a NaN or infinity that the format does not hold, or, where acc
            rounds stochastically, a number that it does not hold.
    """
    fmt = acc.fmt
    assert fmt is not None
    if c is None:
        return np.zeros(shape, np.float64)
    checked = _check.array("c", c, "float32", 2)
    if checked.shape != shape:
        raise ValueError(f"c.shape={checked.shape}: expected {shape}")
    if not fmt.has_inf and not bool(np.isfinite(checked).all()):
        raise ValueError(f"c holds NaN or an infinity: expected finite numbers, as {fmt.name} has neither")
    out = np.empty(shape, np.float64)
    widen(checked.reshape(-1).view(np.uint32), out.reshape(-1))
    if fmt == FORMATS["fp32"]:
        return out
    rounding = "rne" if acc.rounding == "stochastic" else acc.rounding
    codes = encode(
        checked, fmt, rounding=rounding, overflow="saturate" if acc.overflow == "saturate" else "inf"
    )
    sums = to_float64(codes, fmt)
    if acc.overflow == "saturate" and fmt.has_inf:
        sums = np.where(np.isinf(out), out, sums)
    if acc.overflow == "inf":
        beyond = np.abs(out) >= float(top_of(fmt))
        sums = np.where(beyond, np.copysign(np.inf, out), sums)
    if acc.rounding == "stochastic" and not np.array_equal(sums, out, equal_nan=True):
        offender = out[(sums != out) & ~np.isnan(out)][0]
        raise ValueError(f"c holds {offender}: expected numbers of {fmt.name}, rounded beforehand")
    return sums


def top_of(fmt: Format) -> Fraction:
    """The power of two above a format's largest value."""
    ratio = fmt.max_value
    exponent = ratio.numerator.bit_length() - ratio.denominator.bit_length() + 1
    return Fraction(2) ** exponent
