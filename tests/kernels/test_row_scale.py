"""Amplitudes against numpy's conversion to half precision, row scales against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fpsim.kernels.row_scale import amplitude, row_scale
from tests.kernels.reference import tf32_value


def test_amplitudes_round_as_half_precision_does() -> None:
    """A normal FP16 number has 11 significant bits, and amax · 2^-16 is one up to 2^30."""
    rng = np.random.default_rng(3)
    edges = [(m << s) + d for m in (1024, 1025, 2046, 2047) for s in range(1, 19) for d in range(-3, 4)]
    halves = [(2 * m + 1) << s for m in range(1024, 2048) for s in range(18)]
    random = rng.integers(0, 1 << 30, 100_000) >> rng.integers(0, 30, 100_000)
    amax = np.concatenate([np.arange(1 << 16), edges, halves, random, [1 << 30]])
    want = (amax.astype(np.float64) / 2**16).astype(np.float16).astype(np.float64) * 2**16
    for dtype in (np.int32, np.int64):
        np.testing.assert_array_equal(amplitude(amax.astype(dtype)), want)
    assert amax.size == 65536 + 4 * 18 * 7 + 1024 * 18 + 100_000 + 1


def test_row_scales_are_exact() -> None:
    amps = np.array(
        [0, *range(1, 65), 1023, 1024, 1025, 2046, 2047, 2048, 2047 << 10, 1 << 26, 1 << 30], np.int32
    )
    count = 0
    for guard_bits in range(9):
        for exp in range(1, 32):
            codes = row_scale(amps, exp, guard_bits)
            per_row = row_scale(amps, np.full(amps.shape, exp, np.int32), guard_bits)
            np.testing.assert_array_equal(codes, per_row)
            for amp, code in zip(amps.tolist(), codes.tolist(), strict=True):
                assert tf32_value(code) == amp * Fraction(2) ** (exp - 25 - guard_bits), (
                    amp,
                    exp,
                    guard_bits,
                )
                assert (code == 0) == (amp == 0)
                count += 1
    assert count == 9 * 31 * amps.size


@pytest.mark.parametrize(
    ("amp", "exp", "guard_bits", "message"),
    [
        ([2049], 5, 4, "amp holds 2049: expected at most 11 significant bits"),
        ([-1], 5, 4, "amp holds -1: expected values from 0"),
        ([1], 32, 4, "exp=32: expected an integer from 1 to 31"),
        ([1], np.array([0], np.int32), 4, "exp holds 0: expected values from 1 to 31"),
        ([1], np.array([1, 1], np.int32), 4, r"exp.shape=\(2,\): expected \(1,\)"),
        ([1], 5, -1, "guard_bits=-1: expected an integer from 0 to 8"),
    ],
)
def test_bad_arguments_are_named(amp: list[int], exp: object, guard_bits: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        row_scale(np.array(amp, np.int32), exp, guard_bits)


def test_magnitudes_beyond_the_range_are_refused() -> None:
    for value in (-1, (1 << 30) + 1):
        with pytest.raises(ValueError, match=f"amax holds {value}: expected values from 0 to {1 << 30}"):
            amplitude(np.array([0, value]))
