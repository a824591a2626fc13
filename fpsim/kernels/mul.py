"""The multiplier as a table of all its products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import Format
from fpsim.kernels import _check
from fpsim.kernels.decode import unit_table


def product_table(a_fmt: str | Format, b_fmt: str | Format) -> NDArray[np.int32]:
    """Every product of two 4-bit codes (rtl/README.md, "mul").

    Args:
        a_fmt, b_fmt: each e2m1, e3m0, e1m2 or int4.

    Returns:
        (16, 16) int32: entry [a, b] is the exact product of the codes a and b, in units of the product of
        the two formats' smallest steps; at most 4096 in magnitude.

    Raises:
        ValueError: another format.
    """
    a = unit_table(_check.operand_format("a_fmt", a_fmt))
    b = unit_table(_check.operand_format("b_fmt", b_fmt))
    return np.multiply.outer(a, b)
