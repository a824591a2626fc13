"""Dot products of integers in groups, each under two scales, summed in float32, on arrays.

Operands come as code − zero: the zero-point corrections are exact integers, so they may as well be made
before the products. A group's sum is an exact float32 while group · A · B <= 2^24, A and B the largest
magnitudes of the two sides (8-bit codes without sign: 255 · 255 · 128 < 2^23). Scales are FP16 numbers: a
product with two of them is 0 or at least 2^-48 and below 2^56, so no float32 operation meets a subnormal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.kernels import _check
from fpsim.kernels.float32_sums import by_scaled_blocks

_FLOAT32_EXACT = 1 << 24
LEVEL_MAX = 255


def longest_group(a_max: int, b_max: int) -> int:
    """The longest group whose sums are float32 numbers, for operands of at most these magnitudes."""
    return _FLOAT32_EXACT // (a_max * b_max)


def dot_group(
    a: NDArray[np.float32],
    a_scale: NDArray[np.float32],
    b_by_k: NDArray[np.float32],
    b_scale_by_group: NDArray[np.float32],
    group: int,
) -> NDArray[np.float32]:
    """acc ← float32(acc + float32(float32(dot · a_scale) · b_scale)), groups in order, from +0.

    Args:
        a: (M, K) float32 integers, code − zero, within ±255.
        a_scale: (M, G) float32, positive FP16 numbers, G = ceil(K / group).
        b_by_k: (K, N) float32 integers within ±255.
        b_scale_by_group: (G, N) float32, positive FP16 numbers.
        group: 1 to 258 elements; a last one may be shorter.

    Returns:
        (M, N) float32.

    Raises:
        ValueError: another dtype or shape, or a group that is too long.
    """
    size = _check.integer("group", group, 1, longest_group(LEVEL_MAX, LEVEL_MAX))
    left = _check.array("a", a, "float32", 2)
    right = _check.array("b_by_k", b_by_k, "float32", 2)
    groups = -(-left.shape[1] // size)
    scales = _check.array("a_scale", a_scale, "float32", 2)
    others = _check.array("b_scale_by_group", b_scale_by_group, "float32", 2)
    for name, found, expected in (
        ("b_by_k", right.shape, (left.shape[1], right.shape[1])),
        ("a_scale", scales.shape, (left.shape[0], groups)),
        ("b_scale_by_group", others.shape, (groups, right.shape[1])),
    ):
        if found != expected:
            raise ValueError(f"{name}.shape={found}: expected {expected}")
    return by_scaled_blocks(left, right, scales, others, size)
