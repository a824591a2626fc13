"""Random bits out of a shift register: the sequence of x^31 + x^28 + 1."""

from __future__ import annotations

from typing import NamedTuple

from fpsim.arith.checks import check_int

# ITU-T Recommendation O.150, the pattern of 2^31 - 1 bits: a primitive trinomial.
STATE_BITS = 31
TAP = 28
RESET_STATE = (1 << STATE_BITS) - 1


class Draw(NamedTuple):
    """New bits and what follows them.

    Attributes:
        bits: the next bits of the sequence, the next one lowest.
        state: the register afterwards.
    """

    bits: int
    state: int


def lfsr(state: int, count: int) -> Draw:
    """The next `count` bits of b_n = b_(n-31) + b_(n-28) modulo 2 (rtl/README.md, "lfsr").

    Args:
        state: the last 31 bits of the sequence, the oldest lowest; 1 to 2^31 - 1.
        count: how many bits, at least 1.

    Raises:
        ValueError: an argument out of range. A state of 0 would stay 0 for ever.
    """
    check_int("state", state, 1, RESET_STATE)
    check_int("count", count, 1, None)
    bits = 0
    for place in range(count):
        new = (state ^ state >> (STATE_BITS - TAP)) & 1
        bits |= new << place
        state = state >> 1 | new << (STATE_BITS - 1)
    return Draw(bits, state)
