"""Block Hadamard rotations: what is multiplied into the weights so that rotated rows give the same product.

R = H·diag(signs) / sqrt(n) on every block of n channels is orthogonal, so W x = (W R^T)(R x): the
computational invariance that HQ-DiT (arXiv 2405.19751, section 3) takes from QuIP# and QuaRot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.kernels.hadamard import hadamard_blocks

FIXED_BITS = 48  # of a weight when it is rotated; FP16 numbers need 40, and 4608 sums add 13 more


def random_signs(size: int, seed: int, name: str) -> NDArray[np.int8]:
    """int8 (size,) of +1 and -1, drawn once per layer and stored with it; the same for the same arguments."""
    entropy = [seed, *name.encode()]
    draws = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy))).integers(0, 2, size)
    return (1 - 2 * draws).astype(np.int8)


def largest_transform(size: int) -> int:
    """The largest n = 2^k, 12 · 2^k or 36 · 2^k that divides `size`: of 96, 96; of 384, 384; of 80, 16."""
    power = size & -size
    odd = size // power
    factor = 9 if odd % 9 == 0 and power >= 4 else 3 if odd % 3 == 0 and power >= 4 else 1
    return factor * power


def rotate_columns(matrix: NDArray[np.float64], n: int, signs: NDArray[np.int8]) -> NDArray[np.float64]:
    """matrix · R^T, row by row: (…, K) to (…, K), K a multiple of n.

    The elements are rounded to fixed point, 48 bits below the largest magnitude (FP16 weights are unchanged),
    and the sums of ±elements are integers: exact in any order. So every machine gets the same codes.

    Args:
        matrix: float64 (…, K), finite.
        n: block size, 2^k, 12 · 2^k or 36 · 2^k up to 4608.
        signs: int8 (K,) of +1 and -1.
    """
    size = matrix.shape[-1]
    if size % n or signs.shape != (size,):
        raise ValueError(f"matrix: {matrix.shape} with signs {signs.shape}, expected K a multiple of n={n}")
    if not np.isfinite(matrix).all():
        raise ValueError("matrix: expected finite values")
    exponent = int(np.frexp(np.abs(matrix).max())[1]) - FIXED_BITS
    fixed = np.rint(np.ldexp(matrix, -exponent)).astype(np.int64).reshape(-1, size)
    sums = hadamard_blocks(fixed, n, signs).reshape(matrix.shape)
    rotated: NDArray[np.float64] = np.ldexp(sums.astype(np.float64), exponent) / np.sqrt(n)
    return rotated
