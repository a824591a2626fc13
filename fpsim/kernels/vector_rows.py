"""FP16 rows to integers on vectors, for AVX-512: exponent, alignment, the first Hadamard stages, amax.

Each equals the step of its plain twin (`align.py`, `hadamard.py`, `quantizer.py`) in every bit; its comment
says why. All take addresses: an array handed over for every row would be counted as a reference every time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from fpsim.kernels.simd import (
    FLOAT,
    HALF,
    I16,
    I32,
    I64,
    constant,
    function,
    load,
    loop,
    prefetch,
    shuffle,
    splat,
    store,
    vector,
)

LANES = 16
SYLVESTER = 32  # elements of the transform that runs in two vectors
INTS, FLOATS = vector(I32, LANES), vector(FLOAT, LANES)
_BITS, _FIELDS = vector(I16, LANES), vector(I16, 2 * LANES)
_NEAREST_EVEN = 8  # the rounding of one instruction, whatever the processor's mode


def behind(builder: Any, address: Any, index: Any, size: int) -> Any:
    """The address of element `index` of `size` bytes each."""
    return builder.add(address, builder.mul(index, constant(I64, size)))


def magnitude(builder: Any, x: Any) -> Any:
    """|x| of each lane."""
    return builder.select(builder.icmp_signed("<", x, constant(x.type, 0)), builder.neg(x), x)


def maximum(builder: Any, x: Any, y: Any) -> Any:
    """The larger of each lane, signed."""
    return builder.select(builder.icmp_signed(">", x, y), x, y)


@intrinsic
def largest_exponent(typing_context: Any, bits: Any, count: Any) -> tuple[Any, Callable[..., Any]]:
    """Largest exponent field of `count` times 32 FP16 numbers, at least 1, in place (times 1024)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits, count = arguments

        def body(index: Any, carried: list[Any]) -> list[Any]:
            x = load(builder, behind(builder, bits, index, 64), _FIELDS)
            field = builder.and_(x, constant(_FIELDS, 0x7C00))
            return [maximum(builder, carried[0], field)]

        (top,) = loop(builder, count, [constant(_FIELDS, 0x0400)], body)
        found = builder.call(function(builder, "llvm.vector.reduce.smax.v32i16", I16, _FIELDS), [top])
        return builder.zext(found, I64)

    return types.intp(types.intp, types.intp), generate


@intrinsic
def largest_magnitude(typing_context: Any, x: Any, count: Any) -> tuple[Any, Callable[..., Any]]:
    """Largest magnitude of `count` times 16 int32 above -2^31; at least 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, count = arguments

        def body(index: Any, carried: list[Any]) -> list[Any]:
            values = load(builder, behind(builder, x, index, 64), INTS)
            return [maximum(builder, carried[0], magnitude(builder, values))]

        (top,) = loop(builder, count, [constant(INTS, 0)], body)
        found = builder.call(function(builder, "llvm.vector.reduce.smax.v16i32", I32, INTS), [top])
        return builder.zext(found, I64)

    return types.intp(types.intp, types.intp), generate


def _aligned(builder: Any, bits: Any, flips: Any, scale: Any, limit: Any, offset: int) -> Any:
    """16 FP16 numbers as integers: RNE(±x · scale), clamped to ±limit if there is one.

    x · 2^(25 + guard_bits - exp) is a float32 number, the conversion rounds it to the nearest even integer,
    and S · 2^(guard_bits + E - exp) is that same number. Beyond the limit lie only numbers of E > exp, which
    a dynamic exponent does not leave.
    """
    halves, signs = (load(builder, source, _BITS, 2 * offset) for source in (bits, flips))
    flipped = builder.bitcast(builder.xor(halves, signs), vector(HALF, LANES))
    x = builder.fmul(builder.fpext(flipped, FLOATS), scale)
    if limit is not None:
        for name, bound in (("minnum", limit), ("maxnum", builder.fneg(limit))):
            x = builder.call(function(builder, f"llvm.{name}.v16f32", FLOATS, FLOATS, FLOATS), [x, bound])
    convert = function(builder, "llvm.x86.avx512.mask.cvtps2dq.512", INTS, FLOATS, INTS, I16, I32)
    everywhere = constant(I16, -1)
    return builder.call(convert, [x, constant(INTS, 0), everywhere, constant(I32, _NEAREST_EVEN)])


def _sylvester_32(builder: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Sylvester(32) of two vectors.

    First the butterflies at distance 16, between the two vectors. Then a step takes the pairs (2j, 2j + 1) to
    their sums at j and differences at 16 + j: butterflies on the lowest bit of the index, which becomes the
    highest. After four, every bit has had its butterfly, and the first one's is the lowest (`place`).
    """
    low, high = builder.add(low, high), builder.sub(low, high)
    for _ in range(4):
        even = shuffle(builder, low, high, range(0, 32, 2))
        odd = shuffle(builder, low, high, range(1, 32, 2))
        low, high = builder.add(even, odd), builder.sub(even, odd)
    return low, high


def place(j: int, rotated: bool) -> int:
    """Where `align_sylvester` leaves element j: its index's lower five bits turned by one."""
    return (j & ~31) | ((j & 15) << 1) | ((j >> 4) & 1) if rotated else j


def _align(rotated: bool) -> Any:
    """An intrinsic that aligns a row, and transforms its runs of 32 (rotated)."""

    @intrinsic
    def align(
        typing_context: Any, bits: Any, flips: Any, scale: Any, limit: Any, count: Any, out: Any
    ) -> tuple[Any, Callable[..., Any]]:
        """`count` times 32 finite FP16 numbers, their sign bits flipped by the uint16 of flips, to int32.

        limit is a float32 or None, and None takes no instruction.
        """
        bounded = not isinstance(limit, types.NoneType)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            bits, flips, scale, limit, count, out = arguments
            factor = splat(builder, scale, LANES)
            bound = splat(builder, limit, LANES) if bounded else None

            def body(index: Any, carried: list[Any]) -> list[Any]:
                source, sign, to = (
                    behind(builder, x, index, size) for x, size in ((bits, 64), (flips, 64), (out, 128))
                )
                prefetch(builder, builder.add(source, builder.mul(count, constant(I64, 64))))  # next row
                parts = tuple(_aligned(builder, source, sign, factor, bound, at) for at in (0, LANES))
                low, high = _sylvester_32(builder, *parts) if rotated else parts
                store(builder, low, to)
                store(builder, high, to, 64)
                return []

            loop(builder, count, [], body)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, types.float32, limit, types.intp, types.intp), generate

    return align


align_row = _align(rotated=False)
align_sylvester = _align(rotated=True)
