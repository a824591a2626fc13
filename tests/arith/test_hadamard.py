"""Hadamard matrices against their definition and against N. J. A. Sloane's library."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fpsim.arith.hadamard import hadamard, hadamard_matrix

# had.12 of N. J. A. Sloane, "A Library of Hadamard Matrices", http://neilsloane.com/hadamard/
SLOANE_12 = """\
+-----------
++-+---+++-+
+++-+---+++-
+-++-+---+++
++-++-+---++
+++-++-+---+
++++-++-+---
+-+++-++-+--
+--+++-++-+-
+---+++-++-+
++---+++-++-
+-+---+++-++
"""
ORDERS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 12, 24, 48, 96, 192, 384, 768, 36, 72, 144, 288, 576, 1152]


@pytest.mark.parametrize(("n", "base"), [*((n, None) for n in ORDERS), (144, 144), (288, 144), (1152, 144)])
def test_rows_are_orthogonal(n: int, base: int | None) -> None:
    matrix = np.array(hadamard_matrix(n, base))
    assert matrix.shape == (n, n)
    assert np.all(np.abs(matrix) == 1)
    real = matrix.astype(np.float64)
    assert np.array_equal(real @ real.T, n * np.eye(n))


def test_powers_of_two_are_sylvesters_doubling() -> None:
    expected = np.array([[1]])
    for n in (1, 2, 4, 8, 16, 32, 64, 128):
        assert hadamard_matrix(n) == expected.tolist(), f"n={n}"
        expected = np.block([[expected, expected], [expected, -expected]])


def test_order_12_is_sloanes() -> None:
    assert hadamard_matrix(12) == [[1 if c == "+" else -1 for c in row] for row in SLOANE_12.splitlines()]


@pytest.mark.parametrize("n", [24, 48, 96])
def test_12_is_the_outer_factor(n: int) -> None:
    assert hadamard_matrix(n) == np.kron(hadamard_matrix(12), hadamard_matrix(n // 12)).tolist()


def test_order_36_is_paleys_second_construction() -> None:
    """The squares modulo 17 are 1, 4, 9, 16, 8, 2, 15, 13; H = H^T; blocks of two as he gives them."""
    squares = {1, 4, 9, 16, 8, 2, 15, 13}
    h = np.array(hadamard_matrix(36))
    assert np.array_equal(h, h.T)
    for i in range(18):
        for j in range(18):
            if i == j:
                block = [[1, -1], [-1, -1]]
            else:
                sign = 1 if 0 in (i, j) or (i - j) % 17 in squares else -1
                block = [[sign, sign], [sign, -sign]]
            assert h[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].tolist() == block
    assert hadamard_matrix(72) == np.kron(h, hadamard_matrix(2)).tolist()


def test_base_144_is_the_square_of_12_and_not_the_default() -> None:
    twelve = np.array(hadamard_matrix(12))
    assert hadamard_matrix(144, 144) == np.kron(twelve, twelve).tolist()
    assert hadamard_matrix(288, 144) == np.kron(np.kron(twelve, twelve), hadamard_matrix(2)).tolist()
    assert (
        hadamard_matrix(144)
        == hadamard_matrix(144, 36)
        == np.kron(hadamard_matrix(36), hadamard_matrix(4)).tolist()
    )


def test_large_orders_are_not_kept_but_the_same() -> None:
    block = np.random.default_rng(5).integers(-1000, 1000, 1152)
    for base in (36, 144):
        want = np.array(hadamard_matrix(1152, base)) @ block
        assert hadamard(block.tolist(), base=base) == want.tolist()


@pytest.mark.parametrize("n", [2, 32, 128, 12, 48, 36, 72])
def test_the_transform_is_the_matrix_product_after_the_signs(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(10):
        block, signs = rng.integers(-(1 << 15), 1 << 15, n), rng.choice([-1, 1], n)
        expected = np.array(hadamard_matrix(n)) @ (signs * block)
        assert hadamard(block.tolist(), signs.tolist()) == expected.tolist()
        assert hadamard((signs * block).tolist()) == expected.tolist()


@pytest.mark.parametrize("n", [8, 32, 24])
def test_the_transposed_transform_gives_n_times_the_block(n: int) -> None:
    block = np.random.default_rng(n).integers(-1000, 1000, n)
    back = np.array(hadamard_matrix(n)).T @ hadamard(block.tolist())
    assert back.tolist() == (n * block).tolist()


def test_growth_is_one_bit_per_stage() -> None:
    largest = (1 << 15) - 1
    assert hadamard([largest] * 32)[0] == 32 * largest


def test_a_callers_matrix_is_its_own() -> None:
    hadamard_matrix(2)[0][0] = 5
    assert hadamard_matrix(2) == [[1, 1], [1, -1]]


@pytest.mark.parametrize("n", [0, -4, 3, 6, 9, 18, 20, 60, 108])
def test_other_orders_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"n={n}: expected"):
        hadamard_matrix(n)


@pytest.mark.parametrize(
    ("block", "signs", "message"),
    [
        ([], None, "n=0: expected an integer at least 1"),
        ([1, 2, 3], None, r"n=3: expected 2\^k, 12 \* 2\^k or 36 \* 2\^k"),
        ([1, 2], [1], "signs has 1 elements: expected 2, as many as the block"),
        ([1, 2], [1, 0], r"signs\[1\]=0: expected 1 or -1"),
    ],
)
def test_other_arguments_are_refused(block: Sequence[int], signs: Sequence[int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hadamard(block, signs)


def test_a_base_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"n=36: expected 144 \* 2\^k"):
        hadamard_matrix(36, 144)
    with pytest.raises(ValueError, match="base=24: expected None or one of 1, 12, 36, 144"):
        hadamard_matrix(24, 24)
