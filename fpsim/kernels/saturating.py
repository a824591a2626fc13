"""Sums that saturate after every addition, in order of k, in tiles of narrow lanes in registers.

Where both formats fit eight bits (`prepared.py`) and AVX-512 is. The lanes are as narrow as the register and
the products allow; `lane_bits` says why nothing is lost in them.
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
    I16,
    I32,
    I64,
    address,
    aligned_empty,
    constant,
    function,
    load,
    loop,
    splat,
    store,
    vector,
)
from fpsim.kernels.vnni import GROUP, TILE_COLUMNS, TILE_ROWS, TILE_VECTORS

_WORDS, _LANES = vector(I16, 32), vector(I32, 16)
_VECTOR = 64  # bytes

# 8 · 3 accumulators, 3 vectors of the right operand, a broadcast left value and two bounds fill 30 of the 32
# registers.


def lane_bits(max_product: int, bits: int) -> int:
    """Bits of the lanes, 16, 32 or 64, in which a register of `bits` saturates right after every addition.

    16: register and products fit int16. The sum is made by an addition that saturates to int16, and then
    clamped: a sum beyond int16 is beyond the register on the same side.
    32: no sum of a register and a product leaves int32.
    """
    if bits <= 16 and max_product < 1 << 15:
        return 16
    return 32 if (1 << (bits - 1)) + max_product < 1 << 31 else 64


def _tile(lane: Any, clamped: bool) -> Any:
    """An intrinsic for a tile of 8 rows and 3 vectors, with lanes of int16 or int32."""
    kind, bits = (_WORDS, 16) if lane is I16 else (_LANES, 32)

    @intrinsic
    def tile(
        typing_context: Any, left: Any, stride: Any, right: Any, depth: Any, low: Any, high: Any, out: Any
    ) -> tuple[Any, Callable[..., Any]]:
        """Clamped sums over k, from 0 on, by address; low and high: the register's bounds.

        left: 8 rows of 32 bits, `stride` bytes apart, as `_widen_left` leaves them; right: (depth, 3) vectors
        as `_widen_right` does; out: (8, 3) vectors.
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            left, stride, right, depth, low, high, out = arguments
            rows = [builder.add(left, builder.mul(stride, constant(I64, r))) for r in range(TILE_ROWS)]
            bounds = [
                (builder.icmp_signed, sign, splat(builder, builder.trunc(bound, lane), kind.count))
                for sign, bound in ((">", low), ("<", high))
            ]

            def add(k: Any, sums: list[Any]) -> list[Any]:
                base = builder.add(right, builder.mul(k, constant(I64, _VECTOR * TILE_VECTORS)))
                columns = [load(builder, base, kind, _VECTOR * v) for v in range(TILE_VECTORS)]
                behind = builder.mul(k, constant(I64, 4))
                new = []
                for r, row in enumerate(rows):
                    x = splat(builder, load(builder, builder.add(row, behind), I32), 16)
                    for v, column in enumerate(columns):
                        total = _add_product(builder, lane, sums[r * TILE_VECTORS + v], x, column)
                        for compare, sign, bound in bounds if clamped else ():
                            total = builder.select(compare(sign, total, bound), total, bound)
                        new.append(total)
                return new

            zeros = [constant(kind, 0)] * (TILE_ROWS * TILE_VECTORS)
            for i, result in enumerate(loop(builder, depth, zeros, add)):
                store(builder, result, out, _VECTOR * i)
            return context.get_dummy_value()

        return types.void(*[types.intp] * 7), generate

    assert bits * kind.count == 8 * _VECTOR
    return tile


def _add_product(builder: Any, lane: Any, total: Any, x: Any, y: Any) -> Any:
    """total + x · y; of int16, exact products and saturating addition.

    In 32 bits the left value stands beside a zero: the sum of both halves' products is the one wanted.
    """
    if lane is I16:
        product = builder.mul(builder.bitcast(x, _WORDS), y)
        add = function(builder, "llvm.sadd.sat.v32i16", _WORDS, _WORDS, _WORDS)
        return builder.call(add, [total, product])
    multiply = function(builder, "llvm.x86.avx512.pmaddw.d.512", _LANES, _WORDS, _WORDS)
    words = [builder.bitcast(operand, _WORDS) for operand in (x, y)]
    return builder.add(total, builder.call(multiply, words))


_tile_16 = _tile(I16, clamped=False)
_tile_below_16 = _tile(I16, clamped=True)
_tile_32 = _tile(I32, clamped=True)


