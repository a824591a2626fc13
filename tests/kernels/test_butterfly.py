"""Rounded Hadamard stages against numpy's own FP16 additions, typed examples, and the exact transform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fpsim.kernels.butterfly import hadamard_fixed, hadamard_fp16, stage_radices
from fpsim.kernels.hadamard import hadamard_blocks
from tests.kernels.reference import finite_fp16


def test_stages() -> None:
    assert stage_radices(1) == ()
    assert stage_radices(8) == (2, 2, 2)
    assert stage_radices(48) == (2, 2, 12)
    assert stage_radices(1152) == (2, 2, 2, 2, 2, 36)
    assert stage_radices(1152, 144) == (2, 2, 2, 12, 12)
    assert stage_radices(4608) == (2,) * 7 + (36,)


@pytest.mark.parametrize(("n", "base"), [(32, None), (96, None), (72, None), (1152, None), (1152, 144)])
def test_without_shifts_and_overflow_fixed_point_is_exact(n: int, base: int | None) -> None:
    x = np.random.default_rng(n).integers(-2000, 2000, (3, 2 * n), dtype=np.int32)
    signs = np.random.default_rng(n + 1).choice([-1, 1], 2 * n).astype(np.int8)
    shifts = [0] * len(stage_radices(n, base))
    got = hadamard_fixed(x, n, shifts, 32, signs=signs, base=base)
    np.testing.assert_array_equal(got, hadamard_blocks(x, n, signs, base=base))
    whole = (x % 3 - 1).astype(np.float16)  # sums below 2048: FP16 holds every one
    got16 = hadamard_fp16(whole.view(np.uint16), n, signs=signs, base=base).view(np.float16)
    np.testing.assert_array_equal(got16, hadamard_blocks(x % 3 - 1, n, signs, base=base))


@pytest.mark.parametrize(
    ("rounding", "sums"),
    [  # a + b of (1, 0), (3, 0), (-1, 0), (-3, 0), (5, 0), halved: .5 1.5 -.5 -1.5 2.5
        ("rne", [0, 2, 0, -2, 2]),
        ("rna", [1, 2, -1, -2, 3]),
        ("rdn", [0, 1, -1, -2, 2]),
    ],
)
def test_the_rounding_of_a_shift(rounding: Any, sums: list[int]) -> None:
    x = np.array([[1, 0], [3, 0], [-1, 0], [-3, 0], [5, 0]], np.int32)
    assert hadamard_fixed(x, 2, [1], 16, rounding)[:, 0].tolist() == sums


def test_a_register_saturates_after_each_stage() -> None:
    x = np.array([[7, 7, 7, 7], [-8, -8, -8, -8]], np.int32)
    assert hadamard_fixed(x, 4, [0, 0], 4).tolist() == [[7, 0, 0, 0], [-8, 0, 0, 0]]
    assert hadamard_fixed(x, 4, [1, 1], 4).tolist() == [[7, 0, 0, 0], [-8, 0, 0, 0]]
    negated = hadamard_fixed(x, 4, [1, 1], 4, signs=np.full(4, -1, np.int8))
    assert negated.tolist() == [[-7, 0, 0, 0], [7, 0, 0, 0]]


def numpy_fp16(x: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
    """Radix-2 stages in numpy's float16, whose additions round once."""
    y = x.copy()
    distance = 1
    while distance < n:
        parts = y.reshape(-1, n // (2 * distance), 2, distance)
        low, high = parts[:, :, 0].copy(), parts[:, :, 1].copy()
        parts[:, :, 0], parts[:, :, 1] = low + high, low - high
        distance *= 2
    return y


@pytest.mark.parametrize("n", [2, 8, 64, 1024])
def test_fp16_stages_are_numpys_additions(n: int) -> None:
    rng = np.random.default_rng(n)
    for scale in (2.0**-22, 2.0**-10, 1.0, 30.0):
        x = (rng.normal(size=(20, n)) * scale).astype(np.float16)
        got = hadamard_fp16(x.view(np.uint16), n).view(np.float16)
        np.testing.assert_array_equal(got, numpy_fp16(x, n))
        assert not (np.signbit(got) & (got == 0)).any()


def test_every_fp16_number_passes_with_its_shift() -> None:
    """x and 0 through one stage: x · 2^-3 in numpy's rounding, twice."""
    every = finite_fp16()
    x = np.stack([every, np.zeros_like(every)], axis=1)
    got = hadamard_fp16(x, 2, [3]).view(np.float16)
    want = every.view(np.float16) * np.float16(0.125)
    np.testing.assert_array_equal(got, np.stack([want, want], axis=1))
    assert got.shape == (63488, 2)


def test_fp16_saturates() -> None:
    x = np.full((1, 4), 65504, np.float16)
    assert hadamard_fp16(x.view(np.uint16), 4).view(np.float16).tolist() == [[65504, 0, 0, 0]]
    assert hadamard_fp16(-x.view(np.uint16), 4, [1, 1]).view(np.float16).shape == (1, 4)
    assert hadamard_fp16(x.view(np.uint16), 4, [1, 1]).view(np.float16).tolist() == [[65504, 0, 0, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: hadamard_fixed(x, 8, [0, 0]), "shifts has 2 elements: expected 3, one per stage"),
        (lambda x: hadamard_fixed(x, 8, [0, 0, 17]), r"shifts\[2\]=17: expected an integer from 0 to 16"),
        (lambda x: hadamard_fixed(x, 8, [0] * 3, 33), "bits=33: expected an integer from 2 to 32"),
        (lambda x: hadamard_fixed(x + 8, 8, [0] * 3, 4), "ints holds 8: expected values from -8 to 7"),
        (lambda x: hadamard_fixed(x, 8, [0] * 3, 8, "rtz"), "rounding='rtz': expected one of rne, rna, rdn"),
        (lambda x: hadamard_fixed(x, 7, []), "n=7: expected a power of two"),
        (lambda x: hadamard_fp16(x, 8), "x_bits.dtype=int32: expected uint16"),
        (lambda x: hadamard_fp16((x + 0x7C00).astype(np.uint16), 8), "x_bits holds 0x7c00: expected finite"),
    ],
)
def test_bad_arguments_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.zeros((1, 8), np.int32))
