"""Integer codes against nearest integers in fractions, and against torch where the scale divides exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from fpsim.arith.integer_quantizer import integer_quantizer, integer_value, zero_point
from fpsim.arith.quantizer import quantizer

BITS = {"int4": 4, "int6": 6, "int8": 8}
FORMATS = tuple(BITS)


def nearest_even(x: Fraction) -> int:
    """The nearest integer by comparing distances; of two equal ones the even one."""
    below = x.numerator // x.denominator
    above = below + 1
    if x - below == above - x:
        return below if below % 2 == 0 else above
    return below if x - below < above - x else above


@pytest.mark.parametrize("fmt", FORMATS)
def test_it_takes_the_nearest_integer_and_ties_go_to_even(fmt: str) -> None:
    levels = 2 ** (BITS[fmt] - 1) - 1
    amplitudes = (1, 2, 3, 31, 64, 2 * levels, 1000, 16 * levels)
    cases = ties = 0
    for amp in amplitudes:
        for h in range(-amp - 20, amp + 21):
            x = Fraction(levels * h, amp)
            expected = max(-levels, min(nearest_even(x), levels))
            assert integer_value(integer_quantizer(h, amp, fmt), fmt) == expected, f"h={h} amp={amp}"
            cases += 1
            ties += x.denominator == 2
    assert cases == sum(2 * amp + 41 for amp in amplitudes)
    assert ties >= 4 * levels


@pytest.mark.parametrize("fmt", FORMATS)
def test_with_a_zero_point_it_is_the_formula_of_viditq(fmt: str) -> None:
    """clamp(round(x / s) + z, 0, 2^b - 1), s = (max - min) / (2^b - 1), z = round(-min / s) (2406.02540)."""
    top = 2 ** BITS[fmt] - 1
    rng = np.random.default_rng(8)
    cases = 0
    for _ in range(60):
        row = [int(v) for v in rng.integers(-3000, 4000, 12)]
        low, high = min(0, *row), max(0, *row)
        s = Fraction(high - low, top)
        z = nearest_even(-low / s)
        assert zero_point(low, high - low, fmt) == z - 2 ** (BITS[fmt] - 1)
        for h in row:
            expected = max(0, min(nearest_even(h / s) + z, top))
            code = integer_quantizer(h, high - low, fmt, z - 2 ** (BITS[fmt] - 1))
            assert integer_value(code, fmt) + 2 ** (BITS[fmt] - 1) == expected
            cases += 1
    assert cases == 720


def test_int8_is_torch_where_the_scale_is_a_power_of_two() -> None:
    h = np.arange(-300 * 16, 300 * 16 + 1, 3)
    x = torch.from_numpy(h).float()
    for zero in (-128, -17, 0, 64, 127):
        expected = torch.fake_quantize_per_tensor_affine(x, 16.0, zero, -128, 127) / 16 + zero
        got = [integer_value(integer_quantizer(int(v), 255 * 16, "int8", zero), "int8") for v in h]
        assert got == expected.tolist()
    symmetric = torch.fake_quantize_per_tensor_affine(x, 16.0, 0, -127, 127) / 16
    got = [integer_value(integer_quantizer(int(v), 127 * 16, "int8"), "int8") for v in h]
    assert got == symmetric.tolist()


def test_int4_without_a_zero_point_is_the_4_bit_quantizer() -> None:
    for amp in (0, 1, 7, 14, 100, 2040):
        for h in range(-amp - 9, amp + 10):
            assert integer_quantizer(h, amp, "int4") == quantizer(h, amp, "int4")


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_ends(fmt: str) -> None:
    half = 2 ** (BITS[fmt] - 1)
    for h in (1000, 1001, 1 << 40):
        assert integer_value(integer_quantizer(h, 1000, fmt), fmt) == half - 1
        assert integer_value(integer_quantizer(-h, 1000, fmt), fmt) == 1 - half
        assert integer_value(integer_quantizer(h, 1000, fmt, -half), fmt) == half - 1
        assert integer_value(integer_quantizer(-h, 1000, fmt, half - 1), fmt) == -half
    assert integer_quantizer(5, 0, fmt) == integer_quantizer(0, 9, fmt) == 0
    assert zero_point(0, 0, fmt) == -half
    assert integer_value(integer_quantizer(0, 0, fmt, -half), fmt) == -half
    assert zero_point(0, 100, fmt) == -half
    assert zero_point(-100, 100, fmt) == half - 1


def test_a_span_that_was_rounded_down_still_has_its_zero_point() -> None:
    """4097 = 2^12 + 1 becomes 4096 with 11 significant bits: 255 · 4097 / 4096 still rounds to 255."""
    assert zero_point(-4097, 4096, "int8") == 127
    with pytest.raises(ValueError, match="low=-5000: expected at least -4096, the span"):
        zero_point(-5000, 4096, "int8")


def test_values_are_twos_complement() -> None:
    assert [integer_value(c, "int6") for c in (0, 31, 32, 63)] == [0, 31, -32, -1]
    all_bytes = np.arange(256, dtype=np.uint8)
    assert [integer_value(c, "int8") for c in range(256)] == all_bytes.view(np.int8).tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: integer_quantizer(0, -1, "int8"), "amp=-1: expected an integer at least 0"),
        (lambda: integer_quantizer(0.5, 1, "int8"), "h=0.5: expected an integer"),  # type: ignore[arg-type]
        (lambda: integer_quantizer(0, 1, "e2m1"), "fmt='e2m1': expected int4, int6 or int8"),
        (lambda: integer_quantizer(0, 1, "int6", 32), "zero=32: expected an integer from -32 to 31"),
        (lambda: zero_point(1, 5, "int8"), "low=1: expected an integer at most 0"),
        (lambda: zero_point(-1, 0, "int8"), "low=-1: expected at least -0, the span"),
        (lambda: integer_value(64, "int6"), "code=64: int6 has codes 0 to 63"),
    ],
)
def test_other_arguments_are_refused(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        call()
