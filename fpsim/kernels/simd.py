"""Vectors in numba's inner loops: pieces of LLVM IR for intrinsics that work on whole vectors.

numba vectorizes plain loops and nothing else; a tile of accumulators in registers, a transposition or a table
in a register it does not find. An intrinsic written with these helpers says them outright. Addresses are
integers, as `address` gives them; nothing checks bounds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
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


@njit(cache=True, nogil=True)
def address(array: Any) -> Any:
    """Where an array begins, as a signed integer (numba adds unsigned and signed ones as float64)."""
    return np.intp(array.ctypes.data)


def aligned_empty(shape: tuple[int, ...], dtype: Any, spare: int = 0) -> NDArray[Any]:
    """An uninitialized array that begins on a vector's boundary, with `spare` bytes behind it."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
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
