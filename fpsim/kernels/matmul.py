"""Matrix products of codes under a stated accumulator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import Accumulator, Format
from fpsim.kernels.mac_array import mac_array


def matmul(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    *,
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc: Accumulator,
) -> NDArray[np.int64]:
    """out[m, n] = sum over k of a[m, k] · b[n, k], added as acc says.

    Args:
        a: (M, K) uint8 codes, one per element.
        b: (N, K) uint8 codes: row n holds the weights of output n.
        a_fmt, b_fmt: operand formats without NaN and Inf, at most 8 bits, such as e2m1, e3m0, e1m2, e2m3,
            e3m2, int4, int8; a Format or its name. They may differ.
        acc: Accumulator.exact(bits, overflow).

    Returns:
        (M, N) int64 in units of the product of the two formats' smallest steps (E2M1 times E2M1: quarters).

    Raises:
        ValueError: another dtype, shape, format or accumulator, or a code out of the format's range.

    Example:
        >>> import numpy as np
        >>> from fpsim.formats import Accumulator
        >>> three = np.array([[5, 5]], np.uint8)  # two E2M1 codes of value 3
        >>> matmul(three, three, a_fmt="e2m1", b_fmt="e2m1", acc=Accumulator.exact())
        array([[72]])
    """
    if not isinstance(acc, Accumulator):
        raise ValueError(f"acc={acc!r}: expected an Accumulator, such as Accumulator.exact(bits=32)")
    return mac_array(a, b, a_fmt, b_fmt, acc.bits, acc.overflow)
