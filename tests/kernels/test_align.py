"""align against numpy's half precision and round to even."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.kernels.align import align
from tests.kernels.reference import all_fp16, finite_fp16


def expected(bits: NDArray[np.uint16], exps: NDArray[np.int32], guard_bits: int) -> NDArray[np.float64]:
    """x · 2^(25 + guard_bits - exp) is exact in float64; rint rounds half to even."""
    values = bits.view(np.float16).astype(np.float64)
    limit = 2.0 ** (11 + guard_bits) - 1
    scaled = np.rint(np.ldexp(values, 25 + guard_bits - exps[:, None]))
    return np.clip(scaled, -limit, limit)


@pytest.mark.parametrize("guard_bits", range(9))
def test_every_finite_pattern_at_every_static_exponent(guard_bits: int) -> None:
    bits = finite_fp16()[None, :]
    count = 0
    for exp in range(1, 31):
        ints, exps, special = align(bits, guard_bits, exp=exp)
        assert exps.tolist() == [exp]
        assert not special.any()
        np.testing.assert_array_equal(ints, expected(bits, exps, guard_bits))
        count += ints.size
    assert count == 30 * 63488


@pytest.mark.parametrize("guard_bits", [0, 4, 8])
def test_dynamic_exponent_is_that_of_the_largest_element(guard_bits: int) -> None:
    rng = np.random.default_rng(1)
    scale = 2.0 ** rng.integers(-24, 13, size=(2000, 1))
    x = (rng.normal(size=(2000, 17)) * scale).astype(np.float16)
    x[0] = 0
    ints, exps, special = align(x.view(np.uint16), guard_bits)
    largest = np.abs(x).max(axis=1).astype(np.float64)
    # frexp: largest = f · 2^e with f in [0.5, 1); a normal FP16 number has exponent field e + 14.
    fields = np.maximum(np.frexp(largest)[1] + 14, 1)
    fields[largest == 0] = 1
    np.testing.assert_array_equal(exps, fields)
    np.testing.assert_array_equal(ints, expected(x.view(np.uint16), exps, guard_bits))
    assert not special.any()
    assert np.abs(ints).max() < 2 ** (11 + guard_bits)


def test_infinities_and_nans_are_flagged_and_become_zero() -> None:
    bits = all_fp16()
    special_bits = bits[(bits & 0x7C00) == 0x7C00]
    x = np.full((special_bits.size, 3), 0x3C00, np.uint16)
    x[:, 1] = special_bits
    for exp in (None, 15):
        ints, exps, special = align(x, 4, exp=exp)
        assert special.all()
        assert (ints[:, 1] == 0).all()
        assert (exps == (31 if exp is None else 15)).all()
    assert special_bits.size == 2048


def test_rows_of_zeros_and_of_nothing() -> None:
    ints, exps, special = align(np.array([[0x0000, 0x8000]], np.uint16), 4)
    assert (ints.tolist(), exps.tolist(), special.tolist()) == ([[0, 0]], [1], [False])
    ints, exps, special = align(np.empty((2, 0), np.uint16), 4)
    assert (ints.shape, exps.tolist(), special.tolist()) == ((2, 0), [1, 1], [False, False])


def test_views_and_byte_orders_are_read_as_numbers() -> None:
    bits = np.arange(24, dtype=np.uint16).reshape(4, 6) * 700
    want = align(bits, 4)[0]
    np.testing.assert_array_equal(align(np.asfortranarray(bits), 4)[0], want)
    np.testing.assert_array_equal(align(bits.astype(">u2"), 4)[0], want)


@pytest.mark.parametrize(
    ("x", "guard_bits", "exp", "message"),
    [
        ([[1]], 4, None, "x_bits=list: expected a numpy array of uint16"),
        (np.zeros((1, 1), np.int16), 4, None, "x_bits.dtype=int16: expected uint16"),
        (np.zeros(1, np.uint16), 4, None, r"x_bits.shape=\(1,\): expected 2 dimensions"),
        (np.zeros((1, 1), np.uint16), 9, None, "guard_bits=9: expected an integer from 0 to 8"),
        (np.zeros((1, 1), np.uint16), 4, 0, "exp=0: expected an integer from 1 to 30"),
        (np.zeros((1, 1), np.uint16), 4, 31, "exp=31"),
        (np.zeros((1, 1), np.uint16), True, None, "guard_bits=True"),
    ],
)
def test_bad_arguments_are_named(x: object, guard_bits: int, exp: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        align(x, guard_bits, exp=exp)
