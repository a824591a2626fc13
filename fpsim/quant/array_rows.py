"""What the array multiplies its weights with: rows after FP16, alignment, rotation and quantization."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import UnitConfig
from fpsim.array.program import StaticScale
from fpsim.array.uniform import refuse_special
from fpsim.formats import get
from fpsim.kernels.decode import decode_operand
from fpsim.kernels.rows import quantize_rows
from fpsim.quant.scales import fp16_bits, top_level


def array_rows(
    name: str,
    rows: NDArray[np.floating],
    unit: UnitConfig,
    *,
    fmt: str,
    signs: NDArray[np.int8] | None = None,
    n: int | None = None,
    static: StaticScale | None = None,
) -> NDArray[np.float64]:
    """The values that quantized rows stand for, by the machine's own units.

    Args:
        name: the layer's name, for errors.
        rows: float (S, K), as the host hands them over.
        unit: the machine.
        fmt: format of the activations.
        signs: int8 (K,), of the rotation; None: rows are not rotated.
        n: block size of the rotation; None without one.
        static: the scale if it is static.

    Returns:
        float64 (S, K): of the rotated rows, 1/sqrt(n) included.
    """
    codes, scale, special = quantize_rows(
        fp16_bits(rows.astype(np.float64), f"{name}: input"),
        guard_bits=unit.guard_bits,
        hadamard_n=None if signs is None else n,
        signs=signs,
        fmt=fmt,
        static=None if static is None else (static.exp, static.amp),
    )
    refuse_special(name, special)
    steps = (scale << np.uint32(13)).view(np.float32).astype(np.float64) / top_level(get(fmt))
    if signs is not None and n is not None:
        steps /= np.sqrt(n)
    values: NDArray[np.float64] = decode_operand(codes, fmt).astype(np.float64) * steps[:, None]
    return values
