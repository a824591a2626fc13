"""Integers to 4-bit codes on vectors, for AVX-512: a magnitude's bucket, and one comparison inside it.

Each code equals the one of `quantizer.py` in every bit; `Buckets` and `_bounds` say why.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels.quantizer import _rule
from fpsim.kernels.simd import (
    DOUBLE,
    I8,
    I32,
    constant,
    function,
    load,
    loop,
    shuffle,
    splat,
    store,
    vector,
)
from fpsim.kernels.vector_rows import FLOATS, INTS, LANES, behind, magnitude, place

WIDTH = 14.4  # buckets
_NEVER = (1 << 31) - 1  # a bound that no magnitude passes
_MAGIC = 0x4B400000  # 1.5 · 2^23 as float32: a sum with it has an integer in its low bits
_BYTES, _EIGHT = vector(I8, 64), vector(DOUBLE, 8)
_RULE = np.dtype(
    [
        ("sums", "<f8", 8),
        ("ups", "<f8", 8),
        ("divisor", "<f8", 8),
        ("ties_up", "<i4", 8),
        ("lane", "<i4", 16),
        ("below", "u1", 16),
        ("codes", "u1", 16),
    ]
)


class Buckets(NamedTuple):
    """The seven thresholds of a format in buckets of equal width, at most one in each and none in the first.

    The amplitude is 14.4 buckets wide, and a magnitude falls into the nearest bucket. Every threshold keeps a
    tenth of a bucket from the buckets' ends, far more than float32 loses, so the one comparison with the
    bucket's bound decides: index `below`, or one more beyond the bound.

    Attributes:
        of_threshold: (7,) int64, the bucket of each threshold.
        below: (16,) uint8, by bucket, how many thresholds lie in the buckets before it.
    """

    of_threshold: NDArray[np.int64]
    below: NDArray[np.uint8]


@cache
def buckets(fmt: Format) -> Buckets | None:
    """The buckets of a format; None where they do not part its thresholds (E3M0)."""
    sums, _, divisor, _ = _rule(fmt)
    places = sums / divisor * WIDTH
    nearest = np.rint(places).astype(np.int64)
    if np.unique(nearest).size < 7 or nearest.min() < 1 or np.abs(places - nearest).max() > 0.4 + 1e-9:
        return None
    below = (nearest[None, :] < np.arange(LANES)[:, None]).sum(axis=1).astype(np.uint8)
    return Buckets(nearest, below)


@cache
def rule(fmt: Format) -> NDArray[Any]:
    """What `codes_of` needs to know of a format that has buckets: one record, to be handed over by address.

    An eighth threshold is never passed: it fills the buckets without one.
    """
    found = buckets(fmt)
    assert found is not None
    sums, ties_up, divisor, twos_complement = _rule(fmt)
    record = np.zeros(1, _RULE)
    record["sums"][0, :7] = sums
    record["ups"][0] = [*(ties_up * (divisor - 1)), _NEVER * divisor]
    record["divisor"] = divisor
    record["ties_up"][0, :7] = ties_up
    record["lane"] = 7
    record["lane"][0, found.of_threshold] = np.arange(7)
    record["below"] = found.below
    record["codes"] = [(16 - i + 8) % 16 if twos_complement and i > 7 else i for i in range(16)]
    return record


def _field(builder: Any, rule: Any, name: str, kind: Any) -> Any:
    fields = _RULE.fields
    assert fields is not None
    return load(builder, rule, kind, fields[name][1])


def _bounds(builder: Any, amp: Any, rule: Any) -> Any:
    """Integer bounds as in `_quantize_row`, by bucket.

    The quotients of float64 have the right floor: below 2^36, a fraction of a denominator of at most 128 lies
    further from an integer above it than the division loses. An amplitude of 0 leaves every magnitude in the
    first bucket, which has no threshold.
    """
    factor = splat(builder, builder.sitofp(amp, DOUBLE), 8)
    sums, ups, divisor = (_field(builder, rule, name, _EIGHT) for name in ("sums", "ups", "divisor"))
    quotients = builder.fdiv(builder.fadd(builder.fmul(sums, factor), ups), divisor)
    eight = vector(I32, 8)
    bounds = builder.sub(builder.fptosi(quotients, eight), _field(builder, rule, "ties_up", eight))
    twice = shuffle(builder, bounds, bounds, range(16))
    find = function(builder, "llvm.x86.avx512.permvar.si.512", INTS, INTS, INTS)
    return builder.call(find, [twice, _field(builder, rule, "lane", INTS)])


def _look_up(builder: Any, table: Any, indices: Any) -> Any:
    """64 bytes of a table of 16, by indices below 16."""
    repeated = shuffle(builder, table, table, [*range(16)] * 4)
    find = function(builder, "llvm.x86.avx512.pshuf.b.512", _BYTES, _BYTES, _BYTES)
    return builder.call(find, [repeated, indices])


def _codes(rotated: bool) -> Any:
    """An intrinsic for integers in the order that `align_row` or (rotated) `align_sylvester` leaves."""

    @intrinsic
    def codes_of(
        typing_context: Any, h: Any, count: Any, amp: Any, most: Any, to_buckets: Any, rule: Any, out: Any
    ) -> tuple[Any, Callable[..., Any]]:
        """`count` times 64 integers to codes, one a byte, in the row's own order.

        most: None, or the magnitude that larger ones are clamped to; to_buckets: float32(WIDTH / amp), or 0.
        """
        clamped = not isinstance(most, types.NoneType)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            h, count, amp, most, to_buckets, rule, out = arguments
            limit = splat(builder, builder.trunc(most, I32), LANES) if clamped else None
            factor, bounds = splat(builder, to_buckets, LANES), _bounds(builder, amp, rule)
            below, names = (_field(builder, rule, x, vector(I8, 16)) for x in ("below", "codes"))

            def body(index: Any, carried: list[Any]) -> list[Any]:
                source = behind(builder, h, index, 256)
                values = [load(builder, source, INTS, 64 * i) for i in range(4)]
                found, bits = _find(builder, values, limit, factor, bounds)
                counts = _look_up(builder, below, found)
                codes = _look_up(builder, names, builder.add(counts, bits))
                # Element e of the four vectors is byte e / 16 of lane e % 16.
                places = [place(j, rotated) for j in range(64)]
                order = [4 * (at % 16) + at // 16 for at in places]
                store(builder, shuffle(builder, codes, codes, order), behind(builder, out, index, 64))
                return []

            loop(builder, count, [], body)
            return context.get_dummy_value()

        arguments = types.intp, types.intp, types.int64, most, types.float32, types.intp, types.intp
        return types.void(*arguments), generate

    return codes_of


def _find(builder: Any, values: list[Any], limit: Any, factor: Any, bounds: Any) -> tuple[Any, Any]:
    """Bytes of four vectors: buckets; a sign in bit 3 and, in bit 0, whether the bucket's bound is passed."""
    fused = function(builder, "llvm.fma.v16f32", FLOATS, FLOATS, FLOATS, FLOATS)
    find = function(builder, "llvm.x86.avx512.permvar.si.512", INTS, INTS, INTS)
    buckets = constant(INTS, _MAGIC ^ (_MAGIC << 8) & 0xFFFFFFFF ^ (_MAGIC << 16) & 0xFFFFFFFF)
    bits = constant(INTS, 0)
    magic = builder.bitcast(constant(INTS, _MAGIC), FLOATS)
    for i, value in enumerate(values):
        size = magnitude(builder, value)
        if limit is not None:
            size = builder.select(builder.icmp_signed("<", size, limit), size, limit)
        bucket = builder.bitcast(builder.call(fused, [builder.sitofp(size, FLOATS), factor, magic]), INTS)
        room = builder.sub(builder.call(find, [bounds, bucket]), size)
        buckets = builder.xor(buckets, builder.shl(bucket, constant(INTS, 8 * i)))
        for x, bit in ((room, 8 * i), (value, 8 * i + 3)):
            moved = builder.lshr(x, constant(INTS, 31 - bit))
            bits = builder.or_(bits, builder.and_(moved, constant(INTS, 1 << bit)))
    return builder.bitcast(buckets, _BYTES), builder.bitcast(bits, _BYTES)


codes_row = _codes(rotated=False)
codes_sylvester = _codes(rotated=True)
