"""The steps of the input side on vectors of 16 elements, for AVX-512: align, Hadamard, amax, codes.

Each equals the step of its plain twin (`align.py`, `hadamard.py`, `quantizer.py`) in every bit; its comment
says why. The rows of one call are long enough that only the work per vector counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from fpsim.kernels.simd import (
    FLOAT,
    HALF,
    I8,
    I16,
    I32,
    constant,
    function,
    load,
    shuffle,
    splat,
    store,
    vector,
)

LANES = 16
SYLVESTER = 32  # elements of the transform that runs in two vectors
_INTS, _FLOATS = vector(I32, LANES), vector(FLOAT, LANES)
_ROUND_TO_INTEGER = 1.5 * 2**23  # a float32 sum with it has an integer in its low bits
_NEAREST_EVEN = 8  # the rounding of one instruction, whatever the processor's mode


def _aligned(builder: Any, bits: Any, signs: Any, scale: Any, limit: Any, offset: int) -> Any:
    """16 FP16 numbers as integers: RNE(x · sign · scale), clamped to ±limit if there is one.

    x · 2^(25 + guard_bits - exp) is a float32 number, the conversion rounds it to the nearest even integer,
    and S · 2^(guard_bits + E - exp) is that same number. Beyond the limit lie only numbers of E > exp, which
    a dynamic exponent does not leave.
    """
    halves = load(builder, bits, vector(HALF, LANES), 2 * offset)
    sign = load(builder, signs, _FLOATS, 4 * offset)
    x = builder.fmul(builder.fmul(builder.fpext(halves, _FLOATS), sign), scale)
    if limit is not None:
        for name, bound in (("minnum", limit), ("maxnum", builder.fneg(limit))):
            x = builder.call(function(builder, f"llvm.{name}.v16f32", _FLOATS, _FLOATS, _FLOATS), [x, bound])
    convert = function(builder, "llvm.x86.avx512.mask.cvtps2dq.512", _INTS, _FLOATS, _INTS, I16, I32)
    everywhere = constant(I16, -1)
    return builder.call(convert, [x, constant(_INTS, 0), everywhere, constant(I32, _NEAREST_EVEN)])


def _align_types(limit: Any) -> Any:
    """The signature of the two below; limit is a float32 or None, and None takes no instruction."""
    return types.void(types.intp, types.intp, types.float32, limit, types.intp)


def _scalars(builder: Any, signature: Any, arguments: Any) -> tuple[Any, ...]:
    bits, signs, scale, limit, out = arguments
    bounded = not isinstance(signature.args[3], types.NoneType)
    limits = splat(builder, limit, LANES) if bounded else None
    return bits, signs, splat(builder, scale, LANES), limits, out


@intrinsic
def align_16(
    typing_context: Any, bits: Any, signs: Any, scale: Any, limit: Any, out: Any
) -> tuple[Any, Callable[..., Any]]:
    """16 finite FP16 numbers, times 16 float32 signs, to int32; by address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits, signs, scale, limit, out = _scalars(builder, signature, arguments)
        store(builder, _aligned(builder, bits, signs, scale, limit, 0), out)
        return context.get_dummy_value()

    return _align_types(limit), generate


@intrinsic
def align_sylvester_32(
    typing_context: Any, bits: Any, signs: Any, scale: Any, limit: Any, out: Any
) -> tuple[Any, Callable[..., Any]]:
    """32 finite FP16 numbers, times 32 float32 signs, to int32, and Sylvester(32) of them; by address.

    First the butterflies at distance 16, between the two vectors. Then a step takes the pairs (2j, 2j + 1) to
    their sums at j and differences at 16 + j: butterflies on the lowest bit of the index, which becomes the
    highest. After four, every bit has had its butterfly, and the first one's is the lowest (`_place`).
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits, signs, scale, limit, out = _scalars(builder, signature, arguments)
        low, high = (_aligned(builder, bits, signs, scale, limit, offset) for offset in (0, LANES))
        low, high = builder.add(low, high), builder.sub(low, high)
        for _ in range(4):
            even = shuffle(builder, low, high, range(0, 32, 2))
            odd = shuffle(builder, low, high, range(1, 32, 2))
            low, high = builder.add(even, odd), builder.sub(even, odd)
        store(builder, low, out)
        store(builder, high, out, 64)
        return context.get_dummy_value()

    return _align_types(limit), generate


@intrinsic
def thirty_six_16(
    typing_context: Any, x: Any, width: Any, largest: Any, out: Any
) -> tuple[Any, Callable[..., Any]]:
    """H36 across 36 runs of `width` int32, for 16 columns; the largest magnitudes are kept. By address.

    With pairs (a, b) of runs, u = a + b, v = a - b, `hadamard.py` has the pairs become (C·u + v, C·v - u), C
    bordered by ones with a circulant of +1 at the squares modulo 17 and -1 at the others. Let Q be the sum at
    the squares and T that of all seventeen. Then C·u there is u0 + Q - (T - u - Q), and so
    C·u + v = (u0 - T) + 2 · (Q + a), and C·v - u = (v0 - T) + 2 · (Q - b), with Q and T of v.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width, largest, out = arguments
        run = builder.shl(width, constant(width.type, 2))
        offsets = [builder.mul(run, constant(width.type, i)) for i in range(36)]
        top = load(builder, largest, _INTS)
        for part, combine in enumerate((builder.add, builder.sub)):
            other = builder.sub if part == 0 else builder.add

            def at(i: int) -> Any:
                return load(builder, builder.add(x, offsets[i]), _INTS)

            border, edge = combine(at(0), at(1)), other(at(0), at(1))
            ring = [combine(at(2 * i), at(2 * i + 1)) for i in range(1, 18)]
            total = _sum(builder, ring)
            constant_part = builder.sub(border, total)
            pairs = [builder.add(ring[i], ring[(i + 1) % 17]) for i in range(17)]
            result = builder.add(edge, total) if part == 0 else builder.sub(total, edge)
            for i in range(18):
                if i > 0:
                    terms = [pairs[(i - 1 + s) % 17] for s in (1, 8, 15)]
                    terms += [ring[(i - 1 + s) % 17] for s in (4, 13)]
                    own = combine(_sum(builder, terms), at(2 * i + part))
                    result = builder.add(constant_part, builder.add(own, own))
                store(builder, result, builder.add(out, offsets[2 * i + part]))
                top = _maximum(builder, top, _magnitude(builder, result))
        store(builder, top, largest)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), generate


