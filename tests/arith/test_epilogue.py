"""The epilogue against numpy's float16 and against a search in the list of all FP16 numbers."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction

import numpy as np
import pytest

from fpsim.arith.epilogue import epilogue

POSITIVE = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64).tolist()
ONE = 127 << 10  # TF32 bits of 1.0


def tf32(value: float) -> int:
    """TF32 bits of a float that fits, by numpy's float32."""
    bits = int(np.float32(value).view(np.uint32))
    assert bits & 0x1FFF == 0
    return bits >> 13


def tf32_value(bits: int) -> float:
    return float(np.uint32(bits << 13).view(np.float32))


def fp16_value(bits: int) -> float:
    return float(np.uint16(bits).view(np.float16))


def nearest_fp16(exact: Fraction) -> int:
    """FP16 bits of the nearest finite number by search: ties to even bits, saturating."""
    magnitude = abs(exact)
    above = bisect_left(POSITIVE, magnitude)
    if above == len(POSITIVE):
        code = above - 1
    elif POSITIVE[above] == magnitude:
        code = above
    else:
        low, high = magnitude - Fraction(POSITIVE[above - 1]), Fraction(POSITIVE[above]) - magnitude
        code = above if high < low or (high == low and above % 2 == 0) else above - 1
    return code | (0x8000 if exact < 0 else 0)


def test_numpys_rounding_where_float64_is_exact() -> None:
    rng = np.random.default_rng(70)
    cases = 0
    for _ in range(20_000):
        acc = int(rng.integers(-(1 << 20), 1 << 20))
        rho, c = (int(rng.integers(105, 130)) << 10 | int(rng.integers(0, 1024)) for _ in range(2))
        bias = int(rng.integers(0, 0x7C00)) | int(rng.integers(0, 2)) << 15
        product = acc * tf32_value(rho) * tf32_value(c)  # at most 20 + 11 + 11 bits: exact
        total = product + fp16_value(bias)
        if Fraction(product) + Fraction(fp16_value(bias)) != Fraction(total) or total == 0:
            continue
        with np.errstate(over="ignore"):
            expected = np.clip(np.float64(total).astype(np.float16), np.float16(-65504), np.float16(65504))
        message = f"acc={acc} row_scale=0x{rho:05x} col_scale=0x{c:05x} bias=0x{bias:04x}"
        assert epilogue(acc, rho, c, bias) == int(expected.view(np.uint16)), message
        cases += 1
    assert cases > 15_000


def test_the_nearest_number_of_the_whole_list() -> None:
    rng = np.random.default_rng(71)
    cases = 8000
    for _ in range(cases):
        acc = int(rng.integers(-(1 << 25), 1 << 25)) >> int(rng.integers(0, 26))
        rho, c = (int(rng.integers(1, 255)) << 10 | int(rng.integers(0, 1024)) for _ in range(2))
        if rng.integers(0, 4):  # otherwise nearly all results are 0, the bias or saturated
            c = min(max((254 - (rho >> 10)) + int(rng.integers(-30, 10)), 1), 254) << 10 | (c & 1023)
        bias = int(rng.integers(0, 0x7C00)) | int(rng.integers(0, 2)) << 15
        exact = acc * Fraction(tf32_value(rho)) * Fraction(tf32_value(c)) + Fraction(fp16_value(bias))
        message = f"acc={acc} row_scale=0x{rho:05x} col_scale=0x{c:05x} bias=0x{bias:04x}"
        assert epilogue(acc, rho, c, bias) == nearest_fp16(exact), message


def test_every_finite_bias_passes_through_a_zero_accumulator() -> None:
    cases = 0
    for bias in range(1 << 16):
        if (bias >> 10) & 31 != 31 and bias != 0x8000:
            assert epilogue(0, ONE, ONE, bias) == bias
            cases += 1
    assert cases == 2 * 31 * 1024 - 1


@pytest.mark.parametrize(
    ("acc", "rho", "c", "bias", "expected"),
    [
        (0, 1.0, 1.0, 0x8000, 0x0000),  # an exact 0 is +0, a bias of −0 included
        (0, 0.0, 1.0, 0x8000, 0x0000),
        (5, 0.0, 1.0, 0xBC00, 0xBC00),  # ρ = 0 leaves the bias
        (1, 1.0, 1.0, 0xBC00, 0x0000),  # exact cancellation
        (-1, 2.0**-60, 1.0, 0x0000, 0x8000),  # a negative sum that rounds to 0
        (-1, 2.0**-60, 1.0, 0x8000, 0x8000),
        (1, 2.0**-60, 1.0, 0x0000, 0x0000),
        (1, 2.0**-25, 1.0, 0x0000, 0x0000),  # half of the smallest subnormal: tie to even
        (3, 2.0**-26, 1.0, 0x0000, 0x0001),
        (3, 2.0**-25, 1.0, 0x0000, 0x0002),  # 1.5 subnormals: tie to even
        (2047, 2.0**-25, 1.0, 0x0000, 0x0400),  # 1023.5 subnormals: up into the normal numbers
        (65519, 1.0, 1.0, 0x0000, 0x7BFF),
        (65520, 1.0, 1.0, 0x0000, 0x7BFF),  # rounds to 65536, saturates
        (-65520, 1.0, 1.0, 0x0000, 0xFBFF),
        (1 << 25, 2.0**100, 2.0**100, 0xFBFF, 0x7BFF),
        (1, 2.0**-126, 2.0**-126, 0x3C00, 0x3C00),  # the smallest scales
        (1, 2.0**-126, 2.0**-12, 0x3C01, 0x3C01),
        (1, 2.0**-11, 1.0, 0x3C00, 0x3C00),  # 1 + half an ulp: tie to even
        (1, 2.0**-11, 1.0, 0x3C01, 0x3C02),  # the same from an odd neighbour
    ],
)
def test_cases_worked_by_hand(acc: int, rho: float, c: float, bias: int, expected: int) -> None:
    assert epilogue(acc, tf32(rho), tf32(c), bias) == expected


