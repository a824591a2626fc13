"""Vectors in numba's inner loops: pieces of LLVM IR for intrinsics that work on whole vectors.

numba vectorizes plain loops and nothing else; a tile of accumulators in registers, a transposition or a table
in a register it does not find. An intrinsic written with these helpers says them outright. Addresses are
integers, as `address` gives them; nothing checks bounds.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import config, njit
from numba.core.cgutils import ir
from numba.core.codegen import get_host_cpu_features
from numpy.typing import NDArray

I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
FLOAT, DOUBLE, HALF = ir.FloatType(), ir.DoubleType(), ir.HalfType()
VECTOR_BYTES = 64
_NEEDED = ("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512vnni", "f16c")


@cache
def _compiled_for_avx512() -> bool:
    """Whether numba compiles for a CPU with AVX-512 VNNI (it may be told to compile for a lesser one)."""
    if config.DISABLE_JIT:
        return False
    features = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES
    return {f"+{name}" for name in _NEEDED} <= set(features.split(","))


def avx512_in_use() -> bool:
    """Whether the 512-bit ways are taken: the instructions are there and FPSIM_AVX512 is not 0."""
    return os.environ.get("FPSIM_AVX512", "1") != "0" and _compiled_for_avx512()


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def address(array: Any) -> Any:
    """Where an array begins, as a signed integer (numba adds unsigned and signed ones as float64)."""
    return np.intp(array.ctypes.data)


def aligned_empty(shape: tuple[int, ...], dtype: Any, spare: int = 0) -> NDArray[Any]:
    """An uninitialized array that begins on a vector's boundary, with `spare` bytes behind it."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + spare + VECTOR_BYTES, np.uint8)
    begin = -room.ctypes.data % VECTOR_BYTES
    array: NDArray[Any] = room[begin : begin + size].view(dtype).reshape(shape)
    return array


def vector(element: Any, lanes: int) -> Any:
    """The type of `lanes` elements."""
    return ir.VectorType(element, lanes)


def constant(kind: Any, values: Any) -> Any:
    """A constant; of a vector type, one value for every lane or a list of them."""
    one_for_all = isinstance(kind, ir.VectorType) and not isinstance(values, Sequence | type(ir.Undefined))
    return ir.Constant(kind, [values] * kind.count if one_for_all else values)


def pointer(builder: Any, address: Any, kind: Any, offset: int = 0) -> Any:
    """A pointer to `kind`, `offset` bytes behind an integer address."""
    moved = builder.add(address, constant(I64, offset)) if offset else address
    return builder.inttoptr(moved, kind.as_pointer())


def load(builder: Any, address: Any, kind: Any, offset: int = 0) -> Any:
    """A value or vector, whatever its alignment."""
    return builder.load(pointer(builder, address, kind, offset), align=1)


def store(builder: Any, value: Any, address: Any, offset: int = 0) -> None:
    """Write a value or vector, whatever the alignment."""
    builder.store(value, pointer(builder, address, value.type, offset), align=1)


def prefetch(builder: Any, address: Any) -> None:
    """Ask for a cache line to be read soon; any address will do."""
    line = builder.inttoptr(address, I8.as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [line.type, I32, I32, I32])
    ask = builder.module.declare_intrinsic("llvm.prefetch", (line.type,), kind)
    builder.call(ask, [line, *(constant(I32, x) for x in (0, 3, 1))])  # to read, to keep near, data


def splat(builder: Any, scalar: Any, lanes: int) -> Any:
    """The scalar in every lane."""
    kind = vector(scalar.type, lanes)
    first = builder.insert_element(constant(kind, ir.Undefined), scalar, constant(I32, 0))
    return shuffle(builder, first, first, [0] * lanes)


def shuffle(builder: Any, x: Any, y: Any, lanes: Iterable[int]) -> Any:
    """A vector of lanes of x (from 0 on) and y (behind those of x)."""
    indices = list(lanes)
    return builder.shuffle_vector(x, y, constant(vector(I32, len(indices)), indices))


def function(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """An LLVM intrinsic by name."""
    return builder.module.declare_intrinsic(name, (), ir.FunctionType(result, arguments))


def loop(
    builder: Any, count: Any, first: Sequence[Any], body: Callable[[Any, list[Any]], Sequence[Any]]
) -> list[Any]:
    """Values carried in registers through body(index, values), for index from 0 to count - 1.

    count, index: 64-bit integers. A count below 1 leaves the first values.
    """
    before = builder.block
    again, done = builder.append_basic_block("again"), builder.append_basic_block("done")
    builder.cbranch(builder.icmp_signed(">", count, constant(I64, 0)), again, done)
    builder.position_at_end(again)
    index = builder.phi(I64)
    carried = [builder.phi(x.type) for x in first]
    new = body(index, carried)
    following = builder.add(index, constant(I64, 1))
    end = builder.block
    builder.cbranch(builder.icmp_signed("<", following, count), again, done)
    index.add_incoming(constant(I64, 0), before)
    index.add_incoming(following, end)
    builder.position_at_end(done)
    results = [builder.phi(x.type) for x in first]
    for start, value, changed, result in zip(first, carried, new, results, strict=True):
        value.add_incoming(start, before)
        value.add_incoming(changed, end)
        result.add_incoming(start, before)
        result.add_incoming(changed, end)
    return results
