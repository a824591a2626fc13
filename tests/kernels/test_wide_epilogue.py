"""Results in FP16, BF16 and FP32: the kernel against the law, numpy's float32 and the FP16 kernel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.arith import epilogue as law
from fpsim.kernels.epilogue import epilogue
from fpsim.kernels.wide_epilogue import RESULT_FORMATS, wide_epilogue
from tests.kernels.reference import tf32_value

Arguments = tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]


def arguments(seed: int, rows: int, cols: int, exponents: tuple[int, int]) -> Arguments:
    """Random operands, the scales' exponent fields in a range."""
    rng = np.random.default_rng(seed)
    acc = rng.integers(-(2**40), 2**40, (rows, cols), endpoint=True) >> rng.integers(0, 41, (rows, cols))
    scales = [
        (rng.integers(*exponents, n, endpoint=True) << 10 | rng.integers(0, 1024, n)).astype(np.uint32)
        for n in (rows, cols)
    ]
    scales[0][0] = 0
    bias = (rng.integers(0, 0x7C00, cols) | rng.integers(0, 2, cols) << 15).astype(np.uint16)
    bias[:3] = (0, 0x8000, 1)
    return acc, scales[0], scales[1], bias


@pytest.mark.parametrize("result", RESULT_FORMATS)
@pytest.mark.parametrize("exponents", [(1, 254), (60, 75), (1, 8), (100, 130), (180, 200)])
def test_the_kernel_is_the_law(result: str, exponents: tuple[int, int]) -> None:
    acc, rho, col, bias = arguments(sum(exponents), 40, 40, exponents)
    got = wide_epilogue(acc, rho, col, bias, result)
    for m, n in np.ndindex(*acc.shape):
        want = law.epilogue(int(acc[m, n]), int(rho[m]), int(col[n]), int(bias[n]), result)
        assert got[m, n] == want, (acc[m, n], hex(rho[m]), hex(col[n]), hex(bias[n]))


def test_fp16_results_are_those_of_the_fp16_kernel() -> None:
    acc, rho, col, bias = arguments(7, 300, 300, (85, 135))
    np.testing.assert_array_equal(wide_epilogue(acc, rho, col, bias, "fp16"), epilogue(acc, rho, col, bias))


def test_fp32_is_numpys_rounding_where_float64_holds_the_sum() -> None:
    acc, rho, col, bias = arguments(9, 200, 200, (95, 130))
    acc >>= 12
    got = wide_epilogue(acc, rho, col, bias, "fp32")
    values = [np.array([float(tf32_value(int(x))) for x in scale]) for scale in (rho, col)]
    product = acc * (values[0][:, None] * values[1])  # 28 + 22 bits: exact
    total = product + bias.view(np.float16).astype(np.float64)
    rest = (total - product) - bias.view(np.float16).astype(np.float64)
    exact = (rest == 0) & ((total - (total - product)) == product) & (total != 0)
    assert exact.sum() > 15_000
    np.testing.assert_array_equal(got[exact], total.astype(np.float32).view(np.uint32)[exact])


@pytest.mark.parametrize("result", RESULT_FORMATS)
def test_ties_cancellation_and_the_last_subnormal(result: str) -> None:
    one = 127 << 10
    low = {"fp16": -25, "bf16": -134, "fp32": -150}[result]  # half of the smallest subnormal
    halves = [(127 + low // 2) << 10, (127 + low - low // 2) << 10]
    for acc, rho, col, bias, want in (
        (1, halves[0], halves[1], 0, 0),  # a tie with 0
        (-1, halves[0], halves[1], 0, 1 << (31 if result == "fp32" else 15)),  # rounds to -0
        (3, halves[0], halves[1], 0, 2),
        (-1, one, one, 0x3C00, 0),  # 1 - 1
        (0, one, one, 0x8000, 0),
    ):
        got = wide_epilogue(
            np.array([[acc]]),
            np.array([rho], np.uint32),
            np.array([col], np.uint32),
            np.array([bias], np.uint16),
            result,
        )
        assert int(got[0, 0]) == want, (acc, bias)


def test_a_product_of_62_bits_beside_a_bias_loses_no_bit() -> None:
    """The product is the bias's negative but for the last of its bits."""
    significand = np.uint32(127 << 10 | 1023)
    acc = 2**40 - 1
    product = acc * 2047 * 2047
    for bias in (0x7BFF, 0xFBFF, 0x4000, 0xC000):
        value = int(Fraction(float(np.uint16(bias).view(np.float16))))
        top = abs(value).bit_length() + 127 * 2 + 20 - product.bit_length()
        for off in (-1, 0, 1):
            rho, col = (127 << 10) | 1023, (top - 127 + off) << 10 | 1023
            arrays = (np.array([[acc], [-acc]]), np.array([rho, rho], np.uint32), np.array([col], np.uint32))
            got = wide_epilogue(*arrays, np.array([bias], np.uint16), "fp32")
            for sign, bits in zip((acc, -acc), got[:, 0], strict=True):
                assert bits == law.epilogue(sign, rho, col, bias, "fp32")
    assert significand >> 10 == 127


def test_other_results_and_large_sums_are_refused() -> None:
    acc, rho, col, bias = arguments(1, 2, 3, (120, 130))
    with pytest.raises(ValueError, match="result='tf32': expected one of fp16, bf16, fp32"):
        wide_epilogue(acc, rho, col, bias, "tf32")
    with pytest.raises(ValueError, match="acc holds"):
        wide_epilogue(acc * 0 + 2**40 + 1, rho, col, bias, "fp32")
    with pytest.raises(ValueError, match="result='e4m3': expected one of fp16, bf16, fp32"):
        law.epilogue(1, 127 << 10, 127 << 10, 0, "e4m3")
