"""The shift register: scipy's sequence of maximal length, and the period out of the register's own steps."""

from __future__ import annotations

import pytest
from scipy.signal import max_len_seq

from fpsim.arith.lfsr import RESET_STATE, STATE_BITS, lfsr

PERIOD = 2**31 - 1  # a prime, by Euler

Matrix = list[int]  # column i: the state after a step from the state with bit i alone


def times(a: Matrix, state: int) -> int:
    """Matrix times vector modulo 2."""
    result = 0
    for i, column in enumerate(a):
        if state >> i & 1:
            result ^= column
    return result


def power(a: Matrix, exponent: int) -> Matrix:
    """The matrix's power, by squaring."""
    result = [1 << i for i in range(len(a))]
    while exponent:
        if exponent & 1:
            result = [times(a, column) for column in result]
        a = [times(a, column) for column in a]
        exponent >>= 1
    return result


def rank(columns: Matrix) -> int:
    """Rank modulo 2, by elimination."""
    found: list[int] = []
    for column in columns:
        for basis in found:
            column = min(column, column ^ basis)
        if column:
            found.append(column)
    return len(found)


STEP = [lfsr(1 << i, 1).state for i in range(STATE_BITS)]
IDENTITY = [1 << i for i in range(STATE_BITS)]


def test_every_state_but_zero_comes_back_after_the_longest_period_and_not_before() -> None:
    """The step's order divides a prime, and no state but zero stays where it is."""
    assert all(PERIOD % divisor for divisor in range(2, 46341))  # 46341^2 > 2^31 - 1
    assert power(STEP, PERIOD) == IDENTITY
    assert rank([a ^ b for a, b in zip(STEP, IDENTITY, strict=True)]) == STATE_BITS


@pytest.mark.parametrize("bits", [8, 256, 1000])
def test_steps_of_many_bits_have_the_same_period(bits: int) -> None:
    jump = [lfsr(1 << i, bits).state for i in range(STATE_BITS)]
    assert jump == power(STEP, bits)
    assert power(jump, PERIOD) == IDENTITY
    assert rank([a ^ b for a, b in zip(jump, IDENTITY, strict=True)]) == STATE_BITS


def test_it_is_scipys_sequence_of_maximal_length_read_backwards() -> None:
    """scipy's register of 31 bits has the reciprocal polynomial: the same sequence in reverse."""
    backwards = max_len_seq(31, length=20_000)[0][::-1]
    state = sum(int(bit) << place for place, bit in enumerate(backwards[:31]))
    bits = lfsr(state, 20_000 - 31).bits
    assert [bits >> i & 1 for i in range(20_000 - 31)] == backwards[31:].tolist()


def test_a_draw_continues_where_the_last_one_ended() -> None:
    whole = lfsr(RESET_STATE, 100)
    first = lfsr(RESET_STATE, 37)
    second = lfsr(first.state, 63)
    assert whole.bits == first.bits | second.bits << 37
    assert whole.state == second.state == whole.bits >> 69


@pytest.mark.parametrize(("state", "count", "name"), [(0, 1, "state"), (2**31, 1, "state"), (1, 0, "count")])
def test_bad_arguments_are_refused(state: int, count: int, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}=.*: expected an integer"):
        lfsr(state, count)
