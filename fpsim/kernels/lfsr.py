"""Random words of the shift register x^31 + x^28 + 1."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.kernels import _check

_STATE_MAX = (1 << 31) - 1
_WORD_BITS_MAX = 32


@njit(cache=True, nogil=True)
def _fill(state: int, bits: int, out: NDArray[np.uint32]) -> int:
    """Words of `bits` bits into out; returns the register after them."""
    for i in range(out.shape[0]):
        word = 0
        for place in range(bits):
            new = (state ^ (state >> 3)) & 1
            word |= new << place
            state = (state >> 1) | (new << 30)
        out[i] = word
    return state


def lfsr_words(state: int, words: int, bits: int) -> tuple[NDArray[np.uint32], int]:
    """The next words of the sequence (rtl/README.md, "lfsr").

    Args:
        state: the register, 1 to 2^31 - 1.
        words: how many, at least 0.
        bits: of each word, 1 to 32; the sequence's next bit lowest.

    Returns:
        ((words,) uint32, the register afterwards).

    Raises:
        ValueError: an argument out of range.
    """
    start = _check.integer("state", state, 1, _STATE_MAX)
    out = np.empty(_check.integer("words", words, 0, 1 << 40), np.uint32)
    after = _fill(start, _check.integer("bits", bits, 1, _WORD_BITS_MAX), out)
    return out, int(after)
