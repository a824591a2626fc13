"""Bits of integers, for the inner loops."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def bit_length(value: int) -> int:
    """Bits of an integer from 0 to 2^53; 0 for 0.

    A float64 holds such an integer exactly, and its exponent field is 1023 + floor(log2); 0 for zero.
    """
    return max(int(np.float64(value).view(np.int64) >> 52) - 1022, 0)
