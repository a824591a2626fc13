"""FP32 sums to FP16: numpy where float64 is exact, fractions elsewhere, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fpsim.kernels.epilogue_float import scaled_to_fp16, sum_to_fp16
from tests.kernels.reference import fp16_round


def test_results_are_fractions_rounded_once() -> None:
    """Products, ties and subnormals next to every kind of bias; `fp16_round` is Python's round."""
    rng = np.random.default_rng(0)
    acc = np.ldexp(rng.standard_normal((60, 40)), rng.integers(-30, 16, (60, 40))).astype(np.float32)
    acc[:20] = np.ldexp(rng.integers(-4096, 4097, (20, 40)), -26).astype(np.float32)  # ties
    bias = (rng.standard_normal(40) * 10.0 ** rng.integers(-7, 4, 40)).astype(np.float16)
    bias[::4] = 0
    for scale in (1.0, 2.0**-5, 0.3, 7e-5, 4e4):
        c = np.float32(scale)
        got = scaled_to_fp16(acc, c, bias.view(np.uint16))
        for m, n in np.ndindex(*acc.shape):
            exact = Fraction(float(acc[m, n])) * Fraction(float(c)) + Fraction(float(bias[n]))
            expected = fp16_round(exact)
            if expected == 0 and exact < 0:
                expected = 0x8000
            assert got[m, n] == expected, (acc[m, n], c, bias[n])


def test_one_rounding_differs_from_two() -> None:
    # 1 + 2^-11 is a tie of FP16; 2^-30 more decides it, but is lost in FP32.
    acc = np.array([[2.0**-11 + 2.0**-30]], np.float32)
    one = np.array([1], np.float16).view(np.uint16)
    assert scaled_to_fp16(acc, np.float32(1), one).view(np.float16)[0, 0] == 1 + 2.0**-10
    assert sum_to_fp16(acc, one).view(np.float16)[0, 0] == 1


def test_the_sum_is_numpys_float32_then_float16() -> None:
    rng = np.random.default_rng(1)
    acc = (rng.standard_normal((300, 30)) * 10.0 ** rng.integers(-8, 4, (300, 30))).astype(np.float32)
    bias = rng.standard_normal(30).astype(np.float16)
    got = sum_to_fp16(acc, bias.view(np.uint16))
    assert (got == (acc + bias.astype(np.float32)).astype(np.float16).view(np.uint16)).all()


def test_corners() -> None:
    acc = np.array([[1e30, -1e30, 65519.99, 65520.0, 0.0, -0.0, -1e-30, 1e-45]], np.float32)
    zeros = np.zeros(8, np.uint16)
    expected = [0x7BFF, 0xFBFF, 0x7BFF, 0x7BFF, 0, 0, 0x8000, 0]
    assert scaled_to_fp16(acc, np.float32(1), zeros)[0].tolist() == expected
    assert sum_to_fp16(acc[:, :7], zeros[:7])[0].tolist() == expected[:7]
    minus = np.full(8, 0x8000, np.uint16)
    assert scaled_to_fp16(acc, np.float32(1), minus)[0, 4:6].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("acc", "scale", "bias", "message"),
    [
        (np.full((1, 2), np.inf, np.float32), 1.0, [0, 0], "acc holds NaN or an infinity"),
        (np.zeros((1, 2)), 1.0, [0, 0], "acc.dtype=float64: expected float32"),
        (np.zeros((1, 2), np.float32), 0.0, [0, 0], "expected a positive normal float32"),
        (np.zeros((1, 2), np.float32), 1e-40, [0, 0], "expected a positive normal float32"),
        (np.zeros((1, 2), np.float32), -1.0, [0, 0], "expected a positive normal float32"),
        (np.zeros((1, 2), np.float32), 1.0, [0, 0x7C00], "bias magnitude holds 31744"),
        (np.zeros((1, 2), np.float32), 1.0, [0], r"bias.shape=\(1,\): expected \(2,\)"),
    ],
)
def test_illegal_arguments_are_refused(acc: np.ndarray, scale: float, bias: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scaled_to_fp16(acc, np.float32(scale), np.array(bias, np.uint16))
