"""The law and the kernels of the multiplier array, on the same codes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim.arith import mac_array as law_mac_array
from fpsim.arith.accumulate import accumulate
from fpsim.arith.decode import decode
from fpsim.arith.mul import mul
from fpsim.formats import Accumulator
from fpsim.kernels.decode import decode_units
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.mul import product_table

OPERANDS = ("e2m1", "e3m0", "e1m2", "int4")
PAIRS = list(itertools.product(OPERANDS, repeat=2))
CODES = np.arange(16, dtype=np.uint8)


def law_sums(
    a: np.ndarray, b: np.ndarray, a_fmt: str, b_fmt: str, accumulator: Accumulator
) -> list[list[int]]:
    """Every row of a against every row of b, under any overflow rule."""
    a_rows, b_rows = (
        [[decode(c, f) for c in row] for row in x.tolist()] for x, f in ((a, a_fmt), (b, b_fmt))
    )
    return [[accumulate(map(mul, a_row, b_row), accumulator) for b_row in b_rows] for a_row in a_rows]


@pytest.mark.parametrize("fmt", OPERANDS)
def test_decode(fmt: str) -> None:
    assert decode_units(CODES, fmt).tolist() == [decode(code, fmt).value for code in range(16)]


@pytest.mark.parametrize(("a_fmt", "b_fmt"), PAIRS)
def test_all_products(a_fmt: str, b_fmt: str) -> None:
    law = [[mul(decode(a, a_fmt), decode(b, b_fmt)) for b in range(16)] for a in range(16)]
    assert product_table(a_fmt, b_fmt).tolist() == law
    assert mac_array(CODES[:, None], CODES[:, None], a_fmt, b_fmt, 26).tolist() == law


@pytest.mark.parametrize(("a_fmt", "b_fmt"), PAIRS)
def test_matrix_products_under_every_overflow_rule(a_fmt: str, b_fmt: str) -> None:
    rng = np.random.default_rng([90, OPERANDS.index(a_fmt), OPERANDS.index(b_fmt)])
    cases = 0
    for rows, cols, depth, bits in [
        (1, 1, 1, 9),
        (3, 7, 129, 9),
        (5, 3, 64, 14),
        (2, 9, 33, 26),
        (4, 4, 17, 63),
    ]:
        a = rng.integers(0, 16, (rows, depth), dtype=np.uint8)
        b = rng.integers(0, 16, (cols, depth), dtype=np.uint8)
        wrapped = law_mac_array.mac_array(a.tolist(), b.tolist(), a_fmt, b_fmt, bits)
        assert mac_array(a, b, a_fmt, b_fmt, bits).tolist() == wrapped
        for overflow in ("wrap", "saturate", "saturate-end"):
            law = law_sums(a, b, a_fmt, b_fmt, Accumulator("exact", bits, overflow))  # type: ignore[arg-type]
            kernel = mac_array(a, b, a_fmt, b_fmt, bits, overflow)
            assert kernel.tolist() == law, f"{overflow}, {bits} bits, K={depth}"
            cases += kernel.size
    assert cases == 3 * (1 + 21 + 15 + 18 + 16)


@pytest.mark.parametrize("overflow", ["wrap", "saturate", "saturate-end"])
def test_sums_around_the_registers_ends(overflow: str) -> None:
    # Runs of the largest products up, down and up again: prefixes leave the register on both sides, and the
    # longest is the worst sum of K = 4608.
    down = np.repeat([15, 7, 15], [700, 1400, 700])
    runs = [np.full(4608, 7), np.full(4608, 15), np.concatenate([np.full(1152, 7), down, np.full(656, 7)])]
    a = np.array([np.resize(run, 4608) for run in runs], dtype=np.uint8)
    b = np.full((1, 4608), 7, dtype=np.uint8)
    for bits in (20, 22, 24, 25, 26):
        law = law_sums(a, b, "e3m0", "e3m0", Accumulator("exact", bits, overflow))  # type: ignore[arg-type]
        assert mac_array(a, b, "e3m0", "e3m0", bits, overflow).tolist() == law, f"{bits} bits"


@pytest.mark.parametrize("fmt", OPERANDS)
@pytest.mark.parametrize("bits", [9, 12, 15, 16, 17, 18])
def test_saturation_in_tiles(fmt: str, bits: int) -> None:
    """More rows and columns than one tile; rows that climb, fall, turn, and stay near zero."""
    rng = np.random.default_rng([91, bits])
    a, b = (rng.integers(0, 16, (rows, 90), dtype=np.uint8) for rows in (9, 99))
    b[::3] = a[0] = 7
    b[1::3, 45:] ^= np.uint8(8)
    law = law_sums(a, b, fmt, fmt, Accumulator("exact", bits, "saturate"))
    assert mac_array(a, b, fmt, fmt, bits, "saturate").tolist() == law


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    pair=st.sampled_from(PAIRS),
    a=st.lists(st.integers(0, 15), min_size=1, max_size=40),
    b=st.lists(st.integers(0, 15), min_size=40, max_size=40),
    bits=st.integers(2, 63),
    overflow=st.sampled_from(["wrap", "saturate", "saturate-end"]),
)
def test_single_dot_products(
    pair: tuple[str, str], a: list[int], b: list[int], bits: int, overflow: str
) -> None:
    a_codes, b_codes = np.array([a], dtype=np.uint8), np.array([b[: len(a)]], dtype=np.uint8)
    law = law_sums(a_codes, b_codes, *pair, Accumulator("exact", bits, overflow))  # type: ignore[arg-type]
    assert mac_array(a_codes, b_codes, *pair, bits, overflow).tolist() == law
