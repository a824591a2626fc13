"""The jobs of formats and rotation: casting, and the input side of DiT-XL's layers with its full Hadamard."""

from __future__ import annotations

import numpy as np

from fpsim.bench.measure import Comparison, compare
from fpsim.kernels.cast import encode
from fpsim.kernels.rows import quantize_rows


def cast_16m_to_e2m1(elements: int = 1 << 24) -> Comparison:
    """16 Mi float32 values to E2M1 codes, nearest even, against ml_dtypes."""
    try:
        import ml_dtypes
    except ImportError:
        raise RuntimeError('ml_dtypes is missing; type: pip install "fpsim[dev]"') from None
    x = np.random.default_rng(3).standard_normal(elements).astype(np.float32) * 3
    return compare(
        f"cast {elements >> 20} Mi float32 to E2M1 codes",
        "ml_dtypes",
        lambda: encode(x, "e2m1"),
        lambda: x.astype(ml_dtypes.float4_e2m1fn),
        work=x.size,
        unit="elements/s",
    )


def hadamard_1152(rows: int = 4096) -> Comparison:
    """FP16 rows of 1152: align, Hadamard 36 · 32, per-token scale, codes; against a copy of those bytes."""
    x = np.random.default_rng(4).standard_normal((rows, 1152)).astype(np.float16).view(np.uint16)
    signs = np.random.default_rng(5).choice(np.array([-1, 1], np.int8), 1152)
    return compare(
        f"align, Hadamard 1152, quantize {rows} rows of 1152",
        "numpy copy",
        lambda: quantize_rows(x, guard_bits=4, hadamard_n=1152, signs=signs, fmt="e2m1"),
        x.copy,
        work=x.size,
        unit="elements/s",
    )


FORMAT_JOBS = (cast_16m_to_e2m1, hadamard_1152)
