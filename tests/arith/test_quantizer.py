"""The quantizer against nearest levels in fractions, ml_dtypes and the formula of LLM-FP4."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.quantizer import quantizer

from .tables import LEVELS, OPERANDS


def nearest_index(magnitude: int, amp: int, fmt: str) -> int:
    """The nearest level to magnitude · l_7 / amp; ties to the even index, in E3M0 all but the first up."""
    levels = LEVELS.get(fmt, LEVELS["e1m2"])
    x = Fraction(magnitude * levels[7], amp)
    best = min(abs(x - level) for level in levels)
    nearest = [i for i, level in enumerate(levels) if abs(x - level) == best]
    if len(nearest) == 1:
        return nearest[0]
    if fmt == "e3m0":
        return nearest[0] if nearest == [0, 1] else nearest[1]
    return next(i for i in nearest if i % 2 == 0)


def expected_code(h: int, amp: int, fmt: str) -> int:
    index = nearest_index(abs(h), amp, fmt)
    if fmt == "int4":
        return (-index if h < 0 else index) % 16
    return index + (8 if h < 0 else 0)


@pytest.mark.parametrize("fmt", OPERANDS)
def test_it_takes_the_nearest_level(fmt: str) -> None:
    cases = ties = 0
    amplitudes = [*range(1, 33), 40, 48, 64, 96, 128]
    for amp in amplitudes:
        for h in range(-amp - 8, amp + 9):
            assert quantizer(h, amp, fmt) == expected_code(h, amp, fmt), f"h={h} amp={amp}"
            cases += 1
            ties += (2 * LEVELS.get(fmt, LEVELS["e1m2"])[7] * h) % amp == 0
    assert cases == sum(2 * amp + 17 for amp in amplitudes)
    assert ties > 200


@pytest.mark.parametrize("fmt", OPERANDS)
def test_wide_integers(fmt: str) -> None:
    rng = np.random.default_rng(60)
    for _ in range(500):
        amp = int(rng.integers(1 << 10, 1 << 11)) << int(rng.integers(0, 16))
        h = int(rng.integers(-2 * amp, 2 * amp + 1))
        assert quantizer(h, amp, fmt) == expected_code(h, amp, fmt), f"h={h} amp={amp}"


def test_e2m1_is_ml_dtypes_where_the_scale_divides_exactly() -> None:
    amp = 6 * 16  # h / 16 is exact, with all ties
    h = np.arange(-160, 161)
    expected = (h / 16).astype(np.float32).astype(ml_dtypes.float4_e2m1fn).view(np.uint8)
    assert [quantizer(int(v), amp, "e2m1") for v in h] == expected.tolist()


@pytest.mark.parametrize(("fmt", "man_bits"), [("e3m0", 0), ("e2m1", 1), ("e1m2", 2)])
def test_it_is_the_formula_of_llm_fp4(fmt: str, man_bits: int) -> None:
    # nbasyl/LLM-FP4 quant_layers/fp_linear.py: e = max(floor(log2|x| + b), 1), step = 2^(e − M − b),
    # x_q = round(x / step) · step, round to even; here b = 1 − M, so that the smallest step is 1.
    largest = LEVELS[fmt][7]
    h = np.arange(-20 * largest, 20 * largest + 1)
    x = np.clip(h / 16, -largest, largest)
    floor_log2 = np.frexp(x)[1] - 1
    step = 2.0 ** (np.maximum(np.where(x == 0, 1, floor_log2 + 1 - man_bits), 1) - 1)
    x_q = np.rint(x / step) * step
    codes = [quantizer(int(v), 16 * largest, fmt) for v in h]
    assert [LEVELS[fmt][code % 8] for code in codes] == np.abs(x_q).tolist()
    assert [code >= 8 for code in codes] == (h < 0).tolist()


def test_the_thresholds_of_e2m1() -> None:
    # 24 · |h| against {1, 3, 5, 7, 10, 14, 20} · A; amp = 24, so |h| itself.
    steps = [h for h in range(1, 25) if quantizer(h, 24, "e2m1") != quantizer(h - 1, 24, "e2m1")]
    assert steps == [2, 3, 6, 7, 11, 14, 21]  # 3, 7, 14 are ties to an even code, 1, 5, 10, 20 stay below


def test_the_amplitude_maps_to_the_largest_level_and_beyond_saturates() -> None:
    for fmt in OPERANDS:
        for h in (1000, 1001, 5000, 1 << 40):
            assert quantizer(h, 1000, fmt) == 7
            assert quantizer(-h, 1000, fmt) == (9 if fmt == "int4" else 15)


def test_zeros() -> None:
    for fmt in OPERANDS:
        minus_zero = 0 if fmt == "int4" else 8
        assert quantizer(0, 1000, fmt) == 0
        assert quantizer(0, 0, fmt) == 0
        assert quantizer(-1, 1000, fmt) == minus_zero
        assert quantizer(-77, 0, fmt) == minus_zero
        assert quantizer(77, 0, fmt) == 0


@pytest.mark.parametrize(
    ("h", "amp", "fmt", "message"),
    [
        (0, -1, "e2m1", "amp=-1: expected an integer at least 0"),
        (0.5, 1, "e2m1", "h=0.5: expected an integer"),
        (0, 1, "int8", "fmt='int8': expected e2m1, e3m0, e1m2 or int4"),
    ],
)
def test_other_arguments_are_refused(h: int, amp: int, fmt: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quantizer(h, amp, fmt)
