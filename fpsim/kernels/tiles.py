"""Exact products of prepared operands in 8-bit tiles: sums in registers, or straight on to FP16.

A panel of the right operand stays in the second-level cache while all left rows pass over it. The sums of a
tile are 32-bit integers, exact while K · max|product| < 2^31; a narrower register wraps them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from fpsim.kernels.prepared import Panels, Prepared, panel_at
from fpsim.kernels.simd import (
    DOUBLE,
    FLOAT,
    HALF,
    I16,
    I32,
    I64,
    address,
    constant,
    function,
    load,
    shuffle,
    splat,
    store,
    vector,
)
from fpsim.kernels.vnni import TILE_COLUMNS, TILE_ROWS, dot_tile

_INT32_MAX = (1 << 31) - 1


def exact_in_int32(a: Prepared, b: Prepared, max_product: int) -> bool:
    """Whether tiles can make the product: both formats in bytes, no sum beyond 32 bits."""
    return a.in_bytes() and b.in_bytes() and a.shape[1] * max_product <= _INT32_MAX


def scalable(a: Prepared, b: Prepared, max_product: int) -> bool:
    """Whether, moreover, no sum passes the 2^30 that `Scaling` counts on."""
    return exact_in_int32(a, b, max_product) and a.shape[1] * max_product <= 1 << 30


@njit(cache=True, nogil=True)
def _sums(
    units: NDArray[np.int8],
    starts: NDArray[np.int32],
    panels: Panels,
    bits: int,
    tile: NDArray[np.int32],
    out: NDArray[np.int64],
) -> None:
    """Sums modulo 2^bits, in two's complement."""
    unused = 64 - bits
    groups = panels.blocks.shape[1]
    for p in range((out.shape[1] + TILE_COLUMNS - 1) // TILE_COLUMNS):
        first, panel = p * TILE_COLUMNS, panel_at(panels, p)
        columns = min(TILE_COLUMNS, out.shape[1] - first)
        for m in range(0, units.shape[0], TILE_ROWS):
            dot_tile(
                address(units[m:]), units.shape[1], address(starts[m:]), panel, groups, address(tile)
            )  # fmt: skip
            for r in range(min(TILE_ROWS, out.shape[0] - m)):
                row = out[m + r, first : first + columns]
                sums = tile[r]
                for c in range(columns):
                    row[c] = (np.int64(sums[c]) << unused) >> unused


def sums(a: Prepared, b: Prepared, bits: int) -> NDArray[np.int64]:
    """(M, N) int64 sums modulo 2^bits (64: as they are); only where `exact_in_int32`."""
    left, right = a.rows(), b.panels()
    out = np.empty((a.shape[0], b.shape[0]), np.int64)
    _sums(left.units, left.starts, right, bits, np.empty((TILE_ROWS, TILE_COLUMNS), np.int32), out)
    return out


@intrinsic
def _scale_16(
    typing_context: Any, sums: Any, unused: Any, row_scale: Any, col_scale: Any, bias: Any, out: Any
) -> tuple[Any, Callable[..., Any]]:
    """FP16 bits of 16 sums; all but the counts by address.

    sums: int32, of which the top `unused` bits are dropped; row_scale: a float64; col_scale, bias: 16 float64
    each; out: 16 uint16. `Scaling` says where the float64 sum is exact. It goes to float32 rounded to odd:
    cut off, the last bit set where anything was lost; and from there to FP16 rounded to nearest even, which
    is one rounding of the exact sum, since float32 has more than two bits to spare (Boldo and Melquiond,
    Emulation of FMA and correctly rounded sums, 2008).
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, unused, row_scale, col_scale, bias, out = arguments
        lanes = vector(I32, 16)
        shift = splat(builder, builder.trunc(unused, I32), 16)
        acc = builder.ashr(builder.shl(load(builder, sums, lanes), shift), shift)
        rho = splat(builder, load(builder, row_scale, DOUBLE), 8)
        parts = []
        for half in range(2):
            eight = shuffle(builder, acc, acc, range(8 * half, 8 * half + 8))
            scale = load(builder, col_scale, vector(DOUBLE, 8), 64 * half)
            added = load(builder, bias, vector(DOUBLE, 8), 64 * half)
            product = builder.fmul(builder.fmul(builder.sitofp(eight, vector(DOUBLE, 8)), rho), scale)
            parts.append(_to_odd_float32(builder, builder.fadd(product, added)))
        total = shuffle(builder, parts[0], parts[1], range(16))
        kind = vector(FLOAT, 16)
        for name, bound in (("minnum", 65504.0), ("maxnum", -65504.0)):
            limit = function(builder, f"llvm.{name}.v16f32", kind, kind, kind)
            total = builder.call(limit, [total, constant(kind, bound)])
        narrow = builder.fptrunc(total, vector(HALF, 16))
        store(builder, builder.bitcast(narrow, vector(I16, 16)), out)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generate


def _to_odd_float32(builder: Any, x: Any) -> Any:
    """Eight float64 to float32: cut off, with the last bit set where anything was lost."""
    kind = vector(I64, 8)
    lost = constant(kind, (1 << 29) - 1)
    bits = builder.bitcast(x, kind)
    # Adding the mask to the lost bits carries into the last place exactly if one of them is set.
    sticky = builder.add(builder.and_(bits, lost), lost)
    odd = builder.and_(builder.or_(bits, sticky), constant(kind, -(1 << 29)))
    return builder.fptrunc(builder.bitcast(odd, vector(DOUBLE, 8)), vector(FLOAT, 8))


@njit(cache=True, nogil=True)
def _outputs(
    units: NDArray[np.int8],
    starts: NDArray[np.int32],
    panels: Panels,
    bits: int,
    row_scale: NDArray[np.float64],
    col_scale: NDArray[np.float64],
    bias: NDArray[np.float64],
    tile: NDArray[np.int32],
    spare: NDArray[np.uint16],
    out: NDArray[np.uint16],
) -> None:
    """FP16 of all sums; scales and biases are padded to whole tiles. bits: at most 32."""
    groups = panels.blocks.shape[1]
    for p in range((out.shape[1] + TILE_COLUMNS - 1) // TILE_COLUMNS):
        first, panel = p * TILE_COLUMNS, panel_at(panels, p)
        for m in range(0, units.shape[0], TILE_ROWS):
            dot_tile(
                address(units[m:]), units.shape[1], address(starts[m:]), panel, groups, address(tile)
            )  # fmt: skip
            for r in range(min(TILE_ROWS, out.shape[0] - m)):
                for c in range(0, TILE_COLUMNS, 16):
                    n = first + c
                    whole = n + 16 <= out.shape[1]
                    _scale_16(
                        address(tile[r, c:]), 32 - bits, address(row_scale[m + r :]), address(col_scale[n:]),
                        address(bias[n:]), address(out[m + r, n:]) if whole else address(spare),
                    )  # fmt: skip
                    if not whole:
                        for i in range(max(out.shape[1] - n, 0)):
                            out[m + r, n + i] = spare[i]


class Scaling:
    """Row scales, column scales and biases as float64, where acc · row · column + bias is one float64.

    Let row · column be an integer of 22 bits times 2^e, and |acc| <= 2^30: the product has at most 52 bits.
    The bias is a multiple of 2^-24. If e <= -24 and |bias| <= 2^(52 + e), the sum is a multiple of 2^e of at
    most 2^53 of them: exact. If e > -24, it is a multiple of 2^-24: exact up to 2^29, and beyond that it is
    clamped to 65504, rounded or not, since |bias| < 2^16. A row scale of 0 leaves the bias alone.
    """

    def __init__(
        self, row_scale: NDArray[np.uint32], col_scale: NDArray[np.uint32], bias: NDArray[np.uint16]
    ) -> None:
        """Take TF32 codes (0 or positive normal; positive normal) and finite FP16 bits."""
        self.rows = (row_scale << np.uint32(13)).view(np.float32).astype(np.float64)
        padding = -col_scale.size % TILE_COLUMNS
        columns = np.pad(col_scale, (0, padding)) << np.uint32(13)
        self.columns = columns.view(np.float32).astype(np.float64)
        added = np.pad(bias, (0, padding)).view(np.float16).astype(np.float64)
        self.bias = added + 0.0  # a bias of -0 is 0
        present = bias & 0x7FFF != 0
        lowest = int(row_scale[row_scale != 0].min(initial=255 << 10)) >> 10
        field = np.maximum((bias[present] >> 10) & 31, 1).astype(np.int64)  # |bias| < 2^(field - 14)
        e = lowest - 137 + (col_scale[present] >> 10).astype(np.int64) - 137
        self.exact = bool(np.all((e > -24) | (field - 14 <= 52 + e)))


def outputs(a: Prepared, b: Prepared, bits: int, scaling: Scaling) -> NDArray[np.uint16]:
    """(M, N) FP16 bits of the sums modulo 2^bits under an exact scaling; only where
    `scalable`."""
    left, right = a.rows(), b.panels()
    out = np.empty((a.shape[0], b.shape[0]), np.uint16)
    tile, spare = np.empty((TILE_ROWS, TILE_COLUMNS), np.int32), np.empty(16, np.uint16)
    _outputs(
        left.units, left.starts, right, min(bits, 32), scaling.rows, scaling.columns, scaling.bias,
        tile, spare, out,
    )  # fmt: skip
    return out
