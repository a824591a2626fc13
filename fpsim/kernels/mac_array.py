"""The MAC array's sums: exact integer dot products in a register of a given width."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check, saturating, tiles
from fpsim.kernels.decode import max_units
from fpsim.kernels.prepared import Prepared

_FLOAT32_EXACT = 1 << 24  # every integer of at most this magnitude is a float32
_SHORTEST_CHUNK = 512  # below this many terms per call, float32 GEMM does not pay
_OVERFLOWS = ("wrap", "saturate", "saturate-end")


@njit(cache=True, nogil=True)
def _dot_products(a: NDArray[np.int16], b: NDArray[np.int16], chunk: int, out: NDArray[np.int64]) -> None:
    """out[m, n] += sum over k of a[m, k] · b[n, k], of int16 units; int32 partial sums of `chunk` terms."""
    for m in range(a.shape[0]):
        for n in range(b.shape[0]):
            for start in range(0, a.shape[1], chunk):
                u = a[m, start : start + chunk]
                v = b[n, start : start + chunk]
                partial = np.int32(0)
                for k in range(u.shape[0]):
                    partial = np.int32(partial + np.int32(u[k]) * np.int32(v[k]))
                out[m, n] += partial


@njit(cache=True, nogil=True)
def _clamped_dot_products(
    a: NDArray[np.int16], b_by_k: NDArray[np.int16], low: int, high: int, out: NDArray[np.int64]
) -> None:
    """Sums clamped to low..high after every addition, in order of k; b_by_k is (K, N)."""
    for m in range(a.shape[0]):
        acc = out[m]
        for k in range(a.shape[1]):
            x = np.int64(a[m, k])
            row = b_by_k[k]
            for n in range(row.shape[0]):
                acc[n] = min(max(acc[n] + x * np.int64(row[n]), low), high)


@njit(cache=True, nogil=True)
def _to_integers(sums: NDArray[Any], bits: int, out: NDArray[np.int64]) -> None:
    """Flat float32 or int64 integers to int64, modulo 2^bits in two's complement."""
    unused = 64 - bits
    for i in range(sums.shape[0]):
        out[i] = (np.int64(sums[i]) << unused) >> unused


def _exact_by_gemm(a: NDArray[np.float32], b: NDArray[np.float32], chunk: int) -> NDArray[Any]:
    """Exact sums by float32 GEMM over at most `chunk` terms at a time (float32 if one call holds all).

    Proof: both operands hold integers, chunk · max|product| <= 2^24. Whatever the order, blocking or fusing
    of the additions inside one GEMM, every product and every partial sum of distinct terms is an integer
    of magnitude at most 2^24, thus a float32, so no operation rounds. The chunks are added in int64.
    """
    if a.shape[1] <= chunk:
        whole: NDArray[np.float32] = np.matmul(a, b.T)
        return whole
    total = np.zeros((a.shape[0], b.shape[0]), np.int64)
    for start in range(0, a.shape[1], chunk):
        total += np.matmul(a[:, start : start + chunk], b[:, start : start + chunk].T).astype(np.int64)
    return total