def test_a_sticky_bit_far_below_breaks_the_tie() -> None:
    # acc · ρ is 2^-11 + 2^-36 beside a bias of 1: the sum lies just above the midpoint of 1 and 1 + 2^-10.
    assert epilogue((1 << 25) + 1, tf32(2.0**-36), ONE, 0x3C00) == 0x3C01
    assert epilogue((1 << 25) - 1, tf32(2.0**-36), ONE, 0x3C00) == 0x3C00


@pytest.mark.parametrize(
    ("rho", "c", "bias", "message"),
    [
        (1 << 19, ONE, 0, "row_scale=524288: expected an integer from 0 to 524287"),
        (ONE | 1 << 18, ONE, 0, r"row_scale=0x5fc00: expected \+0 or a positive normal TF32 number"),
        (1 << 18, ONE, 0, r"row_scale=0x40000: expected \+0 or a positive normal"),
        (1, ONE, 0, r"row_scale=0x00001: expected \+0 or a positive normal"),
        (255 << 10, ONE, 0, r"row_scale=0x3fc00: expected \+0 or a positive normal"),
        (ONE, 0, 0, "col_scale=0x00000: expected a positive normal TF32 number"),
        (ONE, 255 << 10 | 1, 0, "col_scale=0x3fc01: expected a positive normal TF32 number"),
        (ONE, ONE, 0x7C00, r"bias=0x7c00: expected finite FP16 bits, this is \+inf"),
        (ONE, ONE, 0xFE00, "bias=0xfe00: expected finite FP16 bits, this is nan"),
        (ONE, ONE, 65536, "bias=65536: expected an integer from 0 to 65535"),
    ],
)
def test_other_arguments_are_refused(rho: int, c: int, bias: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        epilogue(1, rho, c, bias)


BF16_POSITIVE = (np.arange(0x7F80, dtype=np.uint32) << 16).view(np.float32).astype(np.float64).tolist()


def test_bf16_is_the_nearest_number_of_the_whole_list() -> None:
    rng = np.random.default_rng(71)
    cases = 0
    for _ in range(1500):
        acc = int(rng.integers(-(1 << 30), 1 << 30)) >> int(rng.integers(0, 30))
        rho, c = (int(rng.integers(1, 255)) << 10 | int(rng.integers(0, 1024)) for _ in range(2))
        bias = int(rng.integers(0, 0x7C00)) | int(rng.integers(0, 2)) << 15
        exact = acc * Fraction(tf32_value(rho)) * Fraction(tf32_value(c)) + Fraction(fp16_value(bias))
        magnitude = abs(exact)
        above = bisect_left(BF16_POSITIVE, magnitude)
        code = min(above, len(BF16_POSITIVE) - 1)
        if above < len(BF16_POSITIVE) and above and BF16_POSITIVE[above] != magnitude:
            low = magnitude - Fraction(BF16_POSITIVE[above - 1])
            high = Fraction(BF16_POSITIVE[above]) - magnitude
            code = above if high < low or (high == low and above % 2 == 0) else above - 1
        assert epilogue(acc, rho, c, bias, "bf16") == code | (0x8000 if exact < 0 else 0)
        cases += 1
    assert cases == 1500


def test_fp32_is_numpys_rounding_where_float64_is_exact() -> None:
    rng = np.random.default_rng(72)
    cases = 0
    for _ in range(5_000):
        acc = int(rng.integers(-(1 << 27), 1 << 27))
        low, high = ((1, 60), (100, 130), (185, 255))[int(rng.integers(0, 3))]
        rho, c = (int(rng.integers(low, high)) << 10 | int(rng.integers(0, 1024)) for _ in range(2))
        bias = int(rng.integers(0, 0x7C00)) | int(rng.integers(0, 2)) << 15
        bias = 0 if low != 100 else bias
        product = acc * tf32_value(rho) * tf32_value(c)  # 27 + 22 bits: exact
        total = product + fp16_value(bias)
        if Fraction(product) + Fraction(fp16_value(bias)) != Fraction(total) or total == 0:
            continue
        with np.errstate(over="ignore", under="ignore"):
            largest = np.finfo(np.float32).max
            expected = np.clip(np.float64(total).astype(np.float32), -largest, largest)
        assert epilogue(acc, rho, c, bias, "fp32") == int(expected.view(np.uint32))
        cases += 1
    assert cases > 3500
