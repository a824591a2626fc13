"""hadamard against scipy's Sylvester matrices and a Paley matrix written from the quadratic residues."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from fpsim.kernels.hadamard import hadamard, hadamard_blocks

SIZES = (*(1 << k for k in range(13)), *(12 << k for k in range(9)), *(36 << k for k in range(8)))
OF_144 = tuple(144 << k for k in range(6))


def paley_12() -> NDArray[np.int64]:
    """H = I + S, S = [[0, -1], [1, Q]], Q[i][j] = chi(i - j); the squares mod 11 are 1, 3, 4, 5, 9."""
    chi = [0, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1]
    s = np.zeros((12, 12), np.int64)
    s[0, 1:], s[1:, 0] = -1, 1
    s[1:, 1:] = [[chi[(i - j) % 11] for j in range(11)] for i in range(11)]
    return s + np.eye(12, dtype=np.int64)


def paley_36() -> NDArray[np.int64]:
    """C (x) [[1, 1], [1, -1]] + I (x) [[1, -1], [-1, -1]], C with a border of ones around chi(i - j)."""
    chi = [0, 1, 1, -1, 1, -1, -1, -1, 1, 1, -1, -1, -1, 1, -1, 1, 1]
    c = np.ones((18, 18), np.int64)
    c[0, 0] = 0
    c[1:, 1:] = [[chi[(i - j) % 17] for j in range(17)] for i in range(17)]
    return np.kron(c, [[1, 1], [1, -1]]) + np.kron(np.eye(18, dtype=np.int64), [[1, -1], [-1, -1]])


def matrix(n: int, base: int | None = None) -> NDArray[np.int64]:
    outer = np.eye(1, dtype=np.int64)
    if base == 144:
        outer = np.kron(paley_12(), paley_12())
    elif n % 9 == 0:
        outer = paley_36()
    elif n % 3 == 0:
        outer = paley_12()
    return np.kron(outer, scipy.linalg.hadamard(n // len(outer), dtype=np.int64))


@pytest.mark.parametrize(("h", "n"), [(paley_12(), 12), (paley_36(), 36), (matrix(144, 144), 144)])
def test_the_references_are_hadamard_matrices(h: NDArray[np.int64], n: int) -> None:
    assert h.shape == (n, n)
    assert set(np.abs(h).ravel()) == {1}
    np.testing.assert_array_equal(h @ h.T, n * np.eye(n))


@pytest.mark.parametrize(("n", "base"), [*((n, None) for n in SIZES), *((n, 144) for n in OF_144)])
def test_the_rows_of_what_is_computed_are_orthogonal(n: int, base: int | None) -> None:
    """H · H^T = n · I of the transform itself: its columns are the transforms of the unit vectors."""
    columns = hadamard_blocks(np.eye(n, dtype=np.int32), n, base=base)
    assert columns.min() >= -1
    assert (columns != 0).all()
    h = columns.T.astype(np.float32)  # float32 adds up to 4608 ones exactly
    np.testing.assert_array_equal(h @ h.T, n * np.eye(n, dtype=np.float32))


@pytest.mark.parametrize(("n", "base"), [*((n, None) for n in SIZES), *((n, 144) for n in OF_144)])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_blocks_equal_the_matrix_product(n: int, base: int | None, dtype: type) -> None:
    rng = np.random.default_rng(n)
    high = np.iinfo(dtype).max // n
    rows, count = (3, 3) if n <= 512 else (1, 2)
    x = rng.integers(-high, high, size=(rows, count * n), endpoint=True, dtype=dtype)
    x[0, :n] = high  # all of one sign: the sum reaches high · n
    signs = rng.choice([-1, 1], count * n).astype(np.int8)
    transposed = matrix(n, base).T
    want = (x.reshape(rows, count, n).astype(np.int64) @ transposed).reshape(x.shape)
    got = hadamard_blocks(x, n, base=base)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, want)
    signed = (x.astype(np.int64) * signs).reshape(rows, count, n)
    want = (signed @ transposed).reshape(x.shape)
    np.testing.assert_array_equal(hadamard_blocks(x, n, signs, base=base), want)


@pytest.mark.parametrize("n", SIZES[1:])
@pytest.mark.parametrize("sign", [1, -1])
def test_overflow_is_refused_just_beyond_the_limit(n: int, sign: int) -> None:
    x = np.zeros((1, n), np.int32)
    x[0, 0] = sign * ((2**31 - 1) // n)
    assert int(hadamard_blocks(x, n)[0, 0]) == x[0, 0]
    x[0, 0] += sign
    with pytest.raises(ValueError, match=f"ints holds {int(x[0, 0])}: expected values from"):
        hadamard_blocks(x, n)


def test_any_leading_shape_and_the_full_length() -> None:
    x = np.arange(2 * 3 * 48, dtype=np.int64).reshape(2, 3, 48)
    np.testing.assert_array_equal(hadamard(x), x @ matrix(48).T)
    blocks = x.reshape(2, 3, 3, 16) @ matrix(16).T
    np.testing.assert_array_equal(hadamard(x, block=16), blocks.reshape(x.shape))
    np.testing.assert_array_equal(hadamard(x[0, 0]), matrix(48) @ x[0, 0])
    y = np.arange(2 * 1152).reshape(2, 1152)
    for base in (None, 36, 144):
        np.testing.assert_array_equal(hadamard(y, base=base), y @ matrix(1152, base).T)


def test_inverse_is_the_transform_of_the_transform() -> None:
    x = np.random.default_rng(2).integers(-100, 100, (5, 128))
    np.testing.assert_array_equal(hadamard(hadamard(x)), 128 * x)


def test_the_argument_is_not_changed() -> None:
    x = np.arange(32, dtype=np.int32)[None]
    before = x.copy()
    hadamard_blocks(x, 32)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("x", "block", "signs", "message"),
    [
        (np.zeros(24, np.int64), 3, None, "block=3: expected a power of two, or 12 or 36 times"),
        (np.zeros(60, np.int64), None, None, "block=60: expected a power of two, or 12 or 36 times"),
        (np.zeros(18, np.int64), None, None, "block=18: expected a power of two, or 12 or 36 times"),
        (np.zeros(24, np.int64), 16, None, "block=16: expected a divisor of the row length 24"),
        (np.zeros(24, np.int64), 0, None, "block=0: expected an integer from 1"),
        (np.zeros(4, np.float32), None, None, "x.dtype=float32: expected int32 or int64"),
        (np.zeros((2, 0), np.int32), None, None, r"x.shape=\(2, 0\): expected a last axis"),
        (np.zeros(4, np.int32), None, np.zeros(4, np.int8), "signs holds 0: expected -1 or 1"),
        (np.zeros(4, np.int32), None, np.ones(3, np.int8), r"signs.shape=\(3,\): expected \(4,\)"),
    ],
)
def test_bad_arguments_are_named(x: object, block: int | None, signs: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hadamard(x, block=block, signs=signs)


@pytest.mark.parametrize(
    ("n", "base", "message"),
    [
        (36, 144, "block=36: expected 144 times a power of two"),
        (24, 36, "block=24: expected 36 times a power of two"),
        (36, 12, "block=36: expected 12 times a power of two"),
        (12, 1, "block=12: expected 1 times a power of two"),
        (12, 6, "base=6: expected None or one of 1, 12, 36, 144"),
    ],
)
def test_a_base_that_does_not_fit_is_named(n: int, base: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hadamard(np.zeros(n, np.int32), base=base)
