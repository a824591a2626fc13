"""Hadamard stages between runs of int32 on vectors of 16 columns, for AVX-512; in registers, by address.

Additions of integers commute, and no partial sum below leaves the int32 range or matters where it does:
arithmetic modulo 2^32 ends at the same results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from fpsim.kernels.simd import I64, constant, load, store
from fpsim.kernels.vector_rows import INTS, magnitude, maximum


def _runs(builder: Any, x: Any, width: Any, count: int) -> list[Any]:
    """The addresses of `count` runs of `width` int32."""
    run = builder.shl(width, constant(width.type, 2))
    return [builder.add(x, builder.mul(run, constant(I64, i))) for i in range(count)]


def _butterflies(stages: int) -> Any:
    """An intrinsic for several stages: between 2^stages runs of `width` int32, for 16 columns, in place."""

    @intrinsic
    def butterflies(typing_context: Any, x: Any, width: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            x, width = arguments
            runs = _runs(builder, x, width, 1 << stages)
            values = [load(builder, run, INTS) for run in runs]
            for stage in range(stages):
                for i in range(1 << stages):
                    j = i | 1 << stage
                    if i != j:
                        a, b = values[i], values[j]
                        values[i], values[j] = builder.add(a, b), builder.sub(a, b)
            for run, value in zip(runs, values, strict=True):
                store(builder, value, run)
            return context.get_dummy_value()

        return types.void(types.intp, types.intp), generate

    return butterflies


two_runs = _butterflies(1)
four_runs = _butterflies(2)


@intrinsic
def twelve_runs(typing_context: Any, x: Any, width: Any) -> tuple[Any, Callable[..., Any]]:
    """H12 across 12 runs of `width` int32, for 16 columns, in place.

    `hadamard.py` has run 1 + i become x0 + r_i + Σ_s chi(s) · r_(i-s), r the eleven runs behind x0. Let Q be
    the sum at the squares 1 3 4 5 9 and T that of all eleven: it is (x0 - T) + 2 · (Q + r_i), since
    -(T - r_i - Q) stands at the others. The pairs (0, 1) and (3, 4) are of neighbours.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width = arguments
        runs = _runs(builder, x, width, 12)
        first, *ring = (load(builder, run, INTS) for run in runs)
        pairs = [builder.add(ring[i], ring[(i + 1) % 11]) for i in range(11)]  # r_i + r_(i+1)
        rest = builder.sub(first, total(builder, ring))
        store(builder, rest, runs[0])
        for i in range(11):
            terms = [pairs[(i - s) % 11] for s in (1, 4)] + [ring[(i - s) % 11] for s in (5, 9)]
            own = total(builder, terms)
            store(builder, builder.add(rest, builder.add(own, own)), runs[1 + i])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic
def thirty_six_runs(
    typing_context: Any, x: Any, width: Any, largest: Any, out: Any
) -> tuple[Any, Callable[..., Any]]:
    """H36 across 36 runs of `width` int32, for 16 columns; the largest magnitudes are kept.

    With pairs (a, b) of runs, u = a + b, v = a - b, `hadamard.py` has the pairs become (C·u + v, C·v - u), C
    bordered by ones with a circulant of +1 at the squares modulo 17 and -1 at the others. Let Q be the sum at
    the squares and T that of all seventeen. Then C·u there is u0 + Q - (T - u - Q), and so
    C·u + v = (u0 - T) + 2 · (Q + a), and C·v - u = (v0 - T) + 2 · (Q - b), with Q and T of v.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, width, largest, out = arguments
        sources, targets = (_runs(builder, address, width, 36) for address in (x, out))
        top = load(builder, largest, INTS)
        for part, combine in enumerate((builder.add, builder.sub)):
            other = builder.sub if part == 0 else builder.add

            def at(i: int) -> Any:
                return load(builder, sources[i], INTS)

            border, edge = combine(at(0), at(1)), other(at(0), at(1))
            ring = [combine(at(2 * i), at(2 * i + 1)) for i in range(1, 18)]
            whole = total(builder, ring)
            constant_part = builder.sub(border, whole)
            pairs = [builder.add(ring[i], ring[(i + 1) % 17]) for i in range(17)]
            result = builder.add(edge, whole) if part == 0 else builder.sub(whole, edge)
            for i in range(18):
                if i > 0:
                    terms = [pairs[(i - 1 + s) % 17] for s in (1, 8, 15)]
                    terms += [ring[(i - 1 + s) % 17] for s in (4, 13)]
                    own = combine(total(builder, terms), at(2 * i + part))
                    result = builder.add(constant_part, builder.add(own, own))
                store(builder, result, targets[2 * i + part])
                top = maximum(builder, top, magnitude(builder, result))
        store(builder, top, largest)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), generate


def total(builder: Any, terms: list[Any]) -> Any:
    """Neighbours first, so that the additions do not wait for one another."""
    while len(terms) > 1:
        pairs = [builder.add(*terms[i : i + 2]) for i in range(0, len(terms) - 1, 2)]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0]
