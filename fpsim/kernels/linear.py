"""A layer's product and its epilogue, from prepared operands to FP16."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.kernels import _check, tiles
from fpsim.kernels.decode import max_units
from fpsim.kernels.epilogue import checked_scales, epilogue
from fpsim.kernels.mac_array import mac_array_decoded
from fpsim.kernels.prepared import Prepared


def linear(
    a: Prepared,
    b: Prepared,
    acc_bits: int,
    row_scale: NDArray[np.uint32],
    col_scale: NDArray[np.uint32],
    bias: NDArray[np.uint16],
) -> NDArray[np.uint16]:
    """`epilogue` of the products of prepared operands in a wrapping register, in one pass where that is fast.

    Args:
        a, b: (M, K) and (N, K).
        acc_bits: 2 to 63; where a sum can pass 2^40, `epilogue` refuses it.
        row_scale, col_scale, bias: (M,), (N,), (N,), as in `epilogue`.

    Returns:
        (M, N) uint16 FP16 bits.

    Raises:
        ValueError: an argument outside of the above, or a code out of range.
    """
    bits = _check.integer("acc_bits", acc_bits, 2, 63)
    max_product = max_units(a.fmt) * max_units(b.fmt)
    if a.shape[1] == b.shape[1] and tiles.scalable(a, b, max_product):
        scales = checked_scales(row_scale, col_scale, bias, (a.shape[0], b.shape[0]))
        scaling = tiles.Scaling(*scales)
        if scaling.exact:
            return tiles.outputs(a, b, bits, scaling)
    return epilogue(mac_array_decoded(a, b, a.fmt, b.fmt, bits), row_scale, col_scale, bias)