def _exact(a: NDArray[np.float32], b: NDArray[np.float32], max_product: int) -> NDArray[Any]:
    """Exact sums (M, N), as float32 integers or int64."""
    chunk = _FLOAT32_EXACT // max_product
    if chunk >= min(_SHORTEST_CHUNK, a.shape[1]):
        return _exact_by_gemm(a, b, chunk)
    total = np.zeros((a.shape[0], b.shape[0]), np.int64)
    _dot_products(a.astype(np.int16), b.astype(np.int16), (2**31 - 1) // max_product, total)
    return total


def mac_array_decoded(
    a: NDArray[np.float32] | Prepared,
    b: NDArray[np.float32] | Prepared,
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc_bits: int,
    overflow: str = "wrap",
) -> NDArray[np.int64]:
    """`mac_array` on operands decoded by `decode_operand` or prepared (which the caller may keep).

    Two prepared operands are multiplied in 8-bit tiles wherever `exact_in_int32` holds, or in tiles of narrow
    lanes where sums saturate on the way and `saturating.takes` them; everything else goes through float32
    GEMM or integer loops. The sums are the same.

    Args:
        a, b: (M, K) and (N, K): `Prepared` of a_fmt and b_fmt, or float32, values of codes of a_fmt and b_fmt
            in units (not checked again).
        a_fmt, b_fmt, acc_bits, overflow: as in `mac_array`.

    Returns:
        (M, N) int64.

    Raises:
        ValueError: an argument outside of the above.
    """
    left, right = _operand("a", a, a_fmt), _operand("b", b, b_fmt)
    if left.shape[1] != right.shape[1]:
        raise ValueError(
            f"b.shape={right.shape}: expected (N, {left.shape[1]}), the K of a.shape={left.shape}"
        )
    bits = _check.integer("acc_bits", acc_bits, 2, 63)
    _check.choice("overflow", overflow, _OVERFLOWS)
    max_product = max_units(get(a_fmt)) * max_units(get(b_fmt))
    high = (1 << (bits - 1)) - 1
    # No prefix sum exceeds K · max|product|: where the register holds that, nothing is ever clamped.
    if overflow == "saturate" and max_product * left.shape[1] > high:
        return _saturated(left, right, max_product, bits)
    out = _sums(left, right, max_product, bits if overflow == "wrap" else 64)
    return np.clip(out, -high - 1, high, out=out) if overflow == "saturate-end" else out


def _operand(name: str, x: Any, fmt: str | Format) -> NDArray[np.float32] | Prepared:
    if not isinstance(x, Prepared):
        return _check.array(name, x, "float32", 2)
    if x.fmt != get(fmt):
        raise ValueError(
            f"{name}_fmt={get(fmt).name!r}: expected {x.fmt.name!r}, which {name} was prepared for"
        )
    return x


def _float32(x: NDArray[np.float32] | Prepared) -> NDArray[np.float32]:
    return x.float32() if isinstance(x, Prepared) else x


def _sums(
    a: NDArray[np.float32] | Prepared, b: NDArray[np.float32] | Prepared, max_product: int, bits: int
) -> NDArray[np.int64]:
    """Exact sums modulo 2^bits; 64 leaves them as they are."""
    if isinstance(a, Prepared) and isinstance(b, Prepared) and tiles.exact_in_int32(a, b, max_product):
        return tiles.sums(a, b, bits)
    sums = _exact(_float32(a), _float32(b), max_product)
    out = np.empty(sums.shape, np.int64)
    _to_integers(sums.reshape(-1), bits, out.reshape(-1))
    return out


def _saturated(
    a: NDArray[np.float32] | Prepared, b: NDArray[np.float32] | Prepared, max_product: int, bits: int
) -> NDArray[np.int64]:
    """Sums clamped to a register of `bits` after every addition."""
    if isinstance(a, Prepared) and isinstance(b, Prepared) and saturating.takes(a, b, max_product, bits):
        return saturating.sums(a, b, max_product, bits)
    out = np.zeros((a.shape[0], b.shape[0]), np.int64)
    by_k = np.ascontiguousarray(_float32(b).T.astype(np.int16))
    high = (1 << (bits - 1)) - 1
    _clamped_dot_products(_float32(a).astype(np.int16), by_k, -high - 1, high, out)
    return out


def mac_array(
    a_codes: NDArray[np.uint8],
    b_codes: NDArray[np.uint8],
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc_bits: int,
    overflow: str = "wrap",
) -> NDArray[np.int64]:
    """Dot products of rows of codes (rtl/README.md, "mac_array").

    Args:
        a_codes, b_codes: (M, K) and (N, K) uint8 codes, one per element.
        a_fmt, b_fmt: operand formats (see `decode_units`).
        acc_bits: width of the two's complement register, 2 to 63.
        overflow: "wrap" modulo 2^acc_bits; "saturate" clamps after every addition, in order of k;
            "saturate-end" clamps the exact sum once.

    Returns:
        (M, N) int64 in units of the product of the two formats' smallest steps.

    Raises:
        ValueError: an argument outside of the above, or a code out of range.
    """
    a = Prepared(_check.array("a_codes", a_codes, "uint8", 2), a_fmt)
    b = Prepared(_check.array("b_codes", b_codes, "uint8", 2), b_fmt, keep=False)
    return mac_array_decoded(a, b, a.fmt, b.fmt, acc_bits, overflow)
