"""Checks of a program's fields, in one wording."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

FP16_MAGNITUDE, FP16_INFINITY = np.uint16(0x7FFF), 0x7C00


def check_array(field: str, array: NDArray[np.generic], dtype: DTypeLike, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the array has that dtype and shape."""
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{field}: {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}")


def check_matrix(field: str, array: NDArray[np.generic], dtype: DTypeLike) -> tuple[int, int]:
    """The shape (N, K) of a matrix of that dtype, else a ValueError."""
    if array.ndim != 2 or array.dtype != dtype or not array.shape[1]:
        raise ValueError(f"{field}: {array.dtype} {array.shape}, expected {np.dtype(dtype)} (N, K)")
    n, k = array.shape
    return n, k


def check_finite_fp16(field: str, bits: NDArray[np.uint16]) -> None:
    """Raise ValueError unless all FP16 bits are finite."""
    if bits.size and int((bits & FP16_MAGNITUDE).max()) >= FP16_INFINITY:
        raise ValueError(f"{field}: expected finite FP16 bits")
