"""Block Hadamard rotations: what is multiplied into the weights so that rotated rows give the same product.

R = H·diag(signs) / sqrt(n) on every block of n channels is orthogonal, so W x = (W R^T)(R x): the
computational invariance that HQ-DiT (arXiv 2405.19751, section 3) takes from QuIP# and QuaRot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.kernels.hadamard import hadamard_blocks


def random_signs(size: int, seed: int, name: str) -> NDArray[np.int8]:
    """int8 (size,) of +1 and -1, drawn once per layer and stored with it; the same for the same arguments."""
    entropy = [seed, *name.encode()]
    draws = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy))).integers(0, 2, size)
    return (1 - 2 * draws).astype(np.int8)


def rotate_columns(matrix: NDArray[np.float64], n: int, signs: NDArray[np.int8]) -> NDArray[np.float64]:
    """matrix · R^T, row by row: (…, K) to (…, K), K a multiple of n.

    The sums of ±elements come first and are exact in float64 for FP16 weights, whatever order a BLAS adds
    them in; only the division by sqrt(n) rounds. So every machine gets the same codes.
    """
    size = matrix.shape[-1]
    if size % n or signs.shape != (size,):
        raise ValueError(f"matrix: {matrix.shape} with signs {signs.shape}, expected K a multiple of n={n}")
    hadamard = hadamard_blocks(np.eye(n, dtype=np.int32), n).astype(np.float64)
    blocks = (matrix * signs).reshape(*matrix.shape[:-1], size // n, n)
    sums: NDArray[np.float64] = blocks @ hadamard.T
    rotated: NDArray[np.float64] = sums.reshape(matrix.shape) / np.sqrt(n)
    return rotated