def _widen(upper: bool, whole: bool) -> Any:
    """An intrinsic from a vector of a panel, four k of 16 columns, to four vectors, one for each k."""

    @intrinsic
    def widen(typing_context: Any, panel: Any, out: Any) -> tuple[Any, Callable[..., Any]]:
        """By address. Units go to 32-bit lanes (whole), or to their lower halves, or (upper) beside those."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            panel, out = arguments
            units = builder.xor(load(builder, panel, _LANES), constant(_LANES, 0x80808080))
            for k in range(GROUP):
                at = _VECTOR * TILE_VECTORS * k
                unit = builder.shl(units, constant(_LANES, 24 - 8 * k))
                unit = builder.ashr(unit, constant(_LANES, 8 if upper else 24))
                if upper:
                    unit = builder.and_(unit, constant(_LANES, 0xFFFF0000))
                    unit = builder.or_(unit, load(builder, out, _LANES, at))
                elif not whole:
                    unit = builder.and_(unit, constant(_LANES, 0xFFFF))
                store(builder, unit, out, at)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), generate

    return widen


_widen_whole = _widen(upper=False, whole=True)
_widen_lower = _widen(upper=False, whole=False)
_widen_upper = _widen(upper=True, whole=False)


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _widen_right(panel: int, groups: int, part: int, whole: bool, out: int) -> None:
    """A panel of 48 columns to vectors by k: one lane each (whole), or one half (0 or 1) of each lane."""
    for i in range(groups * TILE_VECTORS):
        source = panel + _VECTOR * i
        target = out + _VECTOR * (i // TILE_VECTORS * TILE_VECTORS * GROUP + i % TILE_VECTORS)
        if whole:
            _widen_whole(source, target)
        elif part == 0:
            _widen_lower(source, target)
        else:
            _widen_upper(source, target)


def _widen_left(units: NDArray[np.int8], whole: bool) -> NDArray[np.uint32]:
    """(M', K') units beside a zero (whole) or beside themselves."""
    words = units.astype(np.int16).view(np.uint16).astype(np.uint32)
    return words if whole else words * np.uint32(0x10001)


@njit(cache=True, nogil=True)
def _sums(
    left: NDArray[np.uint32],
    depth: int,
    panels: Panels,
    bits: int,
    whole: bool,
    right: NDArray[np.uint8],
    words: NDArray[np.int16],
    lanes: NDArray[np.int32],
    out: NDArray[np.int64],
) -> None:
    """All sums; right: room for widened columns; words or lanes: a tile, (8, 48, 2) or (8, 48)."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    groups = panels.blocks.shape[1]
    parts = 1 if whole else 2
    count = (out.shape[1] + TILE_COLUMNS - 1) // TILE_COLUMNS
    columns, stride = address(right), 4 * left.shape[1]
    for p in range(0, count, parts):
        there = min(parts, count - p)
        for part in range(there):
            _widen_right(panel_at(panels, p + part), groups, part, whole, columns)
        for m in range(0, left.shape[0], TILE_ROWS):
            rows = address(left) + stride * m
            if whole:
                _tile_32(rows, stride, columns, depth, low, high, address(lanes))
            elif bits < 16:
                _tile_below_16(rows, stride, columns, depth, low, high, address(words))
            else:
                _tile_16(rows, stride, columns, depth, low, high, address(words))
            for r in range(min(TILE_ROWS, out.shape[0] - m)):
                for part in range(there):
                    first = (p + part) * TILE_COLUMNS
                    for c in range(min(TILE_COLUMNS, out.shape[1] - first)):
                        out[m + r, first + c] = lanes[r, c] if whole else words[r, c, part]


def takes(a: Prepared, b: Prepared, max_product: int, bits: int) -> bool:
    """Whether `sums` can make the product."""
    return a.in_bytes() and b.in_bytes() and lane_bits(max_product, bits) < 64


def sums(a: Prepared, b: Prepared, max_product: int, bits: int) -> NDArray[np.int64]:
    """(M, N) int64: every sum clamped to `bits` after every addition, in order of k; only what it `takes`."""
    whole = lane_bits(max_product, bits) == 32
    panels = b.panels()
    left = _widen_left(a.rows().units, whole)
    right = aligned_empty((panels.blocks.shape[1] * GROUP, _VECTOR * TILE_VECTORS), np.uint8)
    out = np.empty((a.shape[0], b.shape[0]), np.int64)
    words = aligned_empty((TILE_ROWS, TILE_COLUMNS, 2), np.int16)
    lanes = aligned_empty((TILE_ROWS, TILE_COLUMNS), np.int32)
    _sums(left, a.shape[1], panels, bits, whole, right, words, lanes, out)
    return out
