"""The matrix product against numpy's integers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from fpsim.arith.mac_array import mac_array

from .tables import OPERAND_VALUES, OPERANDS, wrapped


@pytest.mark.parametrize(("a_fmt", "b_fmt"), list(itertools.product(OPERANDS, repeat=2)))
def test_it_is_numpys_matmul_modulo_the_register(a_fmt: str, b_fmt: str) -> None:
    rng = np.random.default_rng([OPERANDS.index(a_fmt), OPERANDS.index(b_fmt)])
    a_table, b_table = (np.array(OPERAND_VALUES[fmt], dtype=np.int64) for fmt in (a_fmt, b_fmt))
    cases = 0
    for rows, cols, depth, bits in [
        (1, 1, 1, 26),
        (3, 5, 40, 26),
        (4, 2, 33, 9),
        (2, 3, 7, 40),
        (5, 4, 64, 63),
    ]:
        a, b = rng.integers(0, 16, (rows, depth)), rng.integers(0, 16, (cols, depth))
        expected = wrapped(a_table[a] @ b_table[b].T, bits)
        assert mac_array(a.tolist(), b.tolist(), a_fmt, b_fmt, bits) == expected.tolist()
        cases += expected.size
    assert cases == 1 + 15 + 8 + 6 + 20


def test_26_bits_hold_the_worst_sum_and_25_wrap() -> None:
    row = [[7] * 4608]  # 64 · 64 · 4608
    assert mac_array(row, row, "e3m0", "e3m0", 26) == [[18_874_368]]
    assert mac_array(row, row, "e3m0", "e3m0", 25) == [[18_874_368 - (1 << 25)]]


@pytest.mark.parametrize(
    ("a", "b", "a_fmt", "acc_bits", "message"),
    [
        ([], [[1]], "e2m1", 26, r"a_codes=\[\]: expected at least one row"),
        ([[1]], [], "e2m1", 26, r"b_codes=\[\]: expected at least one row"),
        ([[1, 2]], [[1]], "e2m1", 26, r"b_codes\[0\] has 1 codes: expected K = 2 in every row"),
        ([[1, 2], [1]], [[1, 2]], "e2m1", 26, r"a_codes\[1\] has 1 codes: expected K = 2 in every row"),
        ([[]], [[]], "e2m1", 26, r"a_codes\[0\] has 0 codes: expected K = 1 in every row"),
        ([[1]], [[16]], "e2m1", 26, "code=16: e2m1 has codes 0 to 15"),
        ([[1]], [[1]], "fp16", 26, "a_fmt='fp16': expected e2m1, e3m0, e1m2 or int4"),
        ([[1]], [[1]], "e2m1", 64, "acc_bits=64: expected an integer from 2 to 63"),
    ],
)
def test_other_arguments_are_refused(
    a: Sequence[Sequence[int]], b: Sequence[Sequence[int]], a_fmt: str, acc_bits: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        mac_array(a, b, a_fmt, "e2m1", acc_bits)
