"""Casting: the tie rule of E3M0 and stochastic rounding, case by case."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fpsim.arith.cast import encode

F = Fraction


def test_e3m0_ties() -> None:
    ties = [F(1, 2), F(3, 2), 3, 6, 12, 24, 48, 96]
    assert [encode(x, "e3m0", e3m0_tie="code_even") for x in ties] == [0, 2, 2, 4, 4, 6, 6, 7]
    assert [encode(x, "e3m0") for x in ties] == [0, 2, 3, 4, 5, 6, 7, 7]
    assert [encode(x, "e3m0", e3m0_tie="torch") for x in ties] == [0, 2, 3, 4, 5, 6, 7, 7]
    assert [encode(-x, "e3m0", e3m0_tie="torch") for x in ties] == [8, 10, 11, 12, 13, 14, 15, 15]
    for x in (F(1, 4), F(5, 4), F(7, 4), F(5, 2), F(7, 2)):
        assert encode(x, "e3m0") == encode(x, "e3m0", e3m0_tie="code_even")
    assert [encode(x, "e2m1", e3m0_tie="code_even") for x in (F(5, 4), F(7, 4))] == [2, 4]


@pytest.mark.parametrize(
    ("fmt", "low", "high"),
    [("e2m1", 4, 6), ("e2m1", 0, F(1, 2)), ("fp16", 1, 1 + F(1, 1024)), ("int4", 3, 4), ("e8m0", 8, 16)],
)
def test_stochastic_rounding_goes_up_in_proportion(fmt: str, low: Fraction, high: Fraction) -> None:
    nbits = 4
    for sign in (1,) if fmt == "e8m0" else (1, -1):
        down = encode(F(sign * low), fmt, negative_zero=low == 0 and sign < 0)
        up = encode(F(sign * high), fmt)
        for eighths in range(1, 8 * 16):  # frac · 2^nbits in steps of 1/8: the floor drops the rest
            x = sign * (low + (high - low) * F(eighths, 8 * 16))
            codes = [encode(x, fmt, rounding="stochastic", random_bits=(v, nbits)) for v in range(16)]
            ups = eighths // 8
            assert codes == [down] * (16 - ups) + [up] * ups, f"x={x}"


def test_stochastic_rounding_leaves_exact_values_and_saturates() -> None:
    assert encode(4, "e2m1", rounding="stochastic", random_bits=(255, 8)) == 6
    assert encode(7, "e2m1", rounding="stochastic", random_bits=(255, 8), overflow="saturate") == 7
    with pytest.raises(ValueError, match="outside the range"):
        encode(7, "e2m1", rounding="stochastic", random_bits=(128, 8), overflow="error")
    assert encode(7, "e2m1", rounding="stochastic", random_bits=(127, 8), overflow="error") == 7
