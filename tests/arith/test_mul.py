"""All products of all pairs of operand formats."""

from __future__ import annotations

import itertools

from fpsim.arith.decode import Operand, decode
from fpsim.arith.mul import mul

from .tables import OPERAND_VALUES, OPERANDS


def test_every_product_is_the_product_of_the_tabled_values() -> None:
    cases = 0
    for a_fmt, b_fmt in itertools.product(OPERANDS, repeat=2):
        for a, b in itertools.product(range(16), repeat=2):
            product = mul(decode(a, a_fmt), decode(b, b_fmt))
            expected = OPERAND_VALUES[a_fmt][a] * OPERAND_VALUES[b_fmt][b]
            assert product == expected, f"{a_fmt} code {a} times {b_fmt} code {b}"
            assert -(1 << 13) <= product < 1 << 13, "the port has 14 bits"
            cases += 1
    assert cases == 16 * 256


def test_the_largest_product_is_4096() -> None:
    assert mul(decode(7, "e3m0"), decode(15, "e3m0")) == -4096


def test_minus_zero_times_anything_is_plain_zero() -> None:
    assert mul(Operand(True, 0, 0), Operand(False, 3, 2)) == 0
