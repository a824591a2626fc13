"""Real biases and scales of formats: what they become, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fpsim.formats import Format, get

GRIDS = {"e3m0": (3, 0), "e2m1": (2, 1), "e1m2": (1, 2)}


def maxval(name: str, bias: float) -> float:
    """methods.md section 1.2: (2 - 2^-M) · 2^(2^E - 1 - b), in float64."""
    exp_bits, man_bits = GRIDS[name]
    return float((2 - 2.0**-man_bits) * 2.0 ** (2**exp_bits - 1 - bias))


@pytest.mark.parametrize("name", GRIDS)
def test_a_whole_bias_is_the_same_format_with_that_bias(name: str) -> None:
    form = get(name)
    for bias in range(-20, 21):
        real = form.with_bias(bias)
        whole = Format(name, form.exp_bits, form.man_bits, bias=bias)
        assert [real.value(c) for c in range(16)] == [whole.value(c) for c in range(16)]
        assert real.real_bias == bias


@pytest.mark.parametrize(
    ("name", "bias", "levels"),
    [  # methods.md section 1.2, the grids at the default bias 2^(E - 1)
        ("e3m0", 4, ("0", "0.125", "0.25", "0.5", "1", "2", "4", "8")),
        ("e2m1", 2, ("0", "0.25", "0.5", "0.75", "1", "1.5", "2", "3")),
        ("e1m2", 1, ("0", "0.25", "0.5", "0.75", "1", "1.25", "1.5", "1.75")),
    ],
)
def test_the_papers_default_grids(name: str, bias: int, levels: tuple[str, ...]) -> None:
    form = get(name).with_bias(bias)
    assert [form.value(code) for code in range(8)] == [Fraction(level) for level in levels]
    assert form.max_value == Fraction(maxval(name, bias))


@pytest.mark.parametrize("name", GRIDS)
def test_a_real_bias_is_two_to_its_power_to_24_bits(name: str) -> None:
    # The library's exp2 is right to about 2^-52.
    rng = np.random.default_rng(31)
    cases = 0
    for bias in rng.uniform(-30, 30, 300).tolist():
        form = get(name).with_bias(bias)
        assert (
            abs(form.scale / Fraction(math.exp2(get(name).bias - bias)) - 1) <= Fraction(1, 1 << 24) * 1.0001
        )
        assert form.scale.numerator.bit_length() <= 24 or form.scale.denominator == 1
        assert float(form.max_value) == pytest.approx(maxval(name, bias), rel=2**-23)
        assert form.real_bias == pytest.approx(bias, abs=2**-22)
        cases += 1
    assert cases == 300


@pytest.mark.parametrize("name", GRIDS)
def test_the_minmax_bias_makes_the_largest_value_the_largest_magnitude(name: str) -> None:
    """methods.md section 8: maxval == max|x| to 1 ulp(fp32), by the formula of section 1.2 and directly."""
    rng = np.random.default_rng(32)
    exp_bits, man_bits = GRIDS[name]
    spread = np.abs(rng.normal(size=2000)) * 2.0 ** rng.uniform(-30, 30, 2000)
    cases = 0
    for amax in spread.astype(np.float32):
        bias = 2**exp_bits - np.log2(np.float64(amax)) + np.log2(2 - 2.0**-man_bits) - 1
        for form in (get(name).with_bias(float(bias)), get(name).with_max(float(amax))):
            assert abs(form.max_value - Fraction(float(amax))) <= Fraction(float(np.spacing(amax))), amax
            cases += 1
    assert cases == 4000


def test_a_scale_replaces_the_one_before() -> None:
    once = get("e2m1").scaled(3)
    assert once.scaled(0.5).max_value == 3
    assert once.with_max(6).scale == 1
    assert once.with_bias(1) == get("e2m1")
    assert once.step == Fraction(3, 2)
    assert [get("int4").scaled(0.25).value(code) for code in (7, 8)] == [Fraction(7, 4), -2]
    assert get("e4m3").scaled(3).value(0x7F) == "nan"


def test_a_scale_is_rounded_to_24_bits_ties_to_even() -> None:
    for extra, want in ((0, 0), (1, 0), (2, 0), (3, 4), (4, 4), (5, 4), (6, 8), (7, 8)):
        assert get("e2m1").scaled((1 << 25) + extra).scale == (1 << 25) + want


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get("e2m1").scaled(0), "scale=0: expected a positive, finite number"),
        (lambda: get("e2m1").scaled(-1.0), "scale=-1.0: expected a positive"),
        (lambda: get("e2m1").scaled(float("nan")), "scale=nan: expected a positive"),
        (lambda: get("e2m1").with_max(float("inf")), "amax=inf: expected a positive"),
        (lambda: get("e2m1").with_bias(float("nan")), "bias=nan: expected a number from -1000 to 1000"),
        (lambda: get("e2m1").with_bias(1e9), "bias=1000000000.0: expected a number from -1000 to 1000"),
        (lambda: get("e2m1").with_bias(200), r"expected values of e2m1 between 2\^-126 and 2\^127"),
        (lambda: get("e2m1").with_max(2.0**127.5), r"expected values of e2m1 between"),
        (lambda: get("e8m0").scaled(3), "scale=3: expected 1, but for floats and integers of at most 8 bits"),
        (lambda: get("fp16").scaled(3), "scale=3: expected 1, but for"),
        (
            lambda: Format("f", 2, 1, scale=Fraction(1, 3)),
            "expected a positive Fraction over a power",
        ),
        (lambda: Format("f", 2, 1, scale=Fraction((1 << 24) + 1)), "expected at most 24 significant bits"),
        (lambda: Format("f", 2, 1, scale=0.5), "scale=0.5: expected a positive Fraction"),
    ],
)
def test_what_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
