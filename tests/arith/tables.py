"""Values typed from the standards and papers, never computed by fpsim."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Magnitudes of codes 0 to 7 in units of the format's smallest step.
# E2M1: OCP Microscaling Formats v1.0, section 5.3.3: 0 .5 1 1.5 2 3 4 6, times two.
# E3M0, E1M2: grids of LLM-FP4 (arXiv 2310.16836, formula of section 3.1) with the smallest step as 1.
LEVELS = {
    "e2m1": (0, 1, 2, 3, 4, 6, 8, 12),
    "e3m0": (0, 1, 2, 4, 8, 16, 32, 64),
    "e1m2": (0, 1, 2, 3, 4, 5, 6, 7),
}
# All 16 codes in order.
OPERAND_VALUES = {
    **{name: levels + tuple(-level for level in levels) for name, levels in LEVELS.items()},
    "int4": (0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1),
}
OPERANDS = tuple(OPERAND_VALUES)


def wrapped(values: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Two's complement of `bits` bits by numpy's shifts: the top bits fall off on the left."""
    gap = 64 - bits
    return (values.astype(np.uint64) << np.uint64(gap)).astype(np.int64) >> gap
