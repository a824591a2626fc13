"""A tile of an 8-bit matrix product in registers, and the data movement around it, for AVX-512 VNNI.

The instruction adds to each 32-bit lane four products of an unsigned and a signed byte, without saturation.
So the right operand is stored with 128 added, and the sums start at -128 times the sum of the left row: the
excess is gone at the end, whatever wrapped in between, since all of it is arithmetic modulo 2^32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from fpsim.kernels.simd import (
    I8,
    I16,
    I32,
    I64,
    constant,
    function,
    load,
    loop,
    shuffle,
    splat,
    store,
    vector,
)

TILE_ROWS = 8
TILE_VECTORS = 3
TILE_COLUMNS = 16 * TILE_VECTORS
GROUP = 4  # bytes of one lane: four consecutive k
OFFSET = 128
_LANES = vector(I32, 16)

# 8 · 3 accumulators, 3 vectors of the right operand and one broadcast left value fill 28 of the 32 registers.


@intrinsic
def dot_tile(
    typing_context: Any, left: Any, stride: Any, start: Any, panel: Any, groups: Any, out: Any
) -> tuple[Any, Callable[..., Any]]:
    """out[r, c] = start[r] + Σ_k left[r, k] · panel[k / 4, c, k % 4], all by address.

    left: 8 rows of int8, `stride` bytes apart; start: 8 int32; panel: (groups, 48, 4) uint8; out: (8, 48)
    int32.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, stride, start, panel, groups, out = arguments
        starts = [splat(builder, load(builder, start, I32, 4 * r), 16) for r in range(TILE_ROWS)]
        starts = [x for x in starts for _ in range(TILE_VECTORS)]
        rows = [builder.add(left, builder.mul(stride, constant(I64, r))) for r in range(TILE_ROWS)]

        def add(group: Any, sums: list[Any]) -> list[Any]:
            return _add_group(builder, rows, panel, group, sums)

        results = loop(builder, groups, starts, add)
        for i, result in enumerate(results):
            store(builder, result, out, 64 * i)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generate


def _add_group(builder: Any, rows: list[Any], panel: Any, group: Any, sums: list[Any]) -> list[Any]:
    """The sums with the products of one group of four k added."""
    dot = function(builder, "llvm.x86.avx512.vpdpbusd.512", _LANES, _LANES, _LANES, _LANES)
    base = builder.add(panel, builder.mul(group, constant(I64, 64 * TILE_VECTORS)))
    columns = [load(builder, base, _LANES, 64 * v) for v in range(TILE_VECTORS)]
    behind = builder.mul(group, constant(I64, GROUP))
    new = []
    for r, row in enumerate(rows):
        four = splat(builder, load(builder, builder.add(row, behind), I32), 16)
        new += [builder.call(dot, [sums[r * TILE_VECTORS + v], c, four]) for v, c in enumerate(columns)]
    return new


@intrinsic
def transpose_groups(
    typing_context: Any, source: Any, stride: Any, out: Any, out_stride: Any
) -> tuple[Any, Callable[..., Any]]:
    """out[g, c] = source[c, g] + 128 for 16 groups g of four bytes and 16 rows c, by address.

    source: 16 rows of 64 int8, `stride` bytes apart; out: 16 runs of 64 uint8, `out_stride` bytes apart.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, stride, out, out_stride = arguments
        runs = [
            load(builder, builder.add(source, builder.mul(stride, constant(I64, r))), _LANES)
            for r in range(16)
        ]
        # Interleaving run i with run i + 8, four times, is a transposition.
        for _ in range(4):
            runs = [
                shuffle(builder, runs[i], runs[i + 8], [j // 2 + 16 * (j % 2) + 8 * half for j in range(16)])
                for i in range(8)
                for half in range(2)
            ]
        offset = constant(_LANES, 0x80808080)
        for g, run in enumerate(runs):
            store(
                builder,
                builder.xor(run, offset),
                builder.add(out, builder.mul(out_stride, constant(I64, g))),
            )
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), generate


@intrinsic
def look_up_packed(typing_context: Any, packed: Any, table: Any, out: Any) -> tuple[Any, Callable[..., Any]]:
    """64 bytes out[i] = table[code i] of 32 bytes of packed codes, low nibble first; by address.

    table: 16 bytes.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        packed, table, out = arguments
        words = vector(I16, 32)
        pairs = builder.zext(load(builder, packed, vector(I8, 32)), words)
        spread = builder.or_(pairs, builder.shl(pairs, constant(words, 4)))
        codes = builder.bitcast(builder.and_(spread, constant(words, 0x0F0F)), vector(I8, 64))
        store(builder, _look_up(builder, table, codes), out)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), generate


@intrinsic
def look_up_codes(typing_context: Any, codes: Any, table: Any, out: Any) -> tuple[Any, Callable[..., Any]]:
    """64 bytes out[i] = table[codes[i]], codes 0 to 15, by address; table: 16 bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        codes, table, out = arguments
        store(builder, _look_up(builder, table, load(builder, codes, vector(I8, 64))), out)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), generate


def _look_up(builder: Any, table: Any, codes: Any) -> Any:
    bytes_64 = vector(I8, 64)
    entries = load(builder, table, vector(I8, 16))
    repeated = shuffle(builder, entries, entries, [*range(16)] * 4)
    find = function(builder, "llvm.x86.avx512.pshuf.b.512", bytes_64, bytes_64, bytes_64)
    return builder.call(find, [repeated, codes])