def _sum(builder: Any, terms: list[Any]) -> Any:
    """Neighbours first, so that the additions do not wait for one another."""
    while len(terms) > 1:
        pairs = [builder.add(*terms[i : i + 2]) for i in range(0, len(terms) - 1, 2)]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0]


def _magnitude(builder: Any, x: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, constant(_INTS, 0)), builder.neg(x), x)


def _maximum(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.icmp_signed(">", x, y), x, y)


def _minimum(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, y), x, y)


def _codes_64(twos_complement: bool, rotated: bool) -> Any:
    """An intrinsic for 64 integers in the order that `align_16` or (rotated) `align_sylvester_32` leaves.

    amp is the amplitude if magnitudes beyond it are to be clamped, else None; see `fast_rows.Buckets`.
    """

    @intrinsic
    def codes_64(
        typing_context: Any, h: Any, amp: Any, to_buckets: Any, bounds: Any, below: Any, out: Any
    ) -> tuple[Any, Callable[..., Any]]:
        clamped = not isinstance(amp, types.NoneType)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            h, amp, to_buckets, bounds, below, out = arguments
            most = splat(builder, builder.trunc(amp, I32), LANES) if clamped else None
            rule = (
                most,
                splat(builder, to_buckets, LANES),
                *(load(builder, x, _INTS) for x in (bounds, below)),
            )
            values = [load(builder, h, _INTS, 64 * i) for i in range(4)]
            packed = (_twos_complement if twos_complement else _sign_and_index)(builder, values, rule)
            codes = builder.bitcast(packed, vector(I8, 64))
            places = [_place(j, rotated) for j in range(64)]
            # Element e of the four vectors is byte e / 16 of lane e % 16.
            order = [4 * (place % 16) + place // 16 for place in places]
            store(builder, shuffle(builder, codes, codes, order), out)
            return context.get_dummy_value()

        most = types.int64 if clamped else types.none
        return types.void(types.intp, most, types.float32, *[types.intp] * 3), generate

    return codes_64


def _place(j: int, rotated: bool) -> int:
    """Where `align_sylvester_32` leaves element j: its index's lower five bits turned by one."""
    return (j & ~31) | ((j & 15) << 1) | ((j >> 4) & 1) if rotated else j


def _find(builder: Any, value: Any, rule: tuple[Any, ...]) -> tuple[Any, Any]:
    """(thresholds below the bucket, bound - magnitude: negative beyond the bucket's threshold)."""
    most, to_buckets, bounds, below = rule
    magnitude = _magnitude(builder, value)
    if most is not None:
        magnitude = _minimum(builder, magnitude, most)
    fused = function(builder, "llvm.fma.v16f32", _FLOATS, _FLOATS, _FLOATS, _FLOATS)
    whole = constant(_FLOATS, _ROUND_TO_INTEGER)
    bucket = builder.bitcast(
        builder.call(fused, [builder.sitofp(magnitude, _FLOATS), to_buckets, whole]), _INTS
    )
    find = function(builder, "llvm.x86.avx512.permvar.si.512", _INTS, _INTS, _INTS)
    bound = builder.call(find, [bounds, bucket])
    return builder.call(find, [below, bucket]), builder.sub(bound, magnitude)


def _sign_and_index(builder: Any, values: list[Any], rule: tuple[Any, ...]) -> Any:
    """Bytes of codes: a sign in bit 3, and an index that is a count plus one bit."""
    counts = bits = constant(_INTS, 0)
    for i, value in enumerate(values):
        below, room = _find(builder, value, rule)
        counts = builder.or_(counts, builder.shl(below, constant(_INTS, 8 * i)))
        for x, bit in ((room, 8 * i), (value, 8 * i + 3)):
            moved = builder.lshr(x, constant(_INTS, 31 - bit))
            bits = builder.or_(bits, builder.and_(moved, constant(_INTS, 1 << bit)))
    return builder.add(counts, bits)


def _twos_complement(builder: Any, values: list[Any], rule: tuple[Any, ...]) -> Any:
    packed = constant(_INTS, 0)
    for i, value in enumerate(values):
        below, room = _find(builder, value, rule)
        index = builder.add(below, builder.lshr(room, constant(_INTS, 31)))
        sign = builder.ashr(value, constant(_INTS, 31))
        code = builder.and_(builder.sub(builder.xor(index, sign), sign), constant(_INTS, 15))
        packed = builder.or_(packed, builder.shl(code, constant(_INTS, 8 * i)))
    return packed


codes_64 = _codes_64(twos_complement=False, rotated=False)
codes_64_rotated = _codes_64(twos_complement=False, rotated=True)
codes_64_twos = _codes_64(twos_complement=True, rotated=False)
codes_64_twos_rotated = _codes_64(twos_complement=True, rotated=True)
