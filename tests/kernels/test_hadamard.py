"""hadamard against scipy's Sylvester matrices and a Paley matrix written from the quadratic residues."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from fpsim.kernels.hadamard import hadamard, hadamard_blocks

SIZES = (*(1 << k for k in range(11)), *(12 << k for k in range(7)))


def paley_12() -> NDArray[np.int64]:
    """H = I + S, S = [[0, -1], [1, Q]], Q[i][j] = chi(i - j); the squares mod 11 are 1, 3, 4, 5, 9."""
    chi = [0, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1]
    s = np.zeros((12, 12), np.int64)
    s[0, 1:], s[1:, 0] = -1, 1
    s[1:, 1:] = [[chi[(i - j) % 11] for j in range(11)] for i in range(11)]
    return s + np.eye(12, dtype=np.int64)


def matrix(n: int) -> NDArray[np.int64]:
    if n % 3 == 0:
        return np.kron(paley_12(), scipy.linalg.hadamard(n // 12, dtype=np.int64))
    return scipy.linalg.hadamard(n, dtype=np.int64)


def test_the_reference_is_a_hadamard_matrix() -> None:
    h = paley_12()
    assert set(np.abs(h).ravel()) == {1}
    np.testing.assert_array_equal(h @ h.T, 12 * np.eye(12))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_blocks_equal_the_matrix_product(n: int, dtype: type) -> None:
    rng = np.random.default_rng(n)
    high = np.iinfo(dtype).max // n
    x = rng.integers(-high, high, size=(3, 3 * n), endpoint=True, dtype=dtype)
    x[0, :n] = high  # all of one sign: the sum reaches high · n
    signs = rng.choice([-1, 1], 3 * n).astype(np.int8)
    want = np.einsum("ij,mbj->mbi", matrix(n), x.reshape(3, 3, n).astype(np.int64)).reshape(x.shape)
    got = hadamard_blocks(x, n)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, want)
    signed = (x.astype(np.int64) * signs).reshape(3, 3, n)
    want = np.einsum("ij,mbj->mbi", matrix(n), signed).reshape(x.shape)
    np.testing.assert_array_equal(hadamard_blocks(x, n, signs), want)


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
        (np.zeros(24, np.int64), 3, None, "block=3: expected a power of two, or 12 times a power of two"),
        (np.zeros(36, np.int64), None, None, "block=36: expected a power of two, or 12 times"),
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
